/* SPDX-License-Identifier: MIT */
/*
 * forkstorm - trees, chains and crowds of processes that share pages.
 *
 * Aimed at reference counts: raises and drops that get lost (many workers
 * that loop fork, exit, wait over the same pages), counts that do not fit in
 * eight bits (several hundred owners of a page), tables of counts that run
 * out after thousands of forks, fork() failing for want of a process slot.
 * Pages lost or given away twice show in what a process reads, in the page
 * count after the pattern (-x), or as another's words in fresh memory.
 */
#include "stress/lib/stress.h"

enum {
	UNITS = 3,
	CHAIN = 48,  /* generations */
	TREE = 3,    /* levels, and children of each process */
	CROWD = 440, /* processes at one time, if the machine has the room */
	WHO = 1000,  /* the ancestor's pages; children use others */
};

static struct span span;
static struct gate gate;
static int done[2];

/* stamp_some: write some pages as `who`, and check every page of the span. */
static void
stamp_some(int who)
{
	int sites = span_sites(&span);
	int mine = below(sites), also = below(sites);

	page_fill(span_site(&span, mine), who);
	page_fill(span_site(&span, also), who);
	for (int i = 0; i < sites; i++)
		EXPECT_PAGE(span_site(&span, i),
			i == mine || i == also ? who : WHO + i);
	run.ops++;
}

static void
set_up(void)
{
	span_make(&span, UNITS);
	span_fill(&span, WHO);
}

static void
crowd_member(int i)
{
	gate_wait(&gate);
	if (one_in(4))
		return; /* some never touch what they were given */
	dawdle(20000);
	if (one_in(3))
		stamp_some(i);
	else
		EXPECT_SPAN(&span, WHO);
	dawdle(20000);
	run.ops++;
}

/* Several hundred processes own each page at once, and leave at random. */
static void
crowd(void)
{
	int n;

	set_up();
	n = room(CROWD, 1);
	gate_make(&gate);
	for (int i = 0; i < n; i++)
		spawn(crowd_member, i);
	gate_open(&gate);
	stamp_some(CROWD + 1);
	reap(n, 0);
}

/*
 * A line of processes, each the child of the last; every one writes a page
 * of its own and finds what all its ancestors wrote before it was born.
 */
static void
chain(void)
{
	int depth = 0, parent = 0, sites, rewrites;

	set_up();
	sites = span_sites(&span);
	while (depth < CHAIN) {
		page_fill(span_site(&span, depth % sites), depth);
		depth++;
		parent = must_fork() > 0;
		if (parent)
			break;
		run.ops = 0;
		stream_fork(depth);
	}
	rewrites = below(2); /* the page that the next one writes as well */
	if (rewrites)
		page_fill(span_site(&span, depth % sites), 77777);
	for (int i = 0; i < sites; i++) {
		int last = (depth - 1 - i) / sites * sites + i;

		if (i == depth % sites && rewrites)
			EXPECT_PAGE(span_site(&span, i), 77777);
		else
			EXPECT_PAGE(span_site(&span, i),
				i < depth ? last : WHO + i);
	}
	run.ops++;
	reap(parent, 0);
}

/* branch: the root of a tree of processes, TREE levels below it. */
static void
branch(int who)
{
	for (int level = 0; level < TREE; level++) {
		int children = 0;

		while (children < TREE && must_fork() > 0)
			children++;
		if (children < TREE) { /* a child: one level down */
			run.ops = 0;
			stream_fork(children);
			continue;
		}
		stamp_some(who + level);
		reap(TREE, 0);
		return;
	}
	stamp_some(who);
}

/* A tree from every hart at once. */
static void
trees(void)
{
	int each = 1;

	for (int level = 0, width = 1; level < TREE; level++) {
		width *= TREE;
		each += width;
	}
	set_up();
	herd(run.children, each, branch);
}

static void
short_life(int i)
{
	switch (below(4)) {
	case 0:
		stamp_some(i);
		break;
	case 1:
		EXPECT_PAGE(span_site(&span, i % SITES), WHO + i % SITES);
		break;
	default:
		break; /* exit at once */
	}
}

static void
worker(int index)
{
	int batch = 1 + index % 3;

	do {
		for (int i = 0; i < batch; i++)
			spawn(short_life, i);
		if (one_in(4))
			page_fill(span_site(&span, 0), WHO);
		reap(batch, 0);
		run.ops++;
	} while (more());
	EXPECT_SPAN(&span, WHO);
}

/* Many loop fork, exit, wait over the same pages: raises meet drops. */
static void
workers(void)
{
	set_up();
	herd(run.children, 4, worker);
	EXPECT_SPAN(&span, WHO);
}

static void
orphan(int i)
{
	char c = 'k';

	gate_wait(&gate); /* opens when the parent has gone */
	stamp_some(i);
	EXPECT(write(done[1], &c, 1) == 1, "an orphan cannot write");
}

static void
forsaker(int n)
{
	gate_make(&gate);
	for (int i = 0; i < n; i++)
		spawn(orphan, i);
}

/* Children that outlive their parent keep what they shared with it. */
static void
orphans(void)
{
	int n = 4, forsakers = room(run.children, 1 + n), seen = 0;
	char c;

	set_up();
	must_pipe(done);
	for (int i = 0; i < forsakers; i++)
		spawn(forsaker, n);
	close(done[1]);
	reap(forsakers, 0);
	while (read(done[0], &c, 1) == 1)
		seen++;
	EXPECT(seen == n * forsakers, "%d of %d orphans reported", seen,
		n * forsakers);
	run.ops += seen;
}

/*
 * No slot left: fork() must say so, and leave everything as it was.  What
 * it takes is given back by those that wait at the gate.
 */
static void
slots(void)
{
	int n = 0, pid;

	if (room(NPROC, 1) < NPROC - 100)
		return; /* memory would run out first: that is oomstorm's */
	set_up();
	gate_make(&gate);
	while ((pid = fork()) > 0 && n < NPROC)
		n++;
	if (pid == 0) {
		run.ops = 1;
		gate_wait(&gate);
		leave();
	}
	EXPECT(pid == -1, "fork gave more than %d processes", NPROC);
	for (int i = 0; i < 5; i++)
		EXPECT(fork() == -1, "fork with no slot left succeeded");
	EXPECT_SPAN(&span, WHO);
	gate_open(&gate);
	reap(n, 0);
}

STRESS(forkstorm, .what = "every process has the memory it was born with",
	.patterns = {{"crowd", crowd}, {"chain", chain}, {"trees", trees},
		{"workers", workers}, {"orphans", orphans}, {"slots", slots}});
