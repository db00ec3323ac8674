/* SPDX-License-Identifier: MIT */
/*
 * nomem.c - allocations that fail, one after the other.
 *
 * With k pages left the k-th allocation of a call is the last to succeed, so
 * going through all small k makes each of its allocations fail in turn.
 * The call may fail, and a fault may kill; what must hold is that others see
 * nothing of it, and that every page comes back.  Checks of the first kind
 * are here, the count after each test is the second.
 */
#include "usertests.h"

enum { ARENA = 6 * PGSIZE, STEPS = 24 };

static char *arena;

static void
arena_make(void)
{
	arena = heap_edge(ARENA) - ARENA;
	fill(arena, 0, ARENA, 1);
	make_file("f", ARENA, 2);
}

static void
fork_with(int k)
{
	int status = 0;
	int pid = fork();

	if (pid == 0) {
		stamp(arena, PGSIZE, k);
		exit(3);
	}
	EXPECT(filled(arena, 0, ARENA, 1));
	if (pid < 0)
		return;
	EXPECT_EQ(wait(&status), pid);
	EXPECT(status == 3 || status == -1);
	EXPECT(filled(arena, 0, ARENA, 1));
}

void
test_nomem_fork(void)
{
	arena_make();
	under_pressure(STEPS, fork_with);
	EXPECT(filled(arena, 0, ARENA, 1));
}

static void
store_with(int k)
{
	fill(arena, 0, ARENA, k + 2);
	EXPECT(filled(arena, 0, ARENA, k + 2));
}

void
test_nomem_store(void)
{
	arena_make();
	under_pressure(STEPS, store_with);
	EXPECT(filled(arena, 0, ARENA, 1));
}

/* Of the n bytes at arena + at each is the old one or the new one. */
static int
old_or_new(int at, int n)
{
	for (int i = at; i < at + n; i++)
		if (!filled(arena + i, i, 1, 1) &&
			!filled(arena + i, i - 100, 1, 2))
			return 0;
	return 1;
}

/* What read() says it has read is there, and it is this process's alone. */
static void
copyout_with(int k)
{
	int fd = open("f", O_RDONLY);
	int n;

	if (fd < 0)
		return;
	n = read(fd, arena + 100, ARENA - 200);
	EXPECT(n >= -1 && n <= ARENA - 200);
	if (n > 0)
		EXPECT(filled(arena + 100, 0, n, 2));
	EXPECT(old_or_new(100, ARENA - 200));
	EXPECT(filled(arena, 0, 100, 1));
	EXPECT(filled(arena + ARENA - 100, ARENA - 100, 100, 1));
	close(fd);
}

void
test_nomem_copyout(void)
{
	arena_make();
	under_pressure(STEPS, copyout_with);
	EXPECT(filled(arena, 0, ARENA, 1));
}

static void
calls_with(int k)
{
	char *top = sbrk(0);
	char *grown = sbrk(2 * PGSIZE);
	int *fds = (int *)(arena + 4096 - 4);
	int fd = dup(0);

	/* Memory that sbrk() promised is there, or sbrk() says so. */
	if (grown != SBRK_ERROR) {
		EXPECT(grown == top);
		EXPECT(zeroed(grown, 2 * PGSIZE));
		stamp(grown, 2 * PGSIZE, k);
		EXPECT(stamped(grown, 2 * PGSIZE, k));
		EXPECT(sbrk(-2 * PGSIZE) == top + 2 * PGSIZE);
	}
	EXPECT(sbrk(0) == top);

	close(fd);
	if (pipe(fds) == 0) {
		EXPECT(fds[0] == fd && fds[1] > fd);
		close(fds[0]);
		close(fds[1]);
	}
	EXPECT_EQ(dup(0), fd);
	close(fd);
	if (fork() == 0)
		exit(0);
	wait((int *)(arena + 2 * PGSIZE));
}

void
test_nomem_calls(void)
{
	arena_make();
	under_pressure(STEPS, calls_with);
	EXPECT(filled(arena, 0, ARENA, 1));
}

static void
exec_with(int k)
{
	char *argv[] = {"/echo", "x", 0};

	close(1);
	if (open("out", O_WRONLY) == 1)
		exec("/echo", argv);
}

void
test_execout(void)
{
	arena_make();
	make_file("out", 0, 0);
	under_pressure(40, exec_with);
	EXPECT_EQ(file_size("out"), 2);
}
