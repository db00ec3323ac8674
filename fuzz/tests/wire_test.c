/* SPDX-License-Identifier: MIT */
/*
 * wire_test.c - programs as bytes, as text, as files, and as C.
 *
 * Run it in the tree's root: it reads corpus/seeds.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fuzz/wire/text.h"

enum { SEEDS_LEAST = 24, SEED_OPS = 16, FILE_ROOM = 8192 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct prog
one_op(struct op op)
{
	struct prog p = {.harts = 1, .nops = 1};

	p.ops[0] = op;
	return p;
}

static void
assert_same(const struct prog *a, const struct prog *b)
{
	assert_int_equal(a->seed, b->seed);
	assert_int_equal(a->harts, b->harts);
	assert_int_equal(a->nops, b->nops);
	assert_memory_equal(a->ops, b->ops, a->nops * sizeof(a->ops[0]));
}

/* --- tables */

static void
test_tables(void **state)
{
	(void)state;
	assert_string_equal(prog_calls[CALL_open].name, "open");
	assert_string_equal(prog_calls[CALL_open].result, "fd");
	assert_int_equal(prog_calls[CALL_open].nargs, 3);
	assert_int_equal(prog_calls[CALL_open].kind[1], KIND_MODE);
	assert_int_equal(prog_calls[CALL_check].nargs, 0);
	assert_int_equal(prog_calls[CALL_check].kind[0], KIND_NONE);
	for (int i = 0; i < NCALLS; i++) {
		for (int k = 0; k < prog_calls[i].nargs; k++)
			assert_in_range(prog_calls[i].kind[k], 1, NKINDS - 1);
	}
	for (int i = KIND_NONE + 1; i < NKINDS; i++)
		assert_int_not_equal(kind_values[i], 0);
	assert_int_equal(kind_values[KIND_ADDR], 16 * PLACES * ARENA_MAX);
	assert_int_equal(kind_values[KIND_PID], PID_BAD + BAD_PIDS);
	assert_int_equal(kind_values[KIND_FD], FD_BAD + BAD_FDS);
	assert_int_equal(kind_values[KIND_LEN], COUNT(prog_lengths));
	assert_int_equal(kind_values[KIND_BREAK], COUNT(prog_breaks));
	assert_int_equal(kind_values[KIND_PATH], COUNT(prog_paths));
	assert_int_equal(kind_values[KIND_MODE], COUNT(prog_modes));
	for (int i = 0; i < PLACES; i++)
		assert_in_range(prog_places[i], 0, 4095);
}

static void
test_roots(void **state)
{
	struct prog p = {.harts = 1};

	(void)state;
	assert_int_equal(prog_roots(&p), 0);
	p.nops = 3;
	p.ops[0] = (struct op){.call = CALL_fork, .lane = 2, .arg = {5}};
	p.ops[1] = (struct op){.call = CALL_getpid, .lane = 5};
	p.ops[2] = (struct op){.call = CALL_getpid, .lane = 7};
	assert_int_equal(prog_roots(&p), 1 << 2 | 1 << 7);
}

/* --- bytes */

static void
test_head(void **state)
{
	static const unsigned char good[] = "SP1\x02\x78\x56\x34\x12";
	unsigned char bytes[PROG_HEAD];
	struct prog p;

	(void)state;
	for (size_t n = 0; n < PROG_HEAD; n++)
		assert_int_equal(prog_decode(&p, good, n), PROG_SHORT);
	assert_int_equal(prog_decode(&p, good, PROG_HEAD), PROG_OK);
	assert_int_equal(p.seed, 0x12345678);
	assert_int_equal(p.harts, 2);
	assert_int_equal(p.nops, 0);
	for (int i = 0; i < 3; i++) {
		memcpy(bytes, good, PROG_HEAD);
		bytes[i] ^= 1;
		assert_int_equal(prog_decode(&p, bytes, PROG_HEAD), PROG_MAGIC);
	}
	memcpy(bytes, good, PROG_HEAD);
	for (int harts = 0; harts < 256; harts++) {
		bytes[3] = (unsigned char)harts;
		assert_int_equal(prog_decode(&p, bytes, PROG_HEAD), PROG_OK);
		assert_in_range(p.harts, 1, 8);
		if (harts >= 1 && harts <= 8)
			assert_int_equal(p.harts, harts);
	}
}

