/* SPDX-License-Identifier: MIT */
/*
 * calls.c - the other system calls.  Most allocate nothing, and a fault that
 * waits for them is never injected.
 */
#include "user/tests/failnth/failnth.h"

static int
call_pipe(void)
{
	int *fds = (int *)box, got = TRY(pipe(fds));

	if (got < 0) {
		EXPECT(fd_is_next(3));
		return FAILED;
	}
	EXPECT(fds[0] == 3 && fds[1] == 4);
	return WORKED;
}

static int
call_pipe_io(void)
{
	int fds[2];

	MUST(pipe(fds) == 0);
	EXPECT(TRY(write(fds[1], "text", 4)) == 4);
	EXPECT(TRY(read(fds[0], box, 10)) == 4);
	EXPECT(TRY(close(fds[1])) == 0);
	EXPECT(TRY(read(fds[0], box, 10)) == 0);
	return WORKED;
}

static int
call_dup(void)
{
	EXPECT(TRY(dup(0)) == 3);
	EXPECT(TRY(close(3)) == 0);
	return WORKED;
}

static int
call_wait(void)
{
	int *status = (int *)box, pid = fork();

	MUST(pid >= 0);
	if (pid == 0)
		exit(5);
	EXPECT(TRY(wait(status)) == pid && *status == 5);
	EXPECT(TRY(wait(status)) == -1);
	return WORKED;
}

/* The child waits for ever, for a pipe that nobody writes to. */
static int
call_kill(void)
{
	int fds[2], status = 0, pid;

	MUST(pipe(fds) == 0);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		read(fds[0], box, 1);
		exit(1);
	}
	EXPECT(TRY(kill(pid)) == 0);
	EXPECT(wait(&status) == pid && status == -1);
	return WORKED;
}

static int
call_simple(void)
{
	EXPECT(TRY(getpid()) > 1);
	EXPECT(TRY(uptime()) >= 0);
	EXPECT(TRY(sleep(0)) == 0);
	EXPECT(TRY(write(1, "", 0)) == 0);
	return WORKED;
}

static int
call_own(void)
{
	struct kstat *st = (struct kstat *)box;

	EXPECT(TRY(kstat(st, sizeof(*st))) == 0);
	EXPECT(TRY(quiesce()) == 0);
	EXPECT(TRY(bootargs(box, sizeof(box))) >= 0);
	EXPECT(TRY(audit()) == 0);
	return WORKED;
}

const struct scenario call_scenarios[] = {
	{"pipe", call_pipe, 0},
	{"pipe_io", call_pipe_io, 0},
	{"dup", call_dup, 0},
	{"wait", call_wait, 0},
	{"kill", call_kill, 0},
	{"simple_calls", call_simple, 0},
	{"own_calls", call_own, 0},
	{},
};
