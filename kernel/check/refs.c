/* SPDX-License-Identifier: MIT */
/*
 * refs.c - the reference count of every frame against what refers to it.
 */
#include "kernel/check/audit.h"
#include "kernel/mm/page.h"
#include "kernel/mm/pagecache.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/proc.h"

enum { MAPPERS_MAX = 4 };

static void
count_cached(struct page *pg)
{
	frame_count(pg, USE_USER);
}

void
check_cache(void)
{
	pagecache_each(count_cached);
}

/* The frame whose mappers are to be printed, and how many have been. */
static const struct page *wanted;
static u32 printed;

struct mapper {
	const struct proc *p;
};

static void
print_if_mapper(struct page *table, int level, uaddr va, void *ctx)
{
	const struct mapper *m = ctx;
	const pte_t *pte = page_kva(table);

	if (level > 0)
		return;
	for (int i = 0; i < PT_ENTRIES; i++, va += PGSIZE) {
		if (pte[i] == 0 || PTE_PA(pte[i]) != page_pa(wanted))
			continue;
		if (printed++ < MAPPERS_MAX)
			printf("audit:   named by pid %d (%s) at %lx, "
			       "entry %lx in table %lx\n",
				m->p->pid, m->p->name, va, pte[i],
				page_pa(table));
	}
}

static void
print_mappers_of(struct proc *p, struct vm *vm)
{
	struct mapper m = {p};

	vm_each_table(vm, print_if_mapper, &m);
}

static void
report_count(const char *what, const struct page *pg)
{
	if (!audit_finding())
		return;
	printf("audit: %s: frame %lx, counted %u, found %u\n", what,
		page_pa(pg), pg->refs, frame_found(pg));
	wanted = pg;
	printed = 0;
	audit_each_vm(print_mappers_of);
	audit_owner(pg);
}

static void
check_frame(const struct page *pg)
{
	u32 found = frame_found(pg);

	switch (frame_use(pg)) {
	case USE_FREE:
		if (pg->refs != 0)
			report_count("free frame has references", pg);
		return;
	case USE_NONE:
		if (pg->refs == 0)
			report_count("frame is neither free nor in use", pg);
		else
			report_count("frame is lost", pg);
		return;
	default:
		if (pg->refs > found)
			report_count("frame is counted too often", pg);
		else if (pg->refs < found)
			report_count("frame is counted too seldom", pg);
	}
}

/* Frames that were never used are free, and often are the most. */
static void
check_unused(u64 from, u64 to)
{
	const struct page *pg = page_at(from);

	if (all_zero(&frame_notes[from], (to - from) * sizeof(*frame_notes)) &&
		all_zero(pg, (to - from) * sizeof(*pg)))
		return;
	for (; pg < page_at(to); pg++) {
		if (frame_use(pg) == USE_NONE && pg->refs == 0)
			continue;
		frame_count(pg, USE_FREE);
		check_frame(pg);
	}
}

/* Most counts are right: see that without a call. */
static bool
is_right(const struct page *pg)
{
	const struct frame_note *f = &frame_notes[page_number(pg)];

	return f->use != USE_NONE &&
	       pg->refs == (f->use == USE_FREE ? 0 : f->found);
}

void
check_frames(void)
{
	u64 used = page_fresh();

	for (const struct page *pg = page_at(0); pg < page_at(used); pg++)
		if (!is_right(pg))
			check_frame(pg);
	check_unused(used, page_count_total());
}