static void
test_layout(void **state)
{
	struct prog p = one_op((struct op){.call = CALL_open,
			    .lane = 3,
			    .prop = PROP_FAIL,
			    .n = 5,
			    .arg = {1, 2, 3}}),
		    q;
	static const unsigned char want[] = {'S', 'P', '1', 1, 0, 0, 0, 0,
		CALL_open, 3, PROP_FAIL, 5, 1, 0, 2, 0, 3, 0, 0, 0};
	unsigned char bytes[PROG_BYTES_MAX];

	(void)state;
	assert_int_equal(prog_encode(&p, bytes), sizeof(want));
	assert_memory_equal(bytes, want, sizeof(want));
	assert_int_equal(prog_decode(&q, bytes, sizeof(want)), PROG_OK);
	assert_same(&p, &q);
	/* Half an operation is none. */
	assert_int_equal(prog_decode(&q, bytes, sizeof(want) - 1), PROG_OK);
	assert_int_equal(q.nops, 0);
}

static void
test_too_many(void **state)
{
	static unsigned char bytes[PROG_BYTES_MAX + 5 * PROG_OP] = "SP1\x01";
	unsigned char canonical[PROG_BYTES_MAX];
	struct prog p;

	(void)state;
	assert_int_equal(prog_decode(&p, bytes, sizeof(bytes)), PROG_OK);
	assert_int_equal(p.nops, OPS_MAX);
	assert_int_equal(prog_encode(&p, canonical), PROG_BYTES_MAX);
}

/* --- into range */

static struct op
tidied(struct op op)
{
	struct prog p = one_op(op);

	prog_tidy(&p);
	return p.ops[0];
}

static void
test_tidy_fork(void **state)
{
	struct op op;

	(void)state;
	for (unsigned lane = 0; lane < LANES_MAX - 1; lane++) {
		for (unsigned to = 0; to < 300; to++) {
			op = tidied((struct op){.call = CALL_fork,
				.lane = (uint8_t)lane,
				.arg = {(uint16_t)to}});
			assert_int_equal(op.call, CALL_fork);
			assert_in_range(op.arg[0], lane + 1, LANES_MAX - 1);
			if (to > lane && to < LANES_MAX)
				assert_int_equal(op.arg[0], to);
		}
	}
	op = tidied((struct op){.call = CALL_fork, .lane = 7, .arg = {3}});
	assert_int_equal(op.call, CALL_getpid);
	assert_int_equal(op.arg[0], 0);
}

static void
test_tidy_props(void **state)
{
	struct op op = {.call = CALL_read, .prop = PROP_FAIL};

	(void)state;
	for (unsigned n = 0; n < 256; n++) {
		op.n = (uint8_t)n;
		assert_in_range(tidied(op).n, 1, FAIL_MAX);
		if (n >= 1 && n <= FAIL_MAX)
			assert_int_equal(tidied(op).n, n);
	}
	op.prop = PROP_KILL;
	assert_int_equal(tidied(op).n, 0);
	op.prop = NPROPS + PROP_ASYNC;
	assert_int_equal(tidied(op).prop, PROP_ASYNC);
	op.call = CALL_meet;
	assert_int_equal(tidied(op).prop, PROP_NONE);
	op.call = CALL_audit;
	assert_int_equal(tidied(op).prop, PROP_NONE);
}

static void
test_tidy_args(void **state)
{
	struct op op = tidied((struct op){
		.call = CALL_close, .arg = {FD_BAD + BAD_FDS + 2, 7, 7, 7}});

	(void)state;
	assert_int_equal(op.arg[0], 2);
	for (int i = 1; i < ARGS_MAX; i++)
		assert_int_equal(op.arg[i], 0);
	for (unsigned v = 0; v < kind_values[KIND_ADDR]; v++) {
		enum prog_region region = ADDR_REGION(v);

		op = tidied(
			(struct op){.call = CALL_wait, .arg = {(uint16_t)v}});
		if (region >= REGION_TEXT && region <= REGION_HOLE) {
			assert_int_equal(op.arg[0], v);
			continue;
		}
		assert_int_equal(ADDR_REGION(op.arg[0]), REGION_ARENA);
		assert_int_equal(ADDR_PAGE(op.arg[0]), ADDR_PAGE(v));
		assert_int_equal(ADDR_PLACE(op.arg[0]), ADDR_PLACE(v));
	}
}

