/* SPDX-License-Identifier: MIT */
/*
 * minimize_test.c - the minimiser against bugs that are known: predicates on
 * programs, of which the smallest one that satisfies them is known too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fuzz/host/minimize.h"
#include "fuzz/host/random.h"

enum { SEED = 20 };

/* What the stand-in for a kernel answers, and what it was asked. */
struct world {
	bool (*bug)(const struct prog *p);
	bool (*other)(const struct prog *p); /* another bug: never accepted */
	unsigned asked;
	unsigned asked_twice;
	uint64_t seen[1 << 14];
};

static uint64_t
hash_of(const struct prog *p)
{
	uint8_t bytes[PROG_BYTES_MAX];
	uint64_t h = 1;
	size_t n = prog_encode(p, bytes);

	for (size_t i = 0; i < n; i++)
		h = random_mix(h + bytes[i]);
	return h;
}

static bool
same(void *ctx, const struct prog *p)
{
	struct world *w = ctx;
	uint64_t hash = hash_of(p);

	for (unsigned i = 0; i < w->asked; i++)
		w->asked_twice += w->seen[i] == hash;
	assert_true(w->asked < sizeof(w->seen) / sizeof(w->seen[0]));
	w->seen[w->asked++] = hash;
	return w->bug(p) && (w->other == NULL || !w->other(p));
}

static struct op *
add(struct prog *p, unsigned lane, unsigned call)
{
	struct op *op = &p->ops[p->nops++];

	memset(op, 0, sizeof(*op));
	op->lane = (uint8_t)lane;
	op->call = (uint8_t)call;
	return op;
}

/* Fill up with anything, around what is there already. */
static void
bury(struct prog *p, unsigned seed)
{
	struct random r = random_start(SEED, seed);
	struct prog core = *p;
	unsigned next = 0;

	p->harts = 4;
	p->seed = 12345;
	p->nops = 0;
	while (p->nops < OPS_MAX) {
		struct op *op = &p->ops[p->nops];
		unsigned left = (unsigned)(core.nops - next);

		if (left > 0 &&
			(random_one_in(&r, 12) ||
				left >= (unsigned)(OPS_MAX - p->nops))) {
			p->ops[p->nops++] = core.ops[next++];
			continue;
		}
		op->call = (uint8_t)random_below(&r, NCALLS);
		op->lane = (uint8_t)random_below(&r, LANES_MAX);
		op->prop = (uint8_t)random_below(&r, NPROPS);
		op->n = (uint8_t)random_below(&r, FAIL_MAX);
		for (unsigned a = 0; a < ARGS_MAX; a++)
			op->arg[a] = (uint16_t)random_next(&r);
		p->nops++;
	}
	prog_tidy(p);
}

static struct minimize_count
run(struct world *w, struct prog *p)
{
	struct minimize_job job = {.same = same, .ctx = w};
	struct minimize_count count;
	unsigned before = p->nops;

	w->asked = w->asked_twice = 0;
	assert_true(w->bug(p));
	assert_true(minimize(p, &job, &count));
	assert_true(w->bug(p));
	assert_true(p->nops <= before);
	assert_int_equal(w->asked_twice, 0);
	assert_int_equal(count.tried, w->asked);
	return count;
}

/* A fork by lane 0, and behind it a read by lane 1 whose 2nd allocation
 * fails. */
static bool
fork_then_read(const struct prog *p)
{
	bool forked = false;

	for (unsigned i = 0; i < p->nops; i++) {
		const struct op *op = &p->ops[i];

		if (op->call == CALL_fork && op->lane == 0)
			forked = true;
		if (forked && op->call == CALL_read && op->lane == 1 &&
			op->prop == PROP_FAIL && op->n == 2)
			return true;
	}
	return false;
}

static void
finds_the_core(void **state)
{
	static struct world w = {.bug = fork_then_read};

	(void)state;
	for (unsigned seed = 0; seed < 20; seed++) {
		struct prog p = {0};
		struct op *read;

		add(&p, 0, CALL_fork)->arg[0] = 3;
		read = add(&p, 1, CALL_read);
		read->prop = PROP_FAIL;
		read->n = 2;
		read->arg[1] = 77;
		read->arg[2] = 9;
		bury(&p, seed);
		run(&w, &p);
		assert_int_equal(p.nops, 2);
		assert_int_equal(p.harts, 1);
		assert_int_equal(p.seed, 0);
		assert_int_equal(p.ops[0].call, CALL_fork);
		assert_int_equal(p.ops[0].arg[0], 1);
		assert_int_equal(p.ops[1].n, 2);
		for (unsigned a = 0; a < ARGS_MAX; a++)
			assert_int_equal(p.ops[1].arg[a], 0);
	}
}

/* A pipe is closed through the slot that it was put into. */
static bool
pipe_closed(const struct prog *p)
{
	unsigned slots = 0;

	for (unsigned i = 0; i < p->nops; i++) {
		const struct op *op = &p->ops[i];

		if (op->call == CALL_pipe)
			slots |= 1u << op->arg[0];
		if (op->call == CALL_close && op->arg[0] < SLOTS &&
			slots & 1u << op->arg[0])
			return true;
	}
	return false;
}

