/* SPDX-License-Identifier: MIT */
/*
 * mutate_test.c - the mutations of programs, and the library for afl-fuzz
 * that consists of them.
 *
 * Usage: mutate_test [SEED]
 *
 * The library's functions are called as afl-fuzz calls them.  The last tests
 * say what comes out on the whole: a mutator that only ever makes programs
 * that fail at their first call would pass all others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fuzz/host/mutate.h"
#include "fuzz/host/mutate_scope.h"
#include "fuzz/host/mutate_trim.h"
#include "fuzz/monitor/mailbox.h"

enum { MANY = 100000, POOL = 1024 };

void *afl_custom_init(void *afl, unsigned seed);
void afl_custom_deinit(void *data);
size_t afl_custom_fuzz(void *data, const uint8_t *buf, size_t size,
	uint8_t **out, const uint8_t *add, size_t add_size, size_t max);
const char *afl_custom_describe(void *data, size_t max);
int afl_custom_init_trim(void *data, const uint8_t *buf, size_t size);
size_t afl_custom_trim(void *data, uint8_t **out);
int afl_custom_post_trim(void *data, uint8_t good);

static unsigned seed = 1;

/* What a corpus is to afl-fuzz: programs that become more and other ones. */
static struct {
	uint8_t bytes[POOL][PROG_BYTES_MAX];
	size_t size[POOL];
} pool;

static void
fill_pool(struct random *r)
{
	struct prog p;

	for (unsigned i = 0; i < POOL; i++) {
		mutate_fresh(&p, r);
		pool.size[i] = prog_encode(&p, pool.bytes[i]);
	}
}

/* Decode what must be canonical. */
static void
decode_checked(struct prog *p, const uint8_t *bytes, size_t size)
{
	uint8_t again[PROG_BYTES_MAX];

	assert_true(size <= PROG_BYTES_MAX && size <= INPUT_MAX);
	assert_int_equal(prog_decode(p, bytes, size), PROG_OK);
	assert_true(p->nops <= OPS_MAX);
	assert_int_equal(prog_encode(p, again), size);
	assert_memory_equal(again, bytes, size);
}

/* One mutation of the pool's, kept in place of an old program now and then. */
static size_t
step(void *m, struct random *r, uint8_t **out)
{
	unsigned i = random_below(r, POOL), j = random_below(r, POOL);
	size_t size = afl_custom_fuzz(m, pool.bytes[i], pool.size[i], out,
		pool.bytes[j], pool.size[j], 1 << 20);

	assert_non_null(*out);
	if (random_one_in(r, 4)) {
		i = random_below(r, POOL);
		memcpy(pool.bytes[i], *out, size);
		pool.size[i] = size;
	}
	return size;
}

static void
test_canonical(void **state)
{
	struct random r = random_start(seed, 0);
	void *m = afl_custom_init(NULL, seed);
	struct prog p;
	uint8_t *out;
	size_t size;

	(void)state;
	fill_pool(&r);
	for (unsigned i = 0; i < MANY; i++) {
		size = step(m, &r, &out);
		decode_checked(&p, out, size);
	}
	afl_custom_deinit(m);
}

/* Every change is one, and every name of a mutation fits. */
static void
test_changes(void **state)
{
	struct random r = random_start(seed, 1);
	struct weights w = mutate_weights();
	struct prog p, old, donor;
	struct applied applied;
	uint8_t a[PROG_BYTES_MAX], b[PROG_BYTES_MAX];
	size_t n;

	(void)state;
	for (unsigned i = 0; i < MANY / 10; i++) {
		mutate_fresh(&p, &r);
		mutate_fresh(&donor, &r);
		old = p;
		mutate(&p, &donor, &w, &r, &applied);
		assert_in_range(applied.n, 1, STACK_MAX);
		n = prog_encode(&old, a);
		if (prog_encode(&p, b) == n)
			assert_memory_not_equal(a, b, n);
	}
}

