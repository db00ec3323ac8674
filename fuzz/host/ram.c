/* SPDX-License-Identifier: MIT */
/*
 * ram.c - snapshot and restore of the guest's memory.
 *
 * QEMU keeps it in a file that we map too.  Which pages an input has changed
 * is told by the page tables: QEMU sets the dirty bit of the entry that a
 * store goes through (Privileged Architecture, "Addressing and Memory
 * Protection"), exactly, once the bit was cleared and the TLB flushed.  So:
 *
 *   - At the snapshot every table is found from the satp values.  Entries of
 *     the kernel's that allow stores lose their dirty bit, and all get the
 *     accessed bit, so that the hardware has no reason to write to a table
 *     but to set a dirty bit that we read.
 *   - Pages that user mode can write to, or could after copy-on-write, are put
 *     back every time: the entries through which they are reached come and
 *     go.  They are few.  A frame that user mode gets later was filled by the
 *     kernel first, through an entry of its own.
 *   - After a run each dirty page is copied back.  A table that was itself
 *     stored to may have lost bits: then all that it mapped is.
 *   - A kernel that has failed may have broken its own tables, and stored
 *     through them to what the snapshot's tables do not let it reach: then all
 *     of memory is compared, and any of it may have been run as code.
 *
 * We copy in the host because that is ten times as fast as in the guest.  But
 * QEMU does not see it; what it has translated from a page stays.  That only
 * matters for pages that hold code at the snapshot, and the guest rewrites
 * those (fuzz/monitor/ring.c).
 *
 * All that is read from guest memory is hostile: every address is checked.
 */
#define _GNU_SOURCE
#include "fuzz/host/ram.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PTES = 512, PAGES = RAM_SIZE / RAM_PAGE, KEEP_MAX = 8 };

enum {
	PTE_V = 1 << 0,
	PTE_R = 1 << 1,
	PTE_W = 1 << 2,
	PTE_X = 1 << 3,
	PTE_U = 1 << 4,
	PTE_A = 1 << 6,
	PTE_D = 1 << 7,
};

/* What a page was at the snapshot. */
enum {
	PAGE_TABLE = 1 << 0,  /* a leaf table of the kernel's: in tables[] */
	PAGE_ALWAYS = 1 << 1, /* in always[] */
	PAGE_CODE = 1 << 2,   /* user code */
	PAGE_SEEN = 1 << 3,   /* a table that was walked */
	PAGE_SKIP = 1 << 4,   /* not part of the snapshot */
};

struct range {
	uint64_t at; /* from RAM_BASE */
	uint64_t n;
};

struct ram {
	int fd;
	uint8_t *now;  /* what the guest sees */
	uint8_t *then; /* the snapshot */
	uint8_t flags[PAGES];
	uint32_t *tables;
	unsigned ntables;
	uint32_t *always;
	unsigned nalways;
	struct range keep[KEEP_MAX];
	unsigned nkeep;
	bool all;       /* as ram_restore() was told */
	uint32_t *code; /* where it lists */
	unsigned ncode;
	unsigned max_code;
};

struct ram *
ram_new(char *err, size_t size)
{
	struct ram *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		snprintf(err, size, "out of memory");
		return NULL;
	}
	r->fd = memfd_create("guest-ram", MFD_CLOEXEC);
	r->now = r->then = MAP_FAILED;
	r->tables = calloc(PAGES, sizeof(*r->tables));
	r->always = calloc(PAGES, sizeof(*r->always));
	if (r->fd >= 0 && ftruncate(r->fd, RAM_SIZE) == 0) {
		r->now = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED, r->fd, 0);
		r->then = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	}
	if (r->now == MAP_FAILED || r->then == MAP_FAILED ||
		r->tables == NULL || r->always == NULL) {
		snprintf(err, size, "no memory for the guest: %s",
			strerror(errno));
		ram_free(r);
		return NULL;
	}
	return r;
}

void
ram_free(struct ram *r)
{
	if (r == NULL)
		return;
	if (r->now != MAP_FAILED)
		munmap(r->now, RAM_SIZE);
	if (r->then != MAP_FAILED)
		munmap(r->then, RAM_SIZE);
	if (r->fd >= 0)
		close(r->fd);
	free(r->tables);
	free(r->always);
	free(r);
}

int
ram_fd(const struct ram *r)
{
	return r->fd;
}

void *
ram_at(const struct ram *r, uint64_t pa, size_t n)
{
	if (pa < RAM_BASE || pa - RAM_BASE > RAM_SIZE ||
		n > RAM_SIZE - (pa - RAM_BASE))
		return NULL;
	return r->now + (pa - RAM_BASE);
}

static uint64_t
pte_pa(uint64_t pte)
{
	return (pte >> 10 & ((1UL << 44) - 1)) << 12;
}

