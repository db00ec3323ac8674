/* SPDX-License-Identifier: MIT */
/*
 * memory.c - memory: the arena, which forks share, and the heap.
 *
 * Some words of each page of the arena follow from the stamp, which tells
 * who wrote them.
 */
#include "user/bin/grind/grind.h"

uint64 arena[ARENA_PAGES][PGSIZE / sizeof(uint64)];
static uint64 arena_stamp;

void
stamp_arena(uint64 stamp)
{
	arena_stamp = stamp;
	for (int page = 0; page < ARENA_PAGES; page++)
		for (int i = page; i < PGSIZE / 8; i += 64)
			arena[page][i] = mix(stamp + page * 512 + i);
}

void
check_arena(const char *who)
{
	for (int page = 0; page < ARENA_PAGES; page++)
		for (int i = page; i < PGSIZE / 8; i += 64)
			expect(who, arena[page][i],
				mix(arena_stamp + page * 512 + i));
}

static void
check_growth(volatile uchar *p, int n)
{
	for (int i = 0; i < n; i += 509)
		expect("byte of new memory", p[i], 0);
	for (int i = 0; i < n; i += 509)
		p[i] = i / 509 + 1;
	for (int i = 0; i < n; i += 509)
		expect("byte of own memory", p[i], (uchar)(i / 509 + 1));
}

void
op_sbrk(void)
{
	char *old = sbrk(0);
	int n = 1 + draw(60000);
	int lazy = draw(2);
	char *p = lazy ? sbrklazy(n) : sbrk(n);

	if (lacks(p == SBRK_ERROR ? -1 : 0))
		return;
	expect("old end of the heap", (long)p, (long)old);
	check_growth((uchar *)p, n);
	expect("shrink", (long)sbrk(-n), (long)old + n);
	expect("end of the heap", (long)sbrk(0), (long)old);
}

/* A store behind the end of the heap, or to text, ends a process. */
void
op_stray(void)
{
	char *above = (char *)PGROUNDUP((uint64)sbrk(0));
	char *target = draw(2) ? above : (char *)&op_stray;
	int pid = fork();

	if (lacks(pid))
		return;
	if (pid == 0) {
		*(volatile char *)target = 1;
		exit(0);
	}
	expect_child(pid, -1);
}
