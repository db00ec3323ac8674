/* SPDX-License-Identifier: MIT */
/*
 * fork.c - fork() that cannot get a process slot or a page table.
 */
#include "user/tests/failnth/failnth.h"

/* fork(), and see that there is a child exactly if it says so. */
static int
try_fork(void)
{
	int status = 0, pid = TRY(fork());

	if (pid == 0)
		exit(arena_intact() ? 7 : 8);
	EXPECT(arena_intact());
	if (pid < 0) {
		EXPECT(wait(0) == -1);
		return FAILED;
	}
	EXPECT(wait(&status) == pid && status == 7);
	EXPECT(wait(0) == -1);
	return WORKED;
}

/* Some pages of several tables; nothing is copied. */
static int
fork_pages(void)
{
	const int bytes = 6 << 20;
	char *mem = sbrk(bytes);

	MUST(mem != SBRK_ERROR);
	for (int i = 0; i < bytes; i += PGSIZE)
		mem[i] = 'm';
	return try_fork();
}

/* Memory that is GiB apart: a middle table for each. */
static int
fork_deep(void)
{
	enum { STEPS = 5, STEP = 1 << 30 };

	for (int i = 0; i < STEPS; i++) {
		char *mem = sbrklazy(STEP);

		MUST(mem != SBRK_ERROR);
		*(volatile char *)mem = 'm';
	}
	return try_fork();
}

/* A child of which a half is promised memory, in a table of its own. */
static int
fork_promised(void)
{
	MUST(sbrk(3 * PGSIZE) != SBRK_ERROR);
	return try_fork();
}

/* All descriptors in use: the child has them too. */
static int
fork_files(void)
{
	while (dup(0) >= 0)
		;
	return try_fork();
}

const struct scenario fork_scenarios[] = {
	{"fork", try_fork, 0},
	{"fork_pages", fork_pages, 0},
	{"fork_deep", fork_deep, 0},
	{"fork_promised", fork_promised, 0},
	{"fork_files", fork_files, 0},
	{},
};
