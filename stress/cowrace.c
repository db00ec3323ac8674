/* SPDX-License-Identifier: MIT */
/*
 * cowrace - processes store to shared pages at the same moment.
 *
 * Aimed at the break of a share: "am I the only owner?" and what is done
 * about it must be one step; the copy must be taken before the other owner
 * may store; the page must be dropped once and not twice.  The same holds
 * for whole leaf page tables, where the kernel shares those.
 *
 * Every process checks that it sees its own stores and, everywhere else,
 * what was there when it was born: another's word, an old word or a zero is
 * a torn copy or a lost share.
 */
#include "stress/lib/stress.h"

enum {
	UNITS = 4,
	PAGES = 24, /* of a duel */
	OLD = 5000, /* who filled the pages before anybody forked */
};

static struct span span;
static char *duel_pages;
static struct gate gate, second;

/* ---- all at once */

static void
all_write(int who, int first)
{
	int sites = span_sites(&span);

	for (int i = 0; i < sites; i++)
		page_fill(span_site(&span, (first + i) % sites), who);
	for (int i = 0; i < sites; i++)
		EXPECT_PAGE(span_site(&span, i), who);
	run.ops += sites;
}

static void
one_of_many(int i)
{
	gate_wait(&gate);
	all_write(i, i % 2 ? below(span_sites(&span)) : 0);
	/* Everybody has written now; what is mine must still be mine. */
	gate_wait(&second);
	for (int s = 0; s < span_sites(&span); s++)
		EXPECT_PAGE(span_site(&span, s), i);
}

/* N children and their parent write every page, most in the same order. */
static void
together(void)
{
	span_make(&span, UNITS);
	do {
		span_fill(&span, OLD);
		gate_make(&gate);
		gate_make(&second);
		for (int i = 0; i < run.children; i++)
			spawn(one_of_many, i);
		gate_open(&gate);
		all_write(OLD * 2, 0);
		gate_open(&second);
		reap(run.children, 0);
	} while (more());
}

/* ---- the last two owners */

/*
 * nibble: store one word of each page.  The rest of each must be what it
 * was at the fork, even if the other owner overwrites it during the copy.
 */
static void
nibble(int word)
{
	for (int i = 0; i < PAGES; i++) {
		volatile uint64 *page = (uint64 *)(duel_pages + i * PGSIZE);

		page[word] = (uint64)i;
	}
	for (int i = 0; i < PAGES; i++) {
		uint64 *page = (uint64 *)(duel_pages + i * PGSIZE);
		int bad = page_bad(page, OLD + i, word);

		EXPECT(page[word] == (uint64)i, "page %d lost a store", i);
		EXPECT(bad < 0, "page %d word %d is 0x%lx: the other's", i, bad,
			page[bad]);
	}
}

/* flood: overwrite every page. */
static void
flood(int who)
{
	for (int i = 0; i < PAGES; i++)
		page_fill(duel_pages + i * PGSIZE, who + i);
	for (int i = 0; i < PAGES; i++)
		EXPECT_PAGE(duel_pages + i * PGSIZE, who + i);
}

static void
fight(int role)
{
	dawdle(400);
	if (role)
		flood(OLD * 3);
	else
		nibble(below(WORDS));
	run.ops += PAGES;
}

/* duel: two owners break every share together, over and over. */
static void
duel(int index)
{
	duel_pages = pages_get(PAGES);
	for (int turn = 0; turn == 0 || more(); turn++) {
		int tight = turn % 8 == index % 8;
		int role = turn & 1, go;

		for (int i = 0; i < PAGES; i++)
			page_fill(duel_pages + i * PGSIZE, OLD + i);
		go = uptime() + 2;
		gate_make(&gate);
		if (must_fork() == 0) {
			run.ops = 0;
			stream_fork(turn);
			gate_wait(&gate);
			if (tight)
				tick_wait(go);
			fight(!role);
			leave();
		}
		gate_open(&gate);
		if (tight)
			tick_wait(go);
		fight(role);
		reap(1, 0);
	}
}

static void
lasttwo(void)
{
	herd((run.children + 1) / 2, 2, duel);
}

/* ---- one breaks while the other exits */

