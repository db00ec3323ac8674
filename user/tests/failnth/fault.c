/* SPDX-License-Identifier: MIT */
/*
 * fault.c - loads and stores for which there is no page or page table.
 *
 * They work or they kill; there is no third way.  What the process shares
 * with its parent must not change in either case, and the parent looks.
 */
#include "user/tests/failnth/failnth.h"

static int
store(char *at)
{
	*(volatile char *)at = 's';
	return 0;
}

static int
load(const char *at)
{
	return *(volatile const char *)at;
}

/* Store, and see that it reached this page and no other. */
static int
try_store(char *at)
{
	char first = at == page_full(0, 0) ? 's' : 'A';

	TRY(store(at));
	EXPECT(*at == 's');
	EXPECT(*page_full(0, 0) == first);
	EXPECT(*page_full(0, 1) == 'B');
	return WORKED;
}

static int
try_load(const char *at, char want)
{
	EXPECT(TRY(load(at)) == want);
	return WORKED;
}

/* Page and page table are shared. */
static int
store_shared(void)
{
	return try_store(page_full(0, 0));
}

/* The page is shared, the table is not any more. */
static int
store_page(void)
{
	store(page_full(0, 2));
	return try_store(page_full(0, 3));
}

/* The zero page is there, for it has been read. */
static int
store_after_load(void)
{
	load(page_empty(0, 0));
	return try_store(page_empty(0, 0));
}

static int
store_empty(void)
{
	return try_store(page_empty(0, 0));
}

static int
load_empty(void)
{
	return try_load(page_empty(0, 0), 0);
}

/* Promised to the parent, and so to both. */
static int
store_promised(void)
{
	return try_store(page_promised(0, 0));
}

static int
load_promised(void)
{
	return try_load(page_promised(0, 0), 0);
}

/* Promised to this process: no allocation is left to fail. */
static int
store_own_promise(void)
{
	char *mem = sbrk(PGSIZE);

	MUST(mem != SBRK_ERROR);
	return try_store(mem);
}

/* Memory for which there is no middle table yet. */
static char *
far_away(void)
{
	enum { GIB = 1 << 30 };
	char *mem = sbrklazy(GIB);

	MUST(mem != SBRK_ERROR && sbrklazy(GIB) != SBRK_ERROR);
	return mem + GIB;
}

static int
store_far(void)
{
	return try_store(far_away());
}

static int
load_far(void)
{
	return try_load(far_away(), 0);
}

static char zeroes[4 * PGSIZE];

static int
store_bss(void)
{
	return try_store(zeroes + 2 * PGSIZE);
}

static char words[2 * PGSIZE] = "data";

static int
store_data(void)
{
	TRY(store(words));
	EXPECT(words[0] == 's' && words[1] == 'a');
	return WORKED;
}

/* Stores in a row, which the kernel resolves some ahead of. */
enum { ROW = 24 };

static int
store_all(char *at)
{
	for (int i = 0; i < ROW; i++)
		store(at + i * PGSIZE);
	return 0;
}

static int
store_row(void)
{
	char *at = page_empty(1, 0);

	TRY(store_all(at));
	for (int i = 0; i < ROW; i++)
		EXPECT(at[i * PGSIZE] == 's' && at[i * PGSIZE + 1] == 0);
	return WORKED;
}

/* The same over pages with contents, promised ones and empty ones. */
static int
store_mixed_row(void)
{
	char *at = page_full(1, 0);

	TRY(store_all(at));
	for (int i = 0; i < ROW; i++)
		EXPECT(at[i * PGSIZE] == 's');
	return WORKED;
}

/* A new child takes the tables again; the next store takes them back. */
static int
fork_and_store(char *at, int *pid)
{
	*pid = fork();
	if (*pid == 0)
		exit(0);
	return store(at);
}

static int
store_after_fork(void)
{
	int pid = -1;

	store(page_full(0, 0));
	TRY(fork_and_store(page_full(0, 0), &pid));
	EXPECT(*page_full(0, 0) == 's');
	if (pid < 0)
		return FAILED;
	EXPECT(wait(0) == pid);
	return WORKED;
}

const struct scenario fault_scenarios[] = {
	{"store_shared", store_shared, DIES},
	{"store_page", store_page, DIES},
	{"store_after_load", store_after_load, DIES},
	{"store_empty", store_empty, DIES},
	{"load_empty", load_empty, DIES},
	{"store_promised", store_promised, DIES},
	{"load_promised", load_promised, DIES},
	{"store_own_promise", store_own_promise, DIES},
	{"store_far", store_far, DIES},
	{"load_far", load_far, DIES},
	{"store_bss", store_bss, DIES},
	{"store_data", store_data, DIES},
	{"store_row", store_row, DIES},
	{"store_mixed_row", store_mixed_row, DIES},
	{"store_after_fork", store_after_fork, DIES},
	{},
};
