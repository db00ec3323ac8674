/* SPDX-License-Identifier: MIT */
/*
 * waitstorm - parents wait and children exit, at the same moment.
 *
 * Aimed at the hand-over of a dead child: a wake-up that is lost between
 * looking and sleeping; a child reaped twice, by nobody, or into a pointer
 * that cannot be written; a status of one with the pid of another; children
 * that change parents while they, or the parent, exit.
 */
#include "stress/lib/stress.h"

enum {
	BROOD = 24,    /* children of one parent */
	BASE = 100000, /* statuses, well apart from verdicts */
};

static struct gate gate;
static int pids[BROOD], codes[BROOD];
static int tally[2];

static void
start_brood(int n)
{
	gate_make(&gate);
	for (int i = 0; i < n; i++) {
		codes[i] = BASE + below(1 << 20);
		pids[i] = must_fork();
		if (pids[i] != 0)
			continue;
		stream_fork(i);
		gate_wait(&gate);
		dawdle(5000);
		exit(codes[i]);
	}
	gate_open(&gate);
}

/* collect: reap n children, each once and with its own status. */
static void
collect(int n, int *status)
{
	for (int left = n; left > 0; left--) {
		int got = wait(status), at = 0;

		while (at < n && pids[at] != got)
			at++;
		EXPECT(at < n, "wait returned %d: reaped, or not ours", got);
		EXPECT(*status == codes[at], "status %d, should be %d", *status,
			codes[at]);
		pids[at] = -2;
		run.ops++;
	}
	EXPECT(wait(status) == -1, "a child too many");
}

/* ---- many parents, each with many children that all exit at once */

static void
parent(int index)
{
	int status;

	do {
		int n = 1 + below(BROOD);

		start_brood(n);
		collect(n, &status);
	} while (more());
}

static void
broods(void)
{
	herd(run.children, 1 + BROOD, parent);
}

/* ---- one child at a time, as fast as can be: a lost wake-up hangs */

static void
pair(int index)
{
	int status;

	for (int turn = 0; turn < 50 || more(); turn++) {
		int code = BASE + turn;
		int pid = must_fork();

		if (pid == 0) {
			dawdle(200);
			exit(code);
		}
		dawdle(200);
		EXPECT(wait(&status) == pid, "the only child is lost");
		EXPECT(status == code, "status %d, should be %d", status, code);
		run.ops++;
	}
}

static void
pairs(void)
{
	herd(run.children, 2, pair);
}

/* ---- wait with a pointer that cannot be written */

static void
clumsy(int index)
{
	static const uint64 bad[] = {MAXVA, MAXVA - 2, KERNBASE, TRAPFRAME,
		-1UL, -8UL, 16, 1UL << 37, 1UL << 63};
	int status;

	do {
		int n = 1 + below(4);

		start_brood(n);
		for (int i = 0; i < ARRAY_LEN(bad); i++) {
			EXPECT(wait((int *)bad[i]) == -1, "wait wrote to 0x%lx",
				bad[i]);
			dawdle(500);
		}
		collect(n, &status); /* none of them may be lost */
	} while (more());
}

static void
badptr(void)
{
	herd(run.children, 5, clumsy);
}

/* ---- parents that exit with their children */

static void
last_word(int unused)
{
	dawdle(1000);
	EXPECT(write(tally[1], "k", 1) == 1, "an orphan cannot write");
}

static void
careless(int n)
{
	for (int i = 0; i < n; i++)
		spawn(last_word, i);
	dawdle(1500);
}

static void
adopted(void)
{
	enum { ORPHANS = 3 };
	int n = room(run.children, 1 + ORPHANS);

	do {
		int seen = 0;
		char c;

		must_pipe(tally);
		for (int i = 0; i < n; i++)
			spawn(careless, ORPHANS);
		close(tally[1]);
		while (read(tally[0], &c, 1) == 1)
			seen++;
		EXPECT(seen == n * ORPHANS, "%d of %d orphans reported", seen,
			n * ORPHANS);
		close(tally[0]);
		reap(n, 0);
		run.ops += seen;
	} while (more());
}

/* ---- generations: everybody waits for somebody who waits */

static void
generations(int depth)
{
	int pid, status;

	while (depth > 0) {
		pid = must_fork();
		if (pid > 0) {
			EXPECT(wait(&status) == pid, "a generation is lost");
			judge(status, 0);
			run.ops++;
			return;
		}
		run.ops = 0;
		depth--;
	}
}

static void
line(int index)
{
	do {
		int before = run.ops;

		spawn(generations, 12);
		reap(1, 0);
		EXPECT(run.ops == before + 12, "%d generations of 12 reported",
			run.ops - before);
	} while (more());
}

static void
lines(void)
{
	herd(run.children, 14, line);
}

/* ---- nobody to wait for */

static void
lonely(int index)
{
	int status = 4711;

	for (int i = 0; i < 100; i++)
		EXPECT(wait(&status) == -1, "a child out of nothing");
	EXPECT(status == 4711, "wait wrote a status and found no child");
	run.ops += 100;
}

static void
nochild(void)
{
	herd(run.children, 1, lonely);
}

STRESS(waitstorm, .what = "each child is reaped once, with its own status",
	.patterns = {{"broods", broods}, {"pairs", pairs}, {"badptr", badptr},
		{"adopted", adopted}, {"lines", lines}, {"nochild", nochild}});