static void
parting(int index)
{
	duel_pages = pages_get(PAGES);
	for (int turn = 0; turn == 0 || more(); turn++) {
		int leavers = 1 + below(2);

		for (int i = 0; i < PAGES; i++)
			page_fill(duel_pages + i * PGSIZE, OLD + i);
		gate_make(&gate);
		for (int i = 0; i < leavers; i++) {
			if (must_fork() > 0)
				continue;
			gate_wait(&gate);
			exit(OPS_BASE + 1);
		}
		gate_open(&gate);
		fight(turn & 1);
		reap(leavers, 0);
	}
}

static void
exitrace(void)
{
	herd((run.children + 1) / 2, 3, parting);
}

/* ---- whole units */

static void
sharer_stores(int who, int first, int count)
{
	for (int i = 0; i < count; i++)
		page_fill(span_site(&span, first + i), who + first + i);
	for (int i = 0; i < span_sites(&span); i++)
		EXPECT_PAGE(span_site(&span, i),
			i >= first && i < first + count ? who + i : OLD + i);
	run.ops += count;
}

static void
grandchild(int i)
{
	sharer_stores(9000 + i * 100, 0, span_sites(&span));
}

static void
exec_away(void)
{
	char path[32], status[] = "65"; /* OPS_BASE + 1 */
	char *argv[] = {path, "@exit", status, NULL};

	self_path(path);
	exec(path, argv);
	BREAK_OFF("exec %s failed", path);
}

/* A sharer stores, forks, execs, exits or shrinks, as its index says. */
static void
sharer(int i)
{
	int who = 10000 + i * 100;

	gate_wait(&gate);
	dawdle(2000);
	switch (i % 8) {
	case 0: /* all in the same unit */
	case 1:
		sharer_stores(who, 0, SITES);
		break;
	case 2: /* each in its own */
		sharer_stores(who, i / 8 % UNITS * SITES, SITES);
		break;
	case 3: /* both sides of a boundary */
		sharer_stores(who, SITES - 1 + i / 8 % (UNITS - 1) * SITES, 2);
		break;
	case 4:
		return;
	case 5:
		spawn(grandchild, i);
		sharer_stores(who, SITES, SITES);
		reap(1, 0);
		break;
	case 6:
		exec_away();
		break;
	case 7: /* give back all but the first unit */
		must_sbrk(-(UNITS - 1) * UNIT);
		span.units = 1;
		sharer_stores(who, 1, 2);
		break;
	}
}

static void
units(void)
{
	int n = room(run.children < 8 ? 8 : run.children, 2);

	span_make(&span, UNITS);
	do {
		span_fill(&span, OLD);
		gate_make(&gate);
		for (int i = 0; i < n; i++)
			spawn(sharer, i);
		gate_open(&gate);
		sharer_stores(20000, SITES / 2, SITES);
		reap(n, 0);
	} while (more());
}

/* ---- memory nobody has written yet */

static void
expect_zero(const struct span *s, int but)
{
	for (int i = 0; i < span_sites(s); i++) {
		const volatile uint64 *page = (uint64 *)span_site(s, i);

		for (int w = 0; i != but && w < WORDS; w += 7)
			EXPECT(page[w] == 0,
				"site %d word %d, never written, is 0x%lx", i,
				w, page[w]);
	}
}

static void
zero_writer(int i)
{
	int mine = i % span_sites(&span);

	if (i % 2)
		expect_zero(&span, -1);
	page_fill(span_site(&span, mine), i);
	expect_zero(&span, mine);
	EXPECT_PAGE(span_site(&span, mine), i);
	run.ops++;
}

/*
 * All read zeroes from the same untouched memory, and all write to it.  One
 * store that reached the page everybody reads would show everywhere.
 */
static void
zero(void)
{
	do {
		span_make(&span, UNITS);
		if (one_in(2))
			expect_zero(&span, -1);
		herd(run.children, 1, zero_writer);
		expect_zero(&span, -1);
		must_sbrk(-UNITS * UNIT);
	} while (more());
}

STRESS(cowrace, .what = "a store is seen by the process that made it alone",
	.patterns = {{"together", together}, {"lasttwo", lasttwo},
		{"exitrace", exitrace}, {"units", units}, {"zero", zero}});
