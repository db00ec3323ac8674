/* SPDX-License-Identifier: MIT */
/*
 * wire_fuzz.c - the program format under fire: any bytes must decode, any
 * text must be read or refused, and nothing may get lost between the forms.
 *
 *	wire_fuzz [--secs N] [--seed N]     by itself, from corpus/seeds
 *	wire_fuzz --seed N --only K         input K of that run again
 *	wire_fuzz FILE...                   these inputs
 *	afl-fuzz -i corpus/seeds -o DIR -- wire_fuzz
 *	                                    if built by afl-clang-fast
 *
 * Build it with -fsanitize=address,undefined -fno-sanitize-recover=all.  By
 * itself it mutates the seeds, as text and as bytes; input K of a run follows
 * from its seed and K alone.  Each input is tried as both forms, in a block
 * of memory of just its size, so that a byte read behind it is seen.
 *
 * Exit: 0 nothing found, 1 a finding, 2 it cannot run; a sanitizer's finding
 * exits as that likes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sanitizer/common_interface_defs.h>

#include "fuzz/host/random.h"
#include "fuzz/wire/text.h"

enum {
	INPUT_ROOM = 4096,
	SEEDS_MAX = 512,
	C_EVERY = 64, /* every so many inputs the C file is written, too */
};

#ifdef __AFL_COMPILER
__AFL_FUZZ_INIT();
enum { UNDER_AFL = 1 };
#else
enum { UNDER_AFL = 0 };
#endif

struct input {
	size_t n;
	unsigned char bytes[INPUT_ROOM];
};

static struct input seeds[SEEDS_MAX];
static unsigned nseeds;

/* What is being tried, for whoever has to say how to see it again. */
static unsigned long run_seed, run_at;
static const char *run_file;

static void
say_where(void)
{
	if (run_file != NULL)
		fprintf(stderr, "wire_fuzz: the input was %s\n", run_file);
	else
		fprintf(stderr, "wire_fuzz: again by: --seed %lu --only %lu\n",
			run_seed, run_at);
}

static void
require(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "wire_fuzz: FOUND: %s\n", what);
	say_where();
	/* All that afl-fuzz takes for a finding is a signal. */
	if (UNDER_AFL)
		abort();
	exit(1);
}

/* --- what must hold */

static bool
same(const struct prog *a, const struct prog *b)
{
	return a->seed == b->seed && a->harts == b->harts &&
	       a->nops == b->nops &&
	       memcmp(a->ops, b->ops, a->nops * sizeof(a->ops[0])) == 0;
}

static bool
op_in_range(const struct op *op)
{
	const struct call_info *info = &prog_calls[op->call];

	if (op->call >= NCALLS || op->lane >= LANES_MAX || op->prop >= NPROPS)
		return false;
	if (op->prop == PROP_FAIL ? op->n < 1 || op->n > FAIL_MAX : op->n != 0)
		return false;
	for (unsigned i = 0; i < ARGS_MAX; i++) {
		enum prog_kind kind = info->kind[i];
		unsigned values = i < info->nargs ? kind_values[kind] : 1;

		if (op->arg[i] >= values)
			return false;
	}
	return op->call != CALL_fork || op->arg[0] > op->lane;
}

static void
require_tidy(const struct prog *p)
{
	struct prog tidy = *p;

	require(p->harts >= 1 && p->harts <= 8, "a number of harts");
	require(p->nops <= OPS_MAX, "a number of operations");
	for (unsigned i = 0; i < p->nops; i++)
		require(op_in_range(&p->ops[i]), "an operation out of range");
	prog_tidy(&tidy);
	require(same(p, &tidy), "a program is not tidy");
}

static void
require_bytes_again(const struct prog *p)
{
	unsigned char bytes[PROG_BYTES_MAX], once_more[PROG_BYTES_MAX];
	size_t n = prog_encode(p, bytes);
	struct prog q;

	require(n == PROG_HEAD + (size_t)p->nops * PROG_OP, "a size in bytes");
	require(prog_decode(&q, bytes, n) == PROG_OK, "bytes are refused");
	require(same(p, &q), "bytes are of another program");
	require(prog_encode(&q, once_more) == n &&
			memcmp(bytes, once_more, n) == 0,
		"bytes have no fixed point");
}