static void
test_deterministic(void **state)
{
	struct random one = random_start(seed, 2), two = one;
	void *m = afl_custom_init(NULL, seed);
	uint64_t sums[2] = {0, 0};
	uint8_t *out;
	size_t size;

	(void)state;
	for (unsigned turn = 0; turn < 2; turn++) {
		struct random *r = turn ? &two : &one;

		fill_pool(r);
		for (unsigned i = 0; i < MANY / 10; i++) {
			const char *name;

			size = step(m, r, &out);
			for (size_t k = 0; k < size; k++)
				sums[turn] = random_mix(sums[turn] ^ out[k]);
			name = afl_custom_describe(m, 100);
			while (*name != '\0')
				sums[turn] = random_mix(
					sums[turn] ^ (uint8_t)*name++);
		}
		afl_custom_deinit(m);
		m = turn ? NULL : afl_custom_init(NULL, seed);
	}
	assert_true(sums[0] == sums[1]);
}

/* What went through the library before makes no difference. */
static void
test_independent(void **state)
{
	struct random r = random_start(seed, 10);
	void *one = afl_custom_init(NULL, seed);
	void *two = afl_custom_init(NULL, seed);
	uint8_t *a, *b;
	size_t n;

	(void)state;
	fill_pool(&r);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned k = random_below(&r, POOL - 2);

		afl_custom_fuzz(one, pool.bytes[k], pool.size[k], &a, NULL, 0,
			INPUT_MAX);
		afl_custom_fuzz(two, pool.bytes[k + 1], pool.size[k + 1], &b,
			pool.bytes[k], pool.size[k], INPUT_MAX);
		n = afl_custom_fuzz(one, pool.bytes[k], pool.size[k], &a,
			pool.bytes[k + 2], pool.size[k + 2], INPUT_MAX);
		assert_int_equal(n, afl_custom_fuzz(two, pool.bytes[k],
					    pool.size[k], &b, pool.bytes[k + 2],
					    pool.size[k + 2], INPUT_MAX));
		assert_memory_equal(a, b, n);
	}
	afl_custom_deinit(one);
	afl_custom_deinit(two);
}

/* What is no program is replaced by one; little room leaves a short one. */
static void
test_bad_input(void **state)
{
	static const uint8_t noise[] = "no program at all";
	void *m = afl_custom_init(NULL, seed);
	struct random r = random_start(seed, 3);
	struct prog p;
	uint8_t *out, cut[PROG_BYTES_MAX];
	size_t size;

	(void)state;
	fill_pool(&r);
	for (unsigned i = 0; i < 1000; i++) {
		size = afl_custom_fuzz(
			m, noise, i % sizeof(noise), &out, NULL, 0, 1 << 20);
		decode_checked(&p, out, size);
		assert_int_not_equal(p.nops, 0);
		assert_memory_equal(afl_custom_describe(m, 99), "op:fresh,", 9);
	}
	for (unsigned i = 0; i < 1000; i++) {
		size_t max = random_below(&r, 200);
		size_t n = random_below(&r, (unsigned)pool.size[i % POOL] + 1);

		memcpy(cut, pool.bytes[i % POOL], n);
		size = afl_custom_fuzz(m, cut, n, &out, noise, i % 17, max);
		assert_true(size <= max);
		if (max >= PROG_HEAD)
			decode_checked(&p, out, size);
		else
			assert_int_equal(size, 0);
	}
	afl_custom_deinit(m);
}

static void
test_names(void **state)
{
	struct random r = random_start(seed, 4);
	void *m = afl_custom_init(NULL, 0xffffffff);
	const char *name;
	uint8_t *out;

	(void)state;
	fill_pool(&r);
	for (unsigned i = 0; i < 2000; i++) {
		size_t max = i % 200;

		step(m, &r, &out);
		name = afl_custom_describe(m, max);
		assert_true(strlen(name) <= max);
		assert_null(strchr(name, '/'));
		if (max > 60)
			assert_non_null(strstr(name, ",rng:ffffffff-"));
	}
	afl_custom_deinit(m);
}

/* What two rows need: a property, and a descriptor that nobody opened. */
static void
add_blemish(struct prog *p, unsigned i)
{
	p->ops[i % p->nops].prop = PROP_FAIL;
	p->ops[0] = (struct op){.call = CALL_open};
	p->ops[p->nops - 1] = (struct op){.call = CALL_close, .arg = {7}};
	prog_tidy(p);
}

