/* SPDX-License-Identifier: MIT */
/*
 * memory.c - memory that can be checked.
 *
 * A page is filled for a `who`, a number that stands for its writer, its
 * place, or both.  Every word of it then differs, and differs from the same
 * word of any other who.  So a word that is wrong, old, torn or someone
 * else's is seen as such.
 */
#include "stress.h"

/* The pages of a unit that a span uses: its edges, and some inside. */
static const short site_page[SITES] = {0, 1, 255, 510, 511};

extern char end[]; /* of data and bss; from the linker script */

/* The linker's own name for where the data section begins. */
extern char data_start[] __asm__(".startof..data");

uint64
page_word(uint64 who, int word)
{
	return mix64(who) + (uint64)word * 0x9e3779b97f4a7c15UL;
}

void
page_fill(void *page, uint64 who)
{
	uint64 *w = page;
	uint64 value = page_word(who, 0);

	for (int i = 0; i < WORDS; i++) {
		w[i] = value;
		value += 0x9e3779b97f4a7c15UL;
	}
}

/* page_bad: index of the first wrong word but `except`, or -1 if none is. */
int
page_bad(const void *page, uint64 who, int except)
{
	const volatile uint64 *w = page;
	uint64 value = page_word(who, 0);

	for (int i = 0; i < WORDS; i++) {
		if (w[i] != value && i != except)
			return i;
		value += 0x9e3779b97f4a7c15UL;
	}
	return -1;
}

void
expect_page_at(const char *file, int line, const void *page, uint64 who)
{
	int bad = page_bad(page, who, -1);

	if (bad >= 0)
		verdict_at(FAIL, file, line,
			"page 0x%lx word %d is 0x%lx, should be 0x%lx",
			(uint64)page, bad, ((const uint64 *)page)[bad],
			page_word(who, bad));
}

/* pages_get: fresh heap that starts on a page boundary; eagerly reserved. */
char *
pages_get(int pages)
{
	uint64 now = (uint64)sbrk(0);
	int pad = (int)(PGROUNDUP(now) - now);

	return must_sbrk(pages * PGSIZE + pad) + pad;
}

/*
 * span_make: get address space for whole units, aligned.  Nothing but the
 * sites that are written takes memory.
 */
void
span_make(struct span *s, int units)
{
	uint64 now = (uint64)sbrk(0);
	int pad = (int)((UNIT - now % UNIT) % UNIT);

	s->base = must_lazy(units * UNIT + pad) + pad;
	s->units = units;
}

int
span_sites(const struct span *s)
{
	return s->units * SITES;
}

char *
span_site(const struct span *s, int site)
{
	return s->base + (uint64)(site / SITES) * UNIT +
	       (uint64)site_page[site % SITES] * PGSIZE;
}

void
span_fill(const struct span *s, uint64 who)
{
	for (int i = 0; i < span_sites(s); i++)
		page_fill(span_site(s, i), who + i);
}

void
expect_span_at(const char *file, int line, const struct span *s, uint64 who)
{
	for (int i = 0; i < span_sites(s); i++)
		expect_page_at(file, line, span_site(s, i), who + i);
}

long
pages_free(void)
{
	struct kstat st;

	if (kstat(&st, sizeof(st)) < 0)
		return -1;
	return (long)st.pages_free;
}

static void
rewrite(char *at)
{
	volatile char *p = at;

	*p = *p;
}

/*
 * own_pages: write to every page of data, bss and stack, so that none of
 * them is shared any more.  Until the next fork, a process that has done so
 * needs no memory to go on; one that has not may be killed for the lack of
 * it at any store, and that would be right.
 */
void
own_pages(void)
{
	for (uint64 p = PGROUNDDOWN((uint64)data_start); p < (uint64)end;
		p += PGSIZE)
		rewrite((char *)(p < (uint64)data_start ? (uint64)data_start
							: p));
	rewrite((char *)PGROUNDDOWN(r_sp()));
}