static void
require_text_again(const struct prog *p)
{
	char text[TEXT_MAX], err[TEXT_ERROR];
	size_t n = prog_print(p, text, sizeof(text));
	struct prog q;

	require(n < sizeof(text) && strlen(text) == n, "a length of a text");
	require(prog_parse(&q, "text", text, n, err, sizeof(err)) == 0,
		"a text of its own is refused");
	require(same(p, &q), "a text is of another program");
}

static void
require_c(const struct prog *p)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	if (to == NULL) {
		fprintf(stderr, "wire_fuzz: no memory for a C file\n");
		exit(2);
	}
	require(prog_to_c(p, "input", to) == 0, "no C file");
	fclose(to);
	require(n > 0 && text[n - 1] == '\n', "a C file without an end");
	free(text);
}

static void
require_all(const struct prog *p)
{
	require_tidy(p);
	require_bytes_again(p);
	require_text_again(p);
	if (run_at % C_EVERY == 0)
		require_c(p);
}

/* A refusal is one line that says where. */
static void
require_refusal(const char *err)
{
	const char *line = err + strlen("name:");

	require(strlen(err) < TEXT_ERROR && strncmp(err, "name:", 5) == 0,
		"a refusal without the name");
	require(strtoul(line, NULL, 10) > 0, "a refusal without a line");
	require(strchr(err, '\n') == NULL, "a refusal of several lines");
	require(strstr(err, "expected") != NULL, "a refusal without advice");
}

/* Try n bytes as both forms; how many of them they are good for. */
static unsigned
try_input(const unsigned char *bytes, size_t n)
{
	unsigned char *block = malloc(n);
	char err[TEXT_ERROR];
	struct prog p;
	unsigned good = 0;

	if (n > 0 && block == NULL) {
		fprintf(stderr, "wire_fuzz: no memory for an input\n");
		exit(2);
	}
	if (n > 0)
		memcpy(block, bytes, n);
	if (prog_decode(&p, block, n) == PROG_OK) {
		require_all(&p);
		good++;
	}
	if (prog_parse(&p, "name", (char *)block, n, err, sizeof(err)) == 0) {
		require_all(&p);
		good++;
	} else {
		require_refusal(err);
	}
	free(block);
	return good;
}

/* --- inputs of its own */

static void
add_seed(const void *bytes, size_t n)
{
	if (nseeds == SEEDS_MAX || n > INPUT_ROOM)
		return;
	memcpy(seeds[nseeds].bytes, bytes, n);
	seeds[nseeds++].n = n;
}

/* Both forms of a program. */
static void
add_program(const char *path)
{
	unsigned char bytes[PROG_BYTES_MAX];
	char text[TEXT_MAX], err[TEXT_ERROR];
	struct prog p;

	if (prog_load(&p, path, err, sizeof(err)) != 0) {
		fprintf(stderr, "wire_fuzz: FOUND: a seed is refused: %s\n",
			err);
		exit(1);
	}
	add_seed(bytes, prog_encode(&p, bytes));
	add_seed(text, prog_print(&p, text, sizeof(text)));
}

