/* SPDX-License-Identifier: MIT */
/*
 * setting.c - what scenarios start from, and look at in the end.
 */
#include "user/tests/failnth/failnth.h"

char *arena;
char box[2 * PGSIZE] __attribute__((aligned(PGSIZE)));

void
expect_failed(const char *file, int line, const char *what, int status)
{
	printf("failnth: %s:%d: expected %s\n", file, line, what);
	exit(status);
}

/* The stack and the box; nothing else is stored to in a TRY(). */
void
own_pages(void)
{
	volatile char on_stack;

	for (uint i = 0; i < sizeof(box); i += PGSIZE) {
		on_stack = box[i];
		*(volatile char *)&box[i] = on_stack;
	}
}

/* ---- the arena */

char *
page_full(int unit, int i)
{
	return arena + (uint64)unit * UNIT + i * PGSIZE;
}

char *
page_promised(int unit, int i)
{
	return page_full(unit, ARENA_PAGES + i);
}

char *
page_empty(int unit, int i)
{
	return page_full(unit, 2 * ARENA_PAGES + i);
}

static char
mark_of(int unit, int i)
{
	return 'A' + unit * ARENA_PAGES + i;
}

void
arena_make(void)
{
	const int promised = 2 * ARENA_PAGES * PGSIZE;

	arena = sbrk(0);
	MUST((uint64)arena % UNIT == 0);
	for (int unit = 0; unit < ARENA_UNITS; unit++) {
		MUST(sbrk(promised) != SBRK_ERROR);
		MUST(sbrklazy(UNIT - promised) != SBRK_ERROR);
		/* Backwards, for else the kernel would resolve some ahead. */
		for (int i = ARENA_PAGES - 1; i >= 0; i--)
			memset(page_full(unit, i), mark_of(unit, i), PGSIZE);
	}
}

int
arena_intact(void)
{
	for (int unit = 0; unit < ARENA_UNITS; unit++)
		for (int i = 0; i < ARENA_PAGES; i++) {
			const char *page = page_full(unit, i);

			if (page[0] != mark_of(unit, i) ||
				page[PGSIZE / 2] != mark_of(unit, i) ||
				page[PGSIZE - 1] != mark_of(unit, i))
				return 0;
		}
	return 1;
}

/* ---- files */

void
file_make(int size, char c)
{
	int fd = open(FILE_A, O_CREATE | O_TRUNC | O_RDWR);

	MUST(fd >= 0);
	memset(box, c, sizeof(box));
	while (size > 0) {
		int n = size < (int)sizeof(box) ? size : (int)sizeof(box);

		MUST(write(fd, box, n) == n);
		size -= n;
	}
	MUST(close(fd) == 0);
}

int
file_has(int size, int n, char c)
{
	struct stat st;
	int fd = open(FILE_A, O_RDONLY), ok = 1, got = 1;

	MUST(fd >= 0);
	MUST(fstat(fd, &st) == 0);
	ok = st.size == (uint64)size;
	while (ok && n > 0 && got > 0) {
		got = read(fd, box, sizeof(box));
		for (int i = 0; i < got && i < n; i++)
			ok &= box[i] == c;
		n -= got;
	}
	close(fd);
	return ok && n <= 0;
}

int
fd_is_next(int fd)
{
	int got = dup(0);

	if (got >= 0)
		close(got);
	return got == fd;
}
