/* SPDX-License-Identifier: MIT */
/*
 * child.c - starting processes, releasing them together, and judging how
 * they ended.
 *
 * Processes share no memory, so they meet at pipes.  A gate is a pipe that
 * nobody writes to: a child closes its write end and reads; when the parent
 * and all who got the write end by fork have closed it, every reader sees
 * the end of the file at once.  So a gate also is a barrier: it opens only
 * when the last child has come to it.  It works the other way round just as
 * well: children that open it, each when it is ready, let the parent go on that
 * waits.
 *
 * Where that is not tight enough, tick_wait() makes processes spin on the
 * clock and go within a system call's time of each other.
 */
#include "stress.h"

/* Not on the stack: wait() must be able to write it when memory is out. */
static int wait_status;

/*
 * spawn: start a child with random numbers of its own that runs fn(index)
 * and reports its operations.  Returns its pid.
 */
int
spawn(void (*fn)(int), int index)
{
	int pid = must_fork();

	if (pid > 0)
		return pid;
	run.top = 0;
	run.ops = 0;
	stream_fork(index);
	fn(index);
	leave();
}

/* reap_one: wait for any child; return its pid, and how it ended. */
int
reap_one(int *status)
{
	int pid = wait(&wait_status);

	*status = wait_status;
	return pid;
}

/*
 * judge: what a child's exit status means for us.  Adds its operations;
 * returns 1 if it was killed and may be, else 0.  Does not return if it
 * failed, or was killed and may not be.
 */
int
judge(int status, int how)
{
	if (status >= OPS_BASE) {
		run.ops += status - OPS_BASE;
		if (run.ops > OPS_MAX)
			run.ops = OPS_MAX;
		return 0;
	}
	if (status == -1 && (how & MAY_DIE))
		return 1;
	EXPECT(status != -1, "a child was killed");
	if (status == FAIL || status == BROKEN || status == SKIPPED)
		exit(status); /* it has said why */
	EXPECT(0, "a child ended with %d, which no child returns", status);
	return 0;
}

/* reap: wait for n children and judge them; returns how many were killed. */
int
reap(int n, int how)
{
	int killed = 0;

	for (; n > 0; n--) {
		int status;
		int pid = reap_one(&status);

		EXPECT(pid > 0, "wait returned %d with %d children left", pid,
			n);
		killed += judge(status, how);
	}
	return killed;
}

/*
 * dies: run fn(arg) in a child; was it killed?  The caller must have no
 * other children.
 */
int
dies(void (*fn)(int), int arg)
{
	int pid = spawn(fn, arg);
	int status;
	int got = reap_one(&status);

	EXPECT(got == pid, "wait returned %d, the only child is %d", got, pid);
	return judge(status, MAY_DIE);
}

void
gate_make(struct gate *g)
{
	must_pipe(g->fd);
}

/* gate_wait: called by a child; returns when the gate opens. */
void
gate_wait(struct gate *g)
{
	char c;

	close(g->fd[1]);
	EXPECT(read(g->fd[0], &c, 1) == 0, "a byte came out of a gate");
	close(g->fd[0]);
}

/* gate_open: called by whoever made the gate, after the last child. */
void
gate_open(struct gate *g)
{
	close(g->fd[0]);
	close(g->fd[1]);
}

void
tick_wait(int tick)
{
	while (uptime() - tick < 0)
		;
}

/*
 * herd: run fn(0) to fn(n - 1) in n children, all released at once, and
 * reap them.  A child and its own children are procs_each processes; if n
 * times that is more than there is room for, n is less.  Returns n.
 */
int
herd(int n, int procs_each, void (*fn)(int))
{
	struct gate start;

	n = room(n, procs_each);
	gate_make(&start);
	for (int i = 0; i < n; i++) {
		if (must_fork() > 0)
			continue;
		run.top = 0;
		run.ops = 0;
		stream_fork(i);
		gate_wait(&start);
		fn(i);
		leave();
	}
	gate_open(&start);
	reap(n, 0);
	return n;
}

/*
 * wait_eof: read fd until everybody who could write has gone.  This is how
 * to outlive grandchildren, which cannot be waited for.
 */
void
wait_eof(int fd)
{
	char c;

	while (read(fd, &c, 1) > 0)
		;
}

/*
 * room: how many of want groups of procs_each processes fit; leaves a quarter
 * of the free pages, and process slots for others.
 */
int
room(int want, int procs_each)
{
	struct kstat st;
	long slots, fit;

	must_kstat(&st);
	fit = (long)st.pages_free * 3 / 4 / (ROOM_PER_CHILD * procs_each);
	slots = (NPROC - 24 - (long)st.procs) / procs_each;
	if (fit > slots)
		fit = slots;
	if (fit > want)
		fit = want;
	return fit < 1 ? 1 : (int)fit;
}