/* A row by itself, on programs as they are: it changes many of them. */
static void
test_rows(void **state)
{
	struct random r = random_start(seed, 5);
	struct prog p, donor;
	struct applied applied;
	unsigned done[NMUTATIONS] = {0};

	(void)state;
	for (unsigned row = 0; row < NMUTATIONS; row++) {
		struct weights w = {{0}};

		w.of[row] = 1;
		for (unsigned i = 0; i < 1000; i++) {
			mutate_fresh(&p, &r);
			add_blemish(&p, i);
			mutate_fresh(&donor, &r);
			mutate(&p, &donor, &w, &r, &applied);
			done[row] += applied.row[0] == row;
		}
		if (done[row] < 1000)
			print_message("%s: %u of 1000\n", mutations[row].name,
				done[row]);
		assert_true(done[row] >= 300);
	}
}

/* An empty program and one that is full are programs like others. */
static void
test_extremes(void **state)
{
	struct random r = random_start(seed, 6);
	struct prog empty = {.harts = 1}, full, p;
	struct applied applied;

	(void)state;
	for (unsigned row = 0; row < NMUTATIONS; row++) {
		struct weights w = {{0}};

		w.of[row] = 1;
		for (unsigned i = 0; i < 200; i++) {
			p = empty;
			mutate(&p, i % 2 ? &empty : NULL, &w, &r, &applied);
			mutate_fresh(&full, &r);
			for (unsigned k = full.nops; k < OPS_MAX; k++)
				full.ops[k] = full.ops[k % full.nops];
			full.nops = OPS_MAX;
			p = full;
			mutate(&p, &full, &w, &r, &applied);
			assert_true(p.nops <= OPS_MAX);
		}
	}
}

static void
test_weights(void **state)
{
	struct weights w = mutate_weights();

	(void)state;
	assert_true(mutate_set_weights(&w, ""));
	assert_true(mutate_set_weights(&w, "insert=7,harts=0"));
	assert_int_equal(w.of[0], 7);
	assert_false(mutate_set_weights(&w, "insert"));
	assert_false(mutate_set_weights(&w, "insert="));
	assert_false(mutate_set_weights(&w, "insert=x"));
	assert_false(mutate_set_weights(&w, "insert=1;harts=2"));
	assert_false(mutate_set_weights(&w, "insert=-1"));
	assert_false(mutate_set_weights(&w, "ins=1"));
	assert_false(mutate_set_weights(&w, "=1"));
	for (unsigned i = 0; i < NMUTATIONS; i++)
		w.of[i] = 0;
	assert_false(mutate_set_weights(&w, "insert=0"));
}

/* --- what mutations know of a program */

static void
add(struct prog *p, enum prog_call call, unsigned lane, unsigned a, unsigned b,
	unsigned c)
{
	p->ops[p->nops++] = (struct op){
		.call = (uint8_t)call,
		.lane = (uint8_t)lane,
		.arg = {(uint16_t)a, (uint16_t)b, (uint16_t)c},
	};
}

static void
test_scope(void **state)
{
	struct prog p = {.harts = 1};
	struct scope s;

	(void)state;
	add(&p, CALL_store, 2, 5, 12, 0); /* in the child: 8192 bytes */
	add(&p, CALL_pipe, 0, 3, 4, 0);
	add(&p, CALL_store, 0, 1 + 3 * ARENA_MAX, 2, 0); /* 4088, 8 bytes */
	add(&p, CALL_fork, 0, 2, 0, 0);
	add(&p, CALL_close, 0, 3, 0, 0);
	add(&p, CALL_open, 0, 1, 5, 0);
	add(&p, CALL_touch, 0, 8, 1, 0);
	add(&p, CALL_exit, 0, 0, 0, 0);

	s = scope_at(&p, 2, p.nops);
	assert_int_equal(s.readers, 1 << 3);
	assert_int_equal(s.writers, 1 << 4);
	assert_true(s.written == (1 << 1 | 3 << 5));
	assert_true(s.shared == 1 << 1);
	assert_int_equal(s.kids, 0);
	assert_false(s.ended);

	s = scope_at(&p, 0, 7);
	assert_int_equal(s.readers, 1 << 0);
	assert_int_equal(s.writers, 1 << 4 | 1 << 0);
	assert_true(s.written == (1 << 1 | 3 << 8));
	assert_true(s.shared == 1 << 1);
	assert_int_equal(s.kids, 1 << 2);
	assert_int_equal(s.lanes, 1 << 0 | 1 << 2);
	assert_int_equal(s.forked, 1 << 2);
	assert_int_equal(s.names, 1 << 1);
	assert_false(s.ended);
	assert_true(scope_at(&p, 0, 8).ended);
	assert_false(scope_at(&p, 1, 8).readers);
}