/* --- text */

static void
assert_text_again(const struct prog *p)
{
	char text[TEXT_MAX], err[TEXT_ERROR];
	size_t n = prog_print(p, text, sizeof(text));
	struct prog q;

	assert_true(n < sizeof(text));
	assert_int_equal(prog_print(p, NULL, 0), n);
	if (prog_parse(&q, "test", text, n, err, sizeof(err)) != 0)
		fail_msg("%s: %s", text, err);
	assert_same(p, &q);
}

/* Each value of each argument of each call, with each property. */
static void
test_every_value(void **state)
{
	(void)state;
	for (unsigned i = 0; i < NCALLS * ARGS_MAX; i++) {
		struct op op = {.call = (uint8_t)(i / ARGS_MAX)};
		unsigned arg = i % ARGS_MAX;
		const struct call_info *info = &prog_calls[op.call];
		unsigned values =
			arg < info->nargs ? kind_values[info->kind[arg]] : 1;

		for (unsigned v = 0; v < values; v++) {
			struct prog p;

			op.arg[arg] = (uint16_t)v;
			op.lane = v % LANES_MAX;
			op.prop = v / LANES_MAX % NPROPS;
			op.n = (uint8_t)v;
			p = one_op(op);
			p.seed = ~v;
			prog_tidy(&p);
			assert_text_again(&p);
		}
	}
}

static void
test_lengths_of_text(void **state)
{
	struct prog p = {.harts = 8, .seed = UINT32_MAX, .nops = OPS_MAX};
	char small[10];

	(void)state;
	/* The longest operations that there are. */
	for (unsigned i = 0; i < OPS_MAX; i++)
		p.ops[i] = (struct op){.call = CALL_read,
			.prop = PROP_FAIL,
			.n = FAIL_MAX,
			.arg = {FD_BAD + BAD_FDS - 1,
				ADDR_MAKE(REGION_KERNEL, PLACES - 1, 63), 14}};
	assert_text_again(&p);
	memset(small, 'x', sizeof(small));
	assert_true(prog_print(&p, small, sizeof(small)) > sizeof(small));
	assert_string_equal(small, "program h");
}

static void
test_reading(void **state)
{
	static const char text[] = "# A comment, and an empty line.\n"
				   "\n"
				   "  program   harts=3\tseed=9 # the head\r\n"
				   "\t1:  read  s2 a3+4095 512 fail=2#so\n"
				   "0: sbrk +8 lazy\n"
				   "   # no more\n"
				   "0: open \"d/e\" rw|create s1 async";
	char err[TEXT_ERROR];
	struct prog p;

	(void)state;
	assert_int_equal(
		prog_parse(&p, "test", text, strlen(text), err, sizeof(err)),
		0);
	assert_int_equal(p.harts, 3);
	assert_int_equal(p.seed, 9);
	assert_int_equal(p.nops, 3);
	assert_int_equal(p.ops[0].call, CALL_read);
	assert_int_equal(p.ops[0].lane, 1);
	assert_int_equal(p.ops[0].prop, PROP_FAIL);
	assert_int_equal(p.ops[0].n, 2);
	assert_int_equal(prog_places[ADDR_PLACE(p.ops[0].arg[1])], 4095);
	assert_int_equal(prog_lengths[p.ops[0].arg[2]], 512);
	assert_int_equal(prog_breaks[p.ops[1].arg[0]], 8);
	assert_string_equal(prog_paths[p.ops[2].arg[0]], "d/e");
	assert_int_equal(p.ops[2].prop, PROP_ASYNC);
}