static void
add_programs(const char *folder)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	char path[512];

	for (int i = 0; i < n; i++) {
		const char *dot = strrchr(names[i]->d_name, '.');

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (dot != NULL && strcmp(dot, ".prog") == 0)
			add_program(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	if (nseeds == 0) {
		fprintf(stderr,
			"wire_fuzz: no seeds in %s; run it in the "
			"tree's root\n",
			folder);
		exit(2);
	}
}

/* Replace n bytes at `at` by others, as far as there is room. */
static void
splice(struct input *in, size_t at, size_t n, const void *by, size_t size)
{
	size_t rest = in->n - at - n;

	if (in->n - n + size > INPUT_ROOM)
		return;
	memmove(in->bytes + at + size, in->bytes + at + n, rest);
	memcpy(in->bytes + at, by, size);
	in->n = at + size + rest;
}

/* What means something somewhere, or nearly. */
static void
splice_word(struct input *in, struct random *r, size_t at)
{
	static const char *const words[] = {"\n", " ", "#", "", "SP1", "a64",
		"a63+4095", "+8", "text", "hole63", "fail=32", "fail=0",
		" kill", " async", "0: fork 1\n", "7: fork 7\n", "s7", "fd:-1",
		"pid:0", "NULL", "\"\"", "\"d/e\"", "-1", "4294967296",
		"program harts=8 seed=1\n", "0,1,2,3,4,5,6,7", "\r", "\t\v",
		"99999999999999999999999999999999999999999999", ":", "+"};
	const char *word =
		words[random_below(r, sizeof(words) / sizeof(words[0]))];

	splice(in, at, 0, word, strlen(word));
}

static void
mutate_once(struct input *in, struct random *r)
{
	size_t at = random_below(r, (uint32_t)in->n + 1);
	size_t n = random_below(r, (uint32_t)(in->n - at) + 1);
	const struct input *other = &seeds[random_below(r, nseeds)];
	unsigned char byte = (unsigned char)random_below(r, 256);
	size_t from = random_below(r, (uint32_t)other->n + 1);
	size_t size = random_below(r, (uint32_t)(other->n - from) + 1);

	switch (random_below(r, 8)) {
	case 0: /* one byte more */
		splice(in, at, 0, &byte, 1);
		break;
	case 1: /* another byte */
		splice(in, at, at < in->n, &byte, 1);
		break;
	case 2: /* another bit */
		if (at < in->n)
			in->bytes[at] ^= (unsigned char)(1U << byte % 8);
		break;
	case 3: /* a few bytes less */
		splice(in, at, n % 16 < n ? n % 16 : n, "", 0);
		break;
	case 4: /* all behind it less */
		if (byte < 32)
			in->n = at;
		break;
	case 5: /* a piece of another input */
		splice(in, at, n, other->bytes + from, size);
		break;
	case 6: /* the same again and again, to be too much */
		for (int i = byte % 8; i < 8 && in->n > at; i++)
			splice(in, in->n, 0, in->bytes + at, in->n - at);
		break;
	default:
		splice_word(in, r, at);
	}
}

static unsigned
try_mutant(void)
{
	static struct input in;
	struct random r = random_start(run_seed, run_at);

	in = seeds[random_below(&r, nseeds)];
	for (unsigned n = random_below(&r, 6); n > 0; n--)
		mutate_once(&in, &r);
	return try_input(in.bytes, in.n);
}

static long
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int
run_alone(unsigned long secs, const char *only)
{
	long end = seconds() + (long)secs;
	unsigned long good = 0;

	add_programs("corpus/seeds");
	printf("wire_fuzz: seed %lu\n", run_seed);
	if (only != NULL) {
		run_at = strtoul(only, NULL, 0);
		try_mutant();
		printf("wire_fuzz: OK: input %lu\n", run_at);
		return 0;
	}
	do {
		good += try_mutant();
		run_at++;
	} while (run_at % 256 != 0 || seconds() < end);
	printf("wire_fuzz: OK: %lu inputs, %lu of them programs\n", run_at,
		good);
	return 0;
}

/* --- inputs of others */

static int
run_file_input(const char *path)
{
	static struct input in;
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		perror(path);
		return 2;
	}
	run_file = path;
	in.n = fread(in.bytes, 1, sizeof(in.bytes), file);
	fclose(file);
	try_input(in.bytes, in.n);
	return 0;
}

/* Inputs out of shared memory, many to a process. */
static int
run_under_afl(void)
{
#ifdef __AFL_COMPILER
	const unsigned char *bytes;

	__AFL_INIT();
	bytes = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(10000)) {
		int n = __AFL_FUZZ_TESTCASE_LEN;

		try_input(bytes, (size_t)n);
	}
#endif
	return 0;
}

int
main(int argc, char **argv)
{
	unsigned long secs = 5;
	const char *only = NULL;
	int i;

	run_seed = 1;
	__sanitizer_set_death_callback(say_where);
	for (i = 1; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (strcmp(argv[i], "--secs") == 0)
			secs = strtoul(argv[i + 1], NULL, 0);
		else if (strcmp(argv[i], "--seed") == 0)
			run_seed = strtoul(argv[i + 1], NULL, 0);
		else if (strcmp(argv[i], "--only") == 0)
			only = argv[i + 1];
		else
			break;
	}
	if (i < argc && argv[i][0] == '-') {
		fprintf(stderr, "usage: wire_fuzz [--secs N] [--seed N] "
				"[--only N] | FILE...\n");
		return 2;
	}
	if (i == argc && UNDER_AFL)
		return run_under_afl();
	if (i == argc)
		return run_alone(secs, only);
	for (; i < argc; i++) {
		int status = run_file_input(argv[i]);

		if (status != 0)
			return status;
	}
	return 0;
}