/* --- trimming */

static unsigned
count_calls(const struct prog *p, enum prog_call call)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->nops; i++)
		n += p->ops[i].call == call;
	return n;
}

/* All that matters is how many forks and pipes there are. */
static bool
as_good(const struct prog *p, const struct prog *as)
{
	return count_calls(p, CALL_fork) == count_calls(as, CALL_fork) &&
	       count_calls(p, CALL_pipe) == count_calls(as, CALL_pipe);
}

/* As afl-fuzz does it: until the step is the last one. */
static unsigned
trim_by_library(void *m, struct prog *p,
	bool (*good)(const struct prog *, const struct prog *))
{
	const struct prog original = *p;
	uint8_t bytes[PROG_BYTES_MAX], *out;
	size_t size = prog_encode(p, bytes), n;
	int most = afl_custom_init_trim(m, bytes, size), at = 0;
	unsigned steps = 0;
	struct prog proposal;

	assert_true(most >= 0);
	while (at < most) {
		n = afl_custom_trim(m, &out);
		assert_true(n > 0 && n <= size);
		decode_checked(&proposal, out, n);
		steps++;
		if (good(&proposal, &original)) {
			*p = proposal;
			size = n;
		}
		at = afl_custom_post_trim(m, good(&proposal, &original));
		assert_true(at >= 0);
	}
	assert_true(steps <= (unsigned)most);
	return steps;
}

static bool
never(const struct prog *p, const struct prog *as)
{
	(void)p;
	(void)as;
	return false;
}

static bool
always(const struct prog *p, const struct prog *as)
{
	(void)p;
	(void)as;
	return true;
}

static void
test_trim(void **state)
{
	struct random r = random_start(seed, 7);
	void *m = afl_custom_init(NULL, seed);
	struct prog p, old;
	unsigned forks, steps = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		mutate_fresh(&p, &r);
		old = p;
		forks = count_calls(&p, CALL_fork) + count_calls(&p, CALL_pipe);
		steps += trim_by_library(m, &p, as_good);
		assert_true(as_good(&p, &old));
		assert_int_equal(p.nops, forks);
		for (unsigned k = 0; k < p.nops; k++)
			assert_int_equal(p.ops[k].prop, PROP_NONE);
		p = old;
		trim_by_library(m, &p, never);
		assert_memory_equal(p.ops, old.ops, p.nops * PROG_OP);
		trim_by_library(m, &p, always);
		assert_int_equal(p.nops, 0);
		assert_int_equal(trim_by_library(m, &p, always), 0);
	}
	print_message("%u steps for a program\n", steps / 2000);
	assert_int_equal(afl_custom_init_trim(m, (const uint8_t *)"x", 1), 0);
	afl_custom_deinit(m);
}

/* --- what comes out on the whole */

struct census {
	unsigned ops, of[NCALLS];
	unsigned forks, shared_writes, meets, props;
	unsigned fds, good_fds, paths, good_paths, addrs, good_addrs;
};

static bool
is_arena(uint16_t addr)
{
	enum prog_region region = ADDR_REGION(addr);

	return (region <= REGION_ARENA4 || region >= REGION_ARENA5) &&
	       ADDR_PAGE(addr) < ARENA_PAGES;
}