/* What stands behind a good head, and what is said about it. */
static const struct {
	const char *line;
	const char *message;
} refusals[] = {
	{"0: fly", "test:2: no call 'fly', expected one of store load"},
	{"8: check", "test:2: '8:', expected a lane: 0: to 7:"},
	{"0 check", "test:2: '0', expected a lane"},
	{"0:", "test:2: lane without a call"},
	{"0: load a64 8",
		"test:2: argument 1 of load is 'a64', expected a0 to a63"},
	{"0: load a 8", "'a', expected"},
	{"0: load a1+7 8", "'a1+7', expected"},
	{"0: load a1+ 8", "'a1+', expected"},
	{"0: load a-1 8", "'a-1', expected"},
	{"0: load texts 8", "'texts', expected"},
	{"0: load a1 9", "'9', expected one of 0 1 8 100"},
	{"0: load a1", "load has 1 argument, expected 2"},
	{"0: load", "load has 0 arguments, expected 2"},
	{"0: load a1 8 8", "'8' behind the arguments, expected fail=N"},
	{"0: load a1 8 fail=0", "expected fail=1 to fail=32"},
	{"0: load a1 8 fail=33", "expected fail=1 to fail=32"},
	{"0: load a1 8 kill kill", "expected the end of the line"},
	{"0: meet m0 0,1 kill", "'kill' behind meet, expected nothing"},
	{"0: meet m0 1,0", "'1,0', expected lanes"},
	{"3: fork 3", "lane 3 forks lane 3, expected a lane above"},
	{"0: open a r s0", "'a', expected one of \"a\""},
	{"0: exit 256", "expected a status: 0 to 255"},
	{"0: exec \x01\x7f", "'\?\?', expected"},
	{"0: 000000000000000000000000000000000000000000", "0~', expected one"},
};

static void
test_refusals(void **state)
{
	char text[256], err[TEXT_ERROR];
	struct prog p;

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		int n = snprintf(text, sizeof(text),
			"program harts=1 seed=0\n%s\n0: check\n",
			refusals[i].line);

		assert_int_equal(prog_parse(&p, "test", text, (size_t)n, err,
					 sizeof(err)),
			-1);
		if (strstr(err, refusals[i].message) == NULL)
			fail_msg("%s: %s", refusals[i].line, err);
		assert_null(strchr(err, '\n'));
	}
}

static void
test_bad_heads(void **state)
{
	static const char *const heads[] = {"program", "program harts=1",
		"program seed=0 harts=1", "program harts=0 seed=0",
		"program harts=9 seed=0", "program harts=1 seed=4294967296",
		"program harts=1 seed=0 x", "program harts=1 seed=-1",
		"program harts= seed=0", "prog harts=1 seed=0", "0: check"};
	char err[TEXT_ERROR];
	struct prog p;

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++) {
		assert_int_equal(prog_parse(&p, "test", heads[i],
					 strlen(heads[i]), err, sizeof(err)),
			-1);
		assert_non_null(strstr(err, "test:1: bad head, expected"));
	}
	assert_int_equal(
		prog_parse(&p, "test", "# a\n", 4, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "test:2: no program, expected"));
}

static void
test_too_many_lines(void **state)
{
	char text[4096] = "program harts=1 seed=0\n", err[TEXT_ERROR];
	struct prog p;

	(void)state;
	for (int i = 0; i < OPS_MAX; i++)
		strcat(text, "0: check\n");
	assert_int_equal(
		prog_parse(&p, "test", text, strlen(text), err, sizeof(err)),
		0);
	strcat(text, "0: check\n");
	assert_int_equal(
		prog_parse(&p, "test", text, strlen(text), err, sizeof(err)),
		-1);
	assert_non_null(strstr(err, "test:66: one operation too many"));
}

/* --- files */

static const char *
write_file(const void *bytes, size_t n)
{
	static char path[] = "/tmp/wire_test.XXXXXX";
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	return path;
}

static void
test_loading(void **state)
{
	static char large[1 << 19];
	char err[TEXT_ERROR];
	const char *path;
	struct prog p;

	(void)state;
	assert_int_equal(prog_load(&p, "/no/such", err, sizeof(err)), -1);
	assert_non_null(strstr(err, "/no/such: No such file"));
	path = write_file("SP1", 3);
	assert_int_equal(prog_load(&p, path, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "3 bytes of a binary program, expected"));
	unlink(path);
	path = write_file("SP1\x08\0\0\0\0", PROG_HEAD);
	assert_int_equal(prog_load(&p, path, err, sizeof(err)), 0);
	assert_int_equal(p.harts, 8);
	unlink(path);
	memset(large, '#', sizeof(large));
	path = write_file(large, sizeof(large));
	assert_int_equal(prog_load(&p, path, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "longer than any program, expected"));
	unlink(path);
}

