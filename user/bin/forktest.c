/* SPDX-License-Identifier: MIT */
/*
 * forktest - fork until that fails, then wait for every child exactly once.
 *
 * The children exit at once, but nobody waits for them yet, so each keeps
 * its place among the processes.  Whether places or memory end first, fork()
 * has to say so, and everything has to come back.
 */
#include "kernel/types.h"
#include "kernel/param.h"
#include "user/user.h"

static int pids[NPROC];

static int
fail(const char *what, int n)
{
	printf("forktest: FAIL: %s (%d)\n", what, n);
	return 1;
}

/* Cross pid off the list; returns its place, or -1. */
static int
cross_off(int pid, int n)
{
	for (int i = 0; i < n; i++) {
		if (pids[i] != pid)
			continue;
		pids[i] = 0;
		return i;
	}
	return -1;
}

int
main(void)
{
	int n, pid, place, status;

	for (n = 0; n < NPROC; n++) {
		pid = fork();
		if (pid < 0)
			break;
		if (pid == 0)
			exit(n);
		pids[n] = pid;
	}
	if (n == 0)
		return fail("no fork worked", n);
	if (n == NPROC)
		return fail("more forks worked than there are places", n);

	for (int i = 0; i < n; i++) {
		pid = wait(&status);
		if (pid <= 0)
			return fail("children were lost", n - i);
		place = cross_off(pid, n);
		if (place < 0)
			return fail("wait() gave a stranger, or twice", pid);
		if (status != place)
			return fail("wait() gave a wrong status", status);
	}
	if (wait(0) != -1)
		return fail("wait() gave one child too many", n);
	printf("forktest: %d forks\nforktest: OK\n", n);
	return 0;
}