static void
count_op(struct census *c, const struct prog *p, unsigned at)
{
	const struct op *op = &p->ops[at];
	const struct call_info *info = &prog_calls[op->call];
	struct scope s = scope_at(p, op->lane, at);

	c->ops++;
	c->of[op->call]++;
	c->props += op->prop != PROP_NONE;
	for (unsigned i = 0; i < info->nargs; i++) {
		unsigned value = op->arg[i];

		switch (info->kind[i]) {
		case KIND_FD:
			c->fds++;
			c->good_fds +=
				value < SLOTS && (scope_slots(&s) >> value & 1);
			break;
		case KIND_PATH:
			c->paths++;
			c->good_paths += (s.names >> value & 1) ||
					 (value >= 8 && value <= 11);
			break;
		case KIND_ADDR:
			c->addrs++;
			c->good_addrs += is_arena(op->arg[i]);
			break;
		}
	}
}

/* A page is written to after it was shared by fork: copy on write. */
static bool
writes_shared(const struct prog *p)
{
	for (unsigned i = 0; i < p->nops; i++) {
		const struct op *op = &p->ops[i];
		struct scope s = scope_at(p, op->lane, i);

		if ((op->call == CALL_store || op->call == CALL_touch) &&
			(s.shared >> ADDR_PAGE(op->arg[0]) & 1))
			return true;
	}
	return false;
}

static void
count_prog(struct census *c, const struct prog *p)
{
	for (unsigned i = 0; i < p->nops; i++)
		count_op(c, p, i);
	c->forks += count_calls(p, CALL_fork) > 0;
	c->meets += count_calls(p, CALL_meet) > 1;
	c->shared_writes += writes_shared(p);
}

static unsigned
percent(unsigned part, unsigned whole)
{
	return whole ? 100 * part / whole : 0;
}

static void
print_census(const struct census *c, unsigned n)
{
	print_message("%u operations a program; of programs %u%% fork, %u%% "
		      "write to what they share, %u%% meet\n",
		c->ops / n, percent(c->forks, n), percent(c->shared_writes, n),
		percent(c->meets, n));
	print_message("%u%% of operations have a property; good are %u%% of "
		      "descriptors, %u%% of paths, %u%% of addresses\n",
		percent(c->props, c->ops), percent(c->good_fds, c->fds),
		percent(c->good_paths, c->paths),
		percent(c->good_addrs, c->addrs));
	for (unsigned i = 0; i < NCALLS; i++)
		print_message("%s %.1f%%%s", prog_calls[i].name,
			100.0 * c->of[i] / c->ops,
			i % 10 == 9 || i == NCALLS - 1 ? "\n" : ", ");
}

static void
expect_census(const struct census *c, unsigned n)
{
	print_census(c, n);
	assert_in_range(c->ops / n, 8, 40);
	assert_true(percent(c->forks, n) >= 60);
	assert_true(percent(c->shared_writes, n) >= 30);
	assert_true(percent(c->meets, n) >= 20);
	assert_true(percent(c->good_fds, c->fds) >= 25);
	assert_true(percent(c->good_paths, c->paths) >= 45);
	assert_true(percent(c->good_addrs, c->addrs) >= 80);
	assert_in_range(percent(c->props, c->ops), 0, 30);
	for (unsigned i = 0; i < NCALLS; i++)
		assert_true(c->of[i] * 2000 >= c->ops);
}

/*
 * Mutations of mutations, without any choice by what they do in a kernel:
 * where this goes to by itself, and whether it stays sensible there.
 */
static void
test_census(void **state)
{
	struct random r = random_start(seed, 8);
	void *m = afl_custom_init(NULL, seed);
	struct census c = {0};
	struct prog p;
	uint8_t *out;
	unsigned n = 0;

	(void)state;
	fill_pool(&r);
	for (unsigned i = 0; i < MANY; i++) {
		size_t size = step(m, &r, &out);

		if (i < MANY - MANY / 5)
			continue;
		prog_decode(&p, out, size);
		count_prog(&c, &p);
		n++;
	}
	expect_census(&c, n);
	afl_custom_deinit(m);
}

static void
test_fresh_census(void **state)
{
	struct random r = random_start(seed, 9);
	struct census c = {0};
	struct prog p;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		mutate_fresh(&p, &r);
		count_prog(&c, &p);
	}
	expect_census(&c, 5000);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_independent),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_census),
		cmocka_unit_test(test_fresh_census),
	};

	if (argc > 1)
		seed = (unsigned)strtoul(argv[1], NULL, 0);
	print_message("seed %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