/* A seed without its comments is what is printed of it. */
static void
check_seed(const char *path)
{
	char text[TEXT_MAX], err[TEXT_ERROR], line[256], kept[FILE_ROOM] = "";
	FILE *file = fopen(path, "r");
	struct prog p;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (line[0] != '#')
			strcat(kept, line);
	}
	fclose(file);
	if (prog_load(&p, path, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_in_range(p.nops, 0, SEED_OPS);
	prog_print(&p, text, sizeof(text));
	assert_string_equal(text, kept);
}

static void
test_seeds(void **state)
{
	static const char *const benchmarks[] = {
		"empty", "getpid", "fork11", "files"};
	struct dirent **names;
	int n = scandir("corpus/seeds", &names, NULL, alphasort), seeds = 0;
	char path[512];

	(void)state;
	for (int i = 0; i < n; i++) {
		const char *dot = strrchr(names[i]->d_name, '.');

		if (dot != NULL && strcmp(dot, ".prog") == 0) {
			snprintf(path, sizeof(path), "corpus/seeds/%s",
				names[i]->d_name);
			check_seed(path);
			seeds++;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	assert_in_range(seeds, SEEDS_LEAST, 10000);
	for (size_t i = 0; i < COUNT(benchmarks); i++) {
		snprintf(path, sizeof(path), "corpus/seeds/%s.prog",
			benchmarks[i]);
		check_seed(path);
	}
}

/* --- C */

static char *
c_of(const char *text)
{
	char err[TEXT_ERROR], *c = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&c, &n);
	struct prog p;

	assert_non_null(to);
	if (prog_parse(&p, "test", text, strlen(text), err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(prog_to_c(&p, "test", to), 0);
	assert_int_equal(fclose(to), 0);
	return c;
}

static void
test_c(void **state)
{
	char *c = c_of("program harts=1 seed=0\n"
		       "2: read fd:-2147483648 maxva32+8 -1 fail=7\n"
		       "2: open NULL rw|create s3 kill\n"
		       "2: fork 5 async\n"
		       "5: sbrk -512 lazy\n"
		       "1: meet m3 1,5\n"
		       "5: meet m3 1,5\n");

	(void)state;
	assert_non_null(strstr(c, "test.c - made by"));
	assert_non_null(strstr(
		c, "FAIL(0, 7, do_read(-2147483648, maxva(32, 8), -1));"));
	assert_non_null(
		strstr(c, "KILL(1, do_open(0, O_RDWR | O_CREATE, 3));"));
	assert_non_null(strstr(c, "ASYNC(2, do_fork(5));"));
	assert_non_null(strstr(c, "OP(3, do_sbrk(-512, LAZY));"));
	assert_non_null(strstr(c, "OP(4, do_meet(1));"));
	assert_non_null(strstr(c, "OP(5, do_meet(1));"));
	assert_non_null(strstr(c, "\t\t0x6));"));
	assert_null(strstr(c, "lane4"));
	free(c);
}

/* Forks of forks must not fill the machine. */
static void
test_c_is_bounded(void **state)
{
	char text[2048] = "program harts=1 seed=0\n", line[32], *c;
	int left_out = 0;

	(void)state;
	for (int i = 0; i < 14; i++) {
		snprintf(line, sizeof(line), "%d: fork %d\n", i % 7, i % 7 + 1);
		strcat(text, line);
	}
	c = c_of(text);
	for (char *at = c; (at = strstr(at, "left out: more")) != NULL; at++)
		left_out++;
	/* Lanes 0 to 4 have 1 + 2 + 4 + 8 + 16 processes, and 5 none. */
	assert_int_equal(left_out, 2);
	free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_tidy_fork),
		cmocka_unit_test(test_tidy_props),
		cmocka_unit_test(test_tidy_args),
		cmocka_unit_test(test_every_value),
		cmocka_unit_test(test_lengths_of_text),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_bad_heads),
		cmocka_unit_test(test_too_many_lines),
		cmocka_unit_test(test_loading),
		cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_c),
		cmocka_unit_test(test_c_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