/* The page number of a physical address, or -1 if it is not in RAM. */
static long
page_number(uint64_t pa)
{
	if (pa < RAM_BASE || pa - RAM_BASE >= RAM_SIZE)
		return -1;
	return (long)((pa - RAM_BASE) / RAM_PAGE);
}

static uint64_t *
table_at(const struct ram *r, long page)
{
	return (uint64_t *)(r->now + (uint64_t)page * RAM_PAGE);
}

static void
note_always(struct ram *r, long page)
{
	if (r->flags[page] & PAGE_ALWAYS)
		return;
	r->flags[page] |= PAGE_ALWAYS;
	r->always[r->nalways++] = (uint32_t)page;
}

/* One leaf entry at the snapshot. */
static void
note_leaf(struct ram *r, long table, uint64_t *pte)
{
	long page = page_number(pte_pa(*pte));

	*pte |= PTE_A;
	if (*pte & PTE_U) {
		if (*pte & PTE_W)
			*pte |= PTE_D;
		if (page < 0)
			return;
		if (*pte & PTE_X)
			r->flags[page] |= PAGE_CODE;
		if (!(*pte & PTE_X) || (*pte & PTE_W))
			note_always(r, page);
		return;
	}
	if (!(*pte & PTE_W))
		return;
	*pte &= ~(uint64_t)PTE_D;
	if (!(r->flags[table] & PAGE_TABLE)) {
		r->flags[table] |= PAGE_TABLE;
		r->tables[r->ntables++] = (uint32_t)table;
	}
}

/* All tables below one; false if a large page is there. */
static bool
walk_tables(struct ram *r, long table, int level)
{
	uint64_t *pte = table_at(r, table);

	if (r->flags[table] & PAGE_SEEN)
		return true;
	r->flags[table] |= PAGE_SEEN;
	for (int i = 0; i < PTES; i++) {
		long below;

		if (!(pte[i] & PTE_V))
			continue;
		if (level == 0) {
			note_leaf(r, table, &pte[i]);
			continue;
		}
		below = page_number(pte_pa(pte[i]));
		if (pte[i] & (PTE_R | PTE_W | PTE_X)) {
			/* Of devices it may be what it likes. */
			if (below >= 0 && (pte[i] & PTE_W))
				return false;
			continue;
		}
		if (below >= 0 && !walk_tables(r, below, level - 1))
			return false;
	}
	return true;
}

/* Only what the file holds: holes are zero in both. */
static void
copy_file(struct ram *r)
{
	off_t at = 0, end;

	while ((at = lseek(r->fd, at, SEEK_DATA)) >= 0 &&
		at < (off_t)RAM_SIZE) {
		end = lseek(r->fd, at, SEEK_HOLE);
		if (end < 0)
			end = (off_t)RAM_SIZE;
		memcpy(r->then + at, r->now + at, (size_t)(end - at));
		at = end;
	}
}

void
ram_skip(struct ram *r, uint64_t pa, uint64_t n)
{
	for (uint64_t at = pa; at < pa + n; at += RAM_PAGE)
		if (page_number(at) >= 0)
			r->flags[page_number(at)] |= PAGE_SKIP;
}

bool
ram_snapshot(
	struct ram *r, const uint64_t *satp, unsigned n, char *err, size_t size)
{
	for (unsigned i = 0; i < n; i++) {
		long root = page_number((satp[i] & ((1UL << 44) - 1)) << 12);

		if (satp[i] >> 60 != 8 || root < 0) {
			snprintf(err, size,
				"hart %u runs without Sv39 page tables (satp "
				"%lx); the harness needs them to see what is "
				"written",
				i, satp[i]);
			return false;
		}
		if (!walk_tables(r, root, 2)) {
			snprintf(err, size,
				"the kernel maps writable memory with large "
				"pages; the harness needs 4 KiB ones");
			return false;
		}
	}
	copy_file(r);
	return true;
}

void
ram_keep(struct ram *r, uint64_t pa, uint64_t n)
{
	if (r->nkeep < KEEP_MAX && ram_at(r, pa, n) != NULL)
		r->keep[r->nkeep++] =
			(struct range){.at = pa - RAM_BASE, .n = n};
}

static void
list_code(struct ram *r, long page)
{
	if (r->ncode < r->max_code)
		r->code[r->ncode++] = (uint32_t)page;
}

static void
put_back(struct ram *r, long page)
{
	uint64_t at = (uint64_t)page * RAM_PAGE;

	if (r->flags[page] & PAGE_SKIP)
		return;
	if ((r->all || (r->flags[page] & PAGE_CODE)) &&
		memcmp(r->now + at, r->then + at, RAM_PAGE) != 0)
		list_code(r, page);
	memcpy(r->now + at, r->then + at, RAM_PAGE);
}

