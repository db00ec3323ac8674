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

void
check_frames(void)
{
	for (u64 i = 0; i < page_count_total(); i++)
		check_frame(page_at(i));
}
