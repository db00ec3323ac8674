/* SPDX-License-Identifier: MIT */
/*
 * killstorm - processes are killed in the middle of everything.
 *
 * Aimed at what a process holds at the moment it is told to die: pages half
 * shared, locks, a child half made, a program half replaced; at sleepers
 * that do not hear of it, or wake for nobody; at orphans that are reaped
 * twice, or never; at a kill that hits the next user of a process slot.
 *
 * A killed process ends with status -1 and no other; one that was quicker
 * ends with its own.  Nobody else may notice.
 */
#include "stress/lib/stress.h"

enum {
	UNITS = 2,
	WHO = 900,
	DONE = OPS_BASE + 1, /* how a victim ends that nobody kills in time */
};

static struct span span;
static struct gate gate;
static int quiet[2]; /* a pipe that nobody writes to */
static int alive[2]; /* every descendant holds the write end */
static int elder;
static char path[32];

/* ---- victims */

static void
fault(int i)
{
	for (int turn = 0; turn < 8; turn++) {
		int site = below(span_sites(&span));

		page_fill(span_site(&span, site), i);
		EXPECT_PAGE(span_site(&span, site), i);
	}
}

static void
read_pipe(int i)
{
	char c;

	EXPECT(read(quiet[0], &c, 1) <= 0, "a byte out of an empty pipe");
}

static void
fill_pipe(int i)
{
	int fds[2];

	must_pipe(fds);
	for (;;)
		write(fds[1], span.base, 200);
}

static void
pause_long(int i)
{
	pause(1000000);
	EXPECT(0, "a pause of a day is over");
}

static void
wait_child(int i)
{
	spawn(read_pipe, 0);
	wait(0);
	EXPECT(0, "the child of a waiter is gone");
}

static void
fork_loop(int i)
{
	for (int turn = 0; turn < 6; turn++) {
		spawn(fault, turn);
		if (turn % 2)
			reap(1, 0);
	}
}

static void
exec_loop(int i)
{
	char status[] = "65"; /* DONE */
	char *argv[] = {path, "@exit", status, NULL};

	for (int turn = 0; turn < 3; turn++)
		exec("/nosuch", argv);
	exec(path, argv);
	BREAK_OFF("exec %s failed", path);
}

static void
sbrk_loop(int i)
{
	for (int turn = 0; turn < 20; turn++) {
		char *mem = must_lazy(UNIT);

		mem[0] = mem[UNIT / 2] = 1;
		must_sbrk(-UNIT);
	}
}

static void
exit_now(int i)
{
}

static void
spin(int i)
{
	for (;;)
		;
}

/* What victims do, and whether they end if nobody kills them. */
static const struct victim {
	void (*run)(int);
	int ends;
} victims[] = {
	{fault, 1},
	{read_pipe, 0},
	{fill_pipe, 0},
	{pause_long, 0},
	{wait_child, 0},
	{fork_loop, 1},
	{exec_loop, 1},
	{sbrk_loop, 1},
	{exit_now, 1},
	{spin, 0},
};

static void
victim(int kind)
{
	close(quiet[1]);
	gate_wait(&gate);
	victims[kind].run(kind);
	exit(DONE);
}

/* check_end: status of a victim that was shot at. */
static void
check_end(int kind, int status)
{
	if (status == -1)
		return;
	judge(status, 0);
	EXPECT(victims[kind].ends, "victim %d ended with %d, must be killed",
		kind, status);
}

/* ---- patterns */

/*
 * shoot: start n victims, kill them at a random moment each, and reap them.
 * What descendants they leave wake up when quiet ends, and are gone when
 * alive ends.
 */
static void
shoot(int n, int kind)
{
	static int pid[NPROC], kinds[NPROC];
	int status;

	must_pipe(quiet);
	must_pipe(alive);
	gate_make(&gate);
	for (int i = 0; i < n; i++) {
		kinds[i] = kind >= 0 ? kind : below(ARRAY_LEN(victims));
		pid[i] = spawn(victim, kinds[i]);
	}
	gate_open(&gate);
	for (int i = 0; i < n; i++) {
		dawdle(3000);
		EXPECT(kill(pid[i]) == 0 || victims[kinds[i]].ends,
			"victim %d cannot be killed", kinds[i]);
	}
	for (int i = 0; i < n; i++) {
		int got = reap_one(&status), at = 0;

		while (at < n && pid[at] != got)
			at++;
		EXPECT(at < n, "wait returned %d: reaped, or not ours", got);
		check_end(kinds[at], status);
		pid[at] = -2;
		run.ops++;
	}
	close(quiet[1]);
	close(alive[1]);
	wait_eof(alive[0]);
	close(alive[0]);
	close(quiet[0]);
}

static void
gunman(int index)
{
	do {
		shoot(4, -1);
		EXPECT_SPAN(&span, WHO);
	} while (more());
}

/* Several gunmen, each with victims of all kinds. */
static void
mixed(void)
{
	self_path(path);
	span_make(&span, UNITS);
	span_fill(&span, WHO);
	herd((run.children + 1) / 2, 21, gunman);
	EXPECT_SPAN(&span, WHO);
}

/* Many of the same kind at once. */
static void
alike(void)
{
	int n = room(run.children, 6);

	self_path(path);
	span_make(&span, UNITS);
	span_fill(&span, WHO);
	for (int kind = 0; kind < ARRAY_LEN(victims); kind++)
		shoot(n, kind);
	EXPECT_SPAN(&span, WHO);
}

static void
brother(int i)
{
	gate_wait(&gate);
	for (int turn = 0; turn < 10; turn++) {
		fault(turn);
		if (turn == 5 && elder > 0)
			kill(elder);
	}
	run.ops++;
}

/* Each kills the one born before it, while that kills its own elder. */
static void
brothers(void)
{
	span_make(&span, UNITS);
	do {
		elder = 0;
		span_fill(&span, WHO);
		gate_make(&gate);
		for (int i = 0; i < run.children; i++)
			elder = spawn(brother, i);
		gate_open(&gate);
		reap(run.children, MAY_DIE);
		EXPECT_SPAN(&span, WHO);
	} while (more());
}

/* A dead and reaped process cannot be killed; nor one that never was. */
static void
nobody(void)
{
	for (int turn = 0; turn < 20; turn++) {
		int pid = spawn(exit_now, 0);

		reap(1, 0);
		EXPECT(kill(pid) == -1, "a reaped process was killed");
		run.ops++;
	}
	EXPECT(kill(-1) == -1, "kill(-1) found somebody");
	EXPECT(kill(0x7fffffff) == -1, "kill(2^31-1) found somebody");
}

/* ---- a parent dies, and so do its children, at the same time */

static void
doomed_parent(int i)
{
	for (int n = 0; n < 3; n++)
		spawn(fault, n);
	if (one_in(2))
		kill(getpid());
	else
		fault(i);
	reap(3, 0);
}

static void
families(void)
{
	span_make(&span, UNITS);
	do {
		int n = room(run.children, 4);

		span_fill(&span, WHO);
		must_pipe(alive);
		for (int i = 0; i < n; i++)
			spawn(doomed_parent, i);
		close(alive[1]);
		reap(n, MAY_DIE);
		wait_eof(alive[0]);
		close(alive[0]);
		EXPECT_SPAN(&span, WHO);
		run.ops += n;
	} while (more());
}

STRESS(killstorm, .what = "who is killed dies, at once and alone",
	.patterns = {{"mixed", mixed}, {"alike", alike}, {"brothers", brothers},
		{"nobody", nobody}, {"families", families}});
