/* SPDX-License-Identifier: MIT */
/*
 * sbrk.c - memory that cannot be had, or cannot even be given back.
 */
#include "user/tests/failnth/failnth.h"

/* The end of memory is what the answer says, and memory works up to it. */
static int
outcome(char *old, char *got, long n)
{
	char *end = sbrk(0);

	EXPECT(arena_intact());
	if (got == SBRK_ERROR) {
		EXPECT(end == old);
		/* And there is no harm in trying again. */
		EXPECT(sbrk(n) == old);
		EXPECT(sbrk(-n) == old + n);
		return FAILED;
	}
	EXPECT(got == old && end == old + n);
	for (char *p = old; p < end; p += PGSIZE)
		EXPECT(*p == 0);
	return WORKED;
}

static int
try_grow(long n)
{
	char *old = sbrk(0);

	return outcome(old, TRY(sbrk(n)), n);
}

static int
sbrk_page(void)
{
	return try_grow(PGSIZE);
}

/* The first page is in a table that there is already. */
static int
sbrk_more(void)
{
	MUST(sbrk(3 * PGSIZE) != SBRK_ERROR);
	return try_grow(5 * PGSIZE);
}

static int
sbrk_tables(void)
{
	return try_grow(2 * UNIT + PGSIZE);
}

/* Up to and over the end of the first GiB. */
static int
sbrk_gib(void)
{
	uint64 rest = (1 << 30) - (uint64)sbrk(0) - 2 * PGSIZE;

	MUST(sbrklazy(rest) != SBRK_ERROR);
	return try_grow(UNIT);
}

static int
sbrk_lazy(void)
{
	char *old = sbrk(0);

	return outcome(old, TRY(sbrklazy(3 * UNIT)), 3 * UNIT);
}

/* Give back n bytes of the arena, which the parent has too. */
static int
try_shrink(long n, int full_units)
{
	char *old = sbrk(0), *got = TRY(sbrk(-n));

	if (got == SBRK_ERROR) {
		EXPECT(sbrk(0) == old);
		EXPECT(arena_intact());
		EXPECT(sbrk(-n) == old);
		EXPECT(sbrk(0) == old - n);
		return FAILED;
	}
	EXPECT(got == old && sbrk(0) == old - n);
	for (int unit = 0; unit < full_units; unit++)
		EXPECT(*page_full(unit, 0) == 'A' + unit * ARENA_PAGES);
	return WORKED;
}

/* Part of a shared table goes, so it has to be copied first. */
static int
shrink_part(void)
{
	return try_shrink(UNIT - 3 * PGSIZE, ARENA_UNITS);
}

static int
shrink_whole(void)
{
	return try_shrink(UNIT, ARENA_UNITS - 1);
}

static int
shrink_both(void)
{
	return try_shrink(2 * UNIT - 3 * PGSIZE, ARENA_UNITS - 1);
}

/* A table of the process's own needs no copy. */
static int
shrink_own(void)
{
	*(volatile char *)page_full(ARENA_UNITS - 1, 5) = 's';
	*(volatile char *)page_full(ARENA_UNITS - 1, 5) =
		'A' + (ARENA_UNITS - 1) * ARENA_PAGES + 5;
	return try_shrink(UNIT - 3 * PGSIZE, ARENA_UNITS);
}

const struct scenario sbrk_scenarios[] = {
	{"sbrk_page", sbrk_page, 0},
	{"sbrk_more", sbrk_more, 0},
	{"sbrk_tables", sbrk_tables, 0},
	{"sbrk_gib", sbrk_gib, 0},
	{"sbrk_lazy", sbrk_lazy, 0},
	{"shrink_part", shrink_part, 0},
	{"shrink_whole", shrink_whole, 0},
	{"shrink_both", shrink_both, 0},
	{"shrink_own", shrink_own, 0},
	{},
};