static void
keeps_what_belongs_together(void **state)
{
	static struct world w = {.bug = pipe_closed};

	(void)state;
	for (unsigned seed = 0; seed < 20; seed++) {
		struct prog p = {0};

		add(&p, 5, CALL_pipe)->arg[0] = 6;
		add(&p, 2, CALL_close)->arg[0] = 6;
		bury(&p, seed);
		run(&w, &p);
		assert_int_equal(p.nops, 2);
		assert_int_equal(minimize_lanes(&p), 1);
		assert_int_equal(p.ops[0].lane, 0);
		assert_int_equal(p.ops[0].arg[0], 0);
		assert_int_equal(p.ops[1].arg[0], 0);
	}
}

/* As many forks as waits, and one at least: neither goes alone. */
static bool
balanced(const struct prog *p)
{
	unsigned forks = 0, waits = 0, stores = 0;

	for (unsigned i = 0; i < p->nops; i++) {
		forks += p->ops[i].call == CALL_fork;
		waits += p->ops[i].call == CALL_wait;
		stores += p->ops[i].call == CALL_store;
	}
	return forks == waits && stores > 0;
}

static void
drops_pairs(void **state)
{
	static struct world w = {.bug = balanced};
	struct prog p = {.harts = 2};

	(void)state;
	add(&p, 0, CALL_fork)->arg[0] = 1;
	add(&p, 0, CALL_store);
	add(&p, 1, CALL_wait);
	add(&p, 0, CALL_wait);
	add(&p, 1, CALL_fork)->arg[0] = 2;
	add(&p, 2, CALL_getpid);
	prog_tidy(&p);
	run(&w, &p);
	assert_int_equal(p.nops, 1);
	assert_int_equal(p.ops[0].call, CALL_store);
}

/* With an exec in lane 3 the same program fails in another way. */
static bool
has_no_exec(const struct prog *p)
{
	for (unsigned i = 0; i < p->nops; i++)
		if (p->ops[i].call == CALL_exec)
			return false;
	return true;
}

static void
does_not_slip(void **state)
{
	static struct world w = {.bug = fork_then_read, .other = has_no_exec};
	struct prog p = {0};
	struct op *read;

	(void)state;
	add(&p, 0, CALL_fork)->arg[0] = 1;
	read = add(&p, 1, CALL_read);
	read->prop = PROP_FAIL;
	read->n = 2;
	add(&p, 3, CALL_exec);
	bury(&p, 3);
	run(&w, &p);
	assert_int_equal(p.nops, 3);
	assert_false(has_no_exec(&p));
}

static bool
hostile_store(const struct prog *p)
{
	for (unsigned i = 0; i < p->nops; i++)
		if (p->ops[i].call == CALL_write &&
			ADDR_REGION(p->ops[i].arg[1]) == REGION_KERNEL &&
			prog_lengths[p->ops[i].arg[2]] >= 512)
			return true;
	return false;
}

static void
simplifies_arguments(void **state)
{
	static struct world w = {.bug = hostile_store};
	struct prog p = {0};
	struct op *op;

	(void)state;
	op = add(&p, 4, CALL_write);
	op->arg[0] = 9;
	op->arg[1] = ADDR_MAKE(REGION_KERNEL, 5, 40);
	op->arg[2] = 14;
	bury(&p, 7);
	run(&w, &p);
	assert_int_equal(p.nops, 1);
	op = &p.ops[0];
	assert_int_equal(op->lane, 0);
	assert_int_equal(op->prop, PROP_NONE);
	assert_int_equal(op->arg[0], 0);
	assert_int_equal(op->arg[1], ADDR_MAKE(REGION_KERNEL, 0, 0));
	assert_int_equal(prog_lengths[op->arg[2]], 512);
}

static bool
anything(const struct prog *p)
{
	(void)p;
	return true;
}

static void
ends_at_nothing(void **state)
{
	static struct world w = {.bug = anything};
	struct prog p = {0};

	(void)state;
	bury(&p, 1);
	run(&w, &p);
	assert_int_equal(p.nops, 0);
	run(&w, &p);
}

static void
gives_up_in_time(void **state)
{
	static struct world w = {.bug = fork_then_read};
	struct minimize_job job = {.same = same, .ctx = &w, .tries_max = 5};
	struct minimize_count count;
	struct prog p = {0};
	struct op *read;

	(void)state;
	add(&p, 0, CALL_fork)->arg[0] = 1;
	read = add(&p, 1, CALL_read);
	read->prop = PROP_FAIL;
	read->n = 2;
	bury(&p, 2);
	w.asked = 0;
	assert_false(minimize(&p, &job, &count));
	assert_int_equal(count.tried, 5);
	assert_true(fork_then_read(&p));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_core),
		cmocka_unit_test(keeps_what_belongs_together),
		cmocka_unit_test(drops_pairs),
		cmocka_unit_test(does_not_slip),
		cmocka_unit_test(simplifies_arguments),
		cmocka_unit_test(ends_at_nothing),
		cmocka_unit_test(gives_up_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