/* Was the table itself stored to?  Then its bits cannot be trusted. */
static bool
table_spoiled(const struct ram *r, uint32_t table)
{
	const uint64_t *now = table_at(r, table);
	const uint64_t *then =
		(const uint64_t *)(r->then + (uint64_t)table * RAM_PAGE);
	uint64_t differ = 0;

	for (int i = 0; i < PTES; i++)
		differ |= now[i] ^ then[i];
	return (differ & ~(uint64_t)PTE_D) != 0;
}

static void
restore_table(struct ram *r, uint32_t table)
{
	uint64_t *now = table_at(r, table);
	uint64_t *then = (uint64_t *)(r->then + (uint64_t)table * RAM_PAGE);
	bool all = table_spoiled(r, table);

	for (int i = 0; i < PTES; i++) {
		long page;

		if (!(then[i] & PTE_W) || !(then[i] & PTE_V) ||
			(then[i] & PTE_U))
			continue;
		if (!all && !(now[i] & PTE_D))
			continue;
		page = page_number(pte_pa(then[i]));
		if (page >= 0 && !(r->flags[page] & PAGE_TABLE))
			put_back(r, page);
	}
	memcpy(now, then, RAM_PAGE);
}

/* The first difference in a page, from its beginning; or its size. */
static uint64_t
compare_page(const struct ram *r, uint64_t at)
{
	const uint64_t *now = (const uint64_t *)(r->now + at);
	const uint64_t *then = (const uint64_t *)(r->then + at);
	uint64_t mask = 0;

	if (memcmp(now, then, RAM_PAGE) == 0)
		return RAM_PAGE;
	if (r->flags[at / RAM_PAGE] & PAGE_SEEN)
		mask = PTE_A | PTE_D;
	for (unsigned i = 0; i < PTES; i++)
		if (((now[i] ^ then[i]) & ~mask) != 0)
			return 8 * i;
	return RAM_PAGE;
}

/*
 * The first difference in a page from `at` on, which is one's beginning; or
 * RAM_SIZE.  Holes in the file have never been written to.
 */
static uint64_t
next_difference(const struct ram *r, uint64_t at)
{
	off_t from = (off_t)at, end;

	while ((from = lseek(r->fd, from, SEEK_DATA)) >= 0) {
		end = lseek(r->fd, from, SEEK_HOLE);
		for (at = (uint64_t)from; at < (uint64_t)end; at += RAM_PAGE) {
			uint64_t first;

			if (r->flags[at / RAM_PAGE] & PAGE_SKIP)
				continue;
			first = compare_page(r, at);
			if (first != RAM_PAGE)
				return at + first;
		}
		from = end;
	}
	return RAM_SIZE;
}

/* What the tables do not tell of. */
static void
restore_rest(struct ram *r)
{
	uint64_t at = 0;

	while ((at = next_difference(r, at)) != RAM_SIZE) {
		at -= at % RAM_PAGE;
		memcpy(r->now + at, r->then + at, RAM_PAGE);
		list_code(r, (long)(at / RAM_PAGE));
		at += RAM_PAGE;
	}
}

unsigned
ram_restore(struct ram *r, bool all, uint32_t *code, unsigned max)
{
	r->all = all;
	r->code = code;
	r->ncode = 0;
	r->max_code = max;
	for (unsigned i = 0; i < r->ntables; i++)
		restore_table(r, r->tables[i]);
	for (unsigned i = 0; i < r->nalways; i++)
		put_back(r, r->always[i]);
	for (unsigned i = 0; i < r->nkeep; i++)
		memcpy(r->now + r->keep[i].at, r->then + r->keep[i].at,
			r->keep[i].n);
	if (all)
		restore_rest(r);
	return r->ncode;
}

uint64_t
ram_verify(const struct ram *r)
{
	uint64_t at = next_difference(r, 0);

	return at == RAM_SIZE ? 0 : RAM_BASE + at;
}

uint64_t
ram_walk(const struct ram *r, uint64_t satp, uint64_t va)
{
	uint64_t table = (satp & ((1UL << 44) - 1)) << 12;

	if (satp >> 60 != 8)
		return satp >> 60 == 0 ? va : 0;
	for (int level = 2; level >= 0; level--) {
		const uint64_t *pte = ram_at(r, table, RAM_PAGE);
		uint64_t size = 1UL << (12 + 9 * level), entry;

		if (pte == NULL)
			return 0;
		entry = pte[va >> (12 + 9 * level) & (PTES - 1)];
		if (!(entry & PTE_V))
			return 0;
		table = pte_pa(entry);
		if (entry & (PTE_R | PTE_W | PTE_X))
			return table + (va & (size - 1));
	}
	return 0;
}
