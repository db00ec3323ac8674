/* SPDX-License-Identifier: MIT */
/*
 * proc.c - processes and pipes.
 *
 * Who must wait for another waits on a pipe.  A pipe whose writers are all
 * gone reads as ended, so closing one opens a gate for any number of others.
 */
#include "usertests.h"

/* Does nothing, but not for ever should the test die before it. */
static void
spin(void)
{
	int start = uptime();

	while (uptime() - start < 600)
		;
	exit(0);
}

/* Block until the gate's writers are gone. */
static void
wait_at(const int gate[2])
{
	char c;

	close(gate[1]);
	while (read(gate[0], &c, 1) > 0)
		;
}

void
test_pipe1(void)
{
	enum { TOTAL = 20000 };
	int p[2], at, n, size;

	make_pipe(p);
	if (FORK() == 0) {
		close(p[0]);
		for (at = 0, size = 1; at < TOTAL; at += n) {
			n = size < TOTAL - at ? size : TOTAL - at;
			fill(scratch, at, n, 1);
			EXPECT_EQ(write(p[1], scratch, n), n);
			size = (size * 3 + 1) % SCRATCH;
		}
		exit(0);
	}
	close(p[1]);
	size = 1;
	for (at = 0; (n = read(p[0], scratch, size)) > 0; at += n) {
		EXPECT(n <= size);
		EXPECT(filled(scratch, at, n, 1));
		size = (size * 5 + 2) % SCRATCH + 1;
	}
	EXPECT_EQ(n, 0);
	EXPECT_EQ(at, TOTAL);
	EXPECT_EXITS(1, 0);
	close(p[0]);

	make_pipe(p);
	EXPECT_EQ(write(p[0], "x", 1), -1);
	EXPECT_EQ(read(p[1], scratch, 1), -1);
	close(p[0]);
	EXPECT_EQ(write(p[1], "x", 1), -1);
}

void
test_killstatus(void)
{
	int ready[2], never[2], pid;

	make_pipe(ready);
	make_pipe(never);
	for (int i = 0; i < 40; i++) {
		pid = FORK();
		if (pid == 0) {
			if (i % 4 < 2)
				say(ready[1], 'r');
			if (i % 2)
				spin();
			read(never[0], scratch, 1);
			exit(0);
		}
		/* Half of them are killed before they have begun. */
		if (i % 4 < 2)
			EXPECT(heard(ready[0], 'r'));
		EXPECT_EQ(kill(pid), 0);
		EXPECT_EXIT(pid, -1);
		EXPECT_EQ(kill(pid), -1);
	}
	EXPECT_EQ(kill(-1), -1);
}

/* With each hart taken by a spinner, this process gets its turn still. */
void
test_preempt(void)
{
	int pids[NCPU + 2], ready[2];
	struct kstat k;
	int n = 3;

	if (kstat(&k, sizeof(k)) == 0)
		n = k.harts + 2;
	make_pipe(ready);
	for (int i = 0; i < n; i++) {
		pids[i] = FORK();
		if (pids[i] == 0) {
			say(ready[1], 'r');
			spin();
		}
	}
	for (int i = 0; i < n; i++)
		EXPECT(heard(ready[0], 'r'));
	for (int i = 0; i < n; i++)
		EXPECT_EQ(kill(pids[i]), 0);
	EXPECT_EXITS(n, -1);
}

void
test_exitwait(void)
{
	static const int statuses[] = {0, 1, -1, 127, 255, 256, 0x7fffffff};
	int pid;

	for (int i = 0; i < 70; i++) {
		pid = FORK();
		if (pid == 0)
			exit(statuses[i % NELEM(statuses)]);
		EXPECT_EXIT(pid, statuses[i % NELEM(statuses)]);
	}
	EXPECT_EQ(wait(0), -1);
}

/* Each child leaves one of its own to init, alive or as a zombie. */
void
test_reparent(void)
{
	int pid, me = getpid();

	for (int i = 0; i < 100; i++) {
		pid = FORK();
		if (pid == 0) {
			if (FORK() == 0)
				exit(3);
			exit(4);
		}
		EXPECT_EXIT(pid, 4);
		EXPECT_EQ(wait(0), -1);
	}
	EXPECT_EQ(getpid(), me);
}

void
test_twochildren(void)
{
	for (int i = 0; i < 200; i++) {
		if (FORK() == 0)
			exit(i);
		if (FORK() == 0)
			exit(i);
		EXPECT_EXITS(2, i);
	}
}

void
test_forkfork(void)
{
	enum { PARENTS = 3, EACH = 60 };

	for (int p = 0; p < PARENTS; p++) {
		if (FORK() != 0)
			continue;
		for (int i = 0; i < EACH; i++) {
			if (FORK() == 0)
				exit(p + i);
			EXPECT_EXITS(1, p + i);
		}
		exit(0);
	}
	EXPECT_EXITS(PARENTS, 0);
}

/*
 * Fork twice, and so does each child, until a fork fails; all then stay.
 * The depth is bounded, lest they never end where fork() does not fail.
 */
static void
grow_tree(const int gate[2], int failed, int depth)
{
	int children = 0;

	while (children < 2 && depth > 0) {
		int pid = fork();

		if (pid < 0) {
			say(failed, 'f');
			break;
		}
		children++;
		if (pid == 0) {
			children = 0;
			depth--;
		}
	}
	wait_at(gate);
	exit(0);
}

void
test_forkforkfork(void)
{
	int gate[2], failed[2];

	make_pipe(gate);
	make_pipe(failed);
	if (FORK() == 0) {
		close(gate[1]);
		close(failed[0]);
		grow_tree(gate, failed[1], 10);
	}
	close(failed[1]);
	EXPECT(heard(failed[0], 'f'));
	close(gate[1]);

	/* What is still being born ends too: then no writer is left. */
	while (read(failed[0], scratch, SCRATCH) > 0)
		;
	EXPECT_EXITS(1, 0);
	EXPECT_EQ(wait(0), -1);
}

/* Each forks the next and is gone; the last lets go of the pipe. */
void
test_reparent2(void)
{
	enum { LINES = 4, LENGTH = 40 };
	int p[2], n = 0;

	make_pipe(p);
	for (int i = 0; i < LINES; i++) {
		if (FORK() != 0)
			continue;
		for (int k = 1; k < LENGTH; k++)
			if (FORK() != 0)
				exit(0);
		say(p[1], 'e');
		exit(0);
	}
	close(p[1]);
	while (heard(p[0], 'e'))
		n++;
	EXPECT_EQ(n, LINES);
	EXPECT_EXITS(LINES, 0);
	EXPECT_EQ(wait(0), -1);
}

/* All children live at once: nothing makes room before the gate opens. */
void
test_forktest(void)
{
	enum { TOO_MANY = 1000 };
	int gate[2], n, pid = 0;

	for (int round = 0; round < 2; round++) {
		make_pipe(gate);
		for (n = 0; n < TOO_MANY; n++) {
			pid = fork();
			if (pid < 0)
				break;
			if (pid == 0) {
				wait_at(gate);
				exit(7);
			}
		}
		EXPECT_EQ(pid, -1);
		EXPECT(n > 0 && n < TOO_MANY);
		EXPECT_EQ(fork(), -1);
		close(gate[0]);
		close(gate[1]);
		EXPECT_EXITS(n, 7);
		EXPECT_EQ(wait(0), -1);
	}
}
