/* SPDX-License-Identifier: MIT */
/*
 * audit.c - an account of the whole kernel, taken while it stands still.
 *
 * Everything that the kernel counts, it counts as it goes along; a mistake on
 * some error path makes a count wrong for ever.  The audit counts again, from
 * what there is: it walks every page table, free list, file and inode, notes
 * in frame_notes[] what it finds, and compares.  It trusts no count on its way,
 * and it repairs nothing.
 *
 * Each finding is one line "audit: what: numbers".  What is constant, and
 * only the numbers differ from case to case.
 */
#include "kernel/check/audit.h"
#include "kernel/check/failnth.h"
#include "kernel/check/owner.h"
#include "kernel/check/park.h"
#include "kernel/check/plant.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/trap.h"

enum { LINES_MAX = 40 };

struct frame_note *frame_notes;
static u64 findings;

static const char *const use_names[] = {
	[USE_NONE] = "nothing",
	[USE_FREE] = "free",
	[USE_KERNEL] = "kernel",
	[USE_ROOT] = "root table",
	[USE_MIDDLE] = "middle table",
	[USE_LEAF] = "leaf table",
	[USE_USER] = "user memory",
	[USE_PIPE] = "pipe",
};

void
audit_init(void)
{
	_Static_assert(sizeof(struct frame_note) == PAGE_BOOK, "room for it");
	frame_notes = page_books();
	if (PLANTED(audit))
		plant_init();
}

bool
audit_finding(void)
{
	if (++findings == 1)
		failnth_report();
	return findings <= LINES_MAX;
}

void
audit_owner(const struct page *pg)
{
	if (DEBUG && findings <= LINES_MAX)
		owner_print(pg);
}

bool
frame_count(const struct page *pg, enum frame_use use)
{
	struct frame_note *f = &frame_notes[page_number(pg)];

	f->found++;
	if (f->use == USE_NONE)
		f->use = use;
	if (f->use == use)
		return true;
	audit_report("frame has two uses", "frame %lx, %s and %s", page_pa(pg),
		use_names[f->use], use_names[use]);
	audit_owner(pg);
	return false;
}

void
audit_each_vm(void (*visit)(struct proc *p, struct vm *vm))
{
	for (struct proc *p = procs; p < &procs[NPROC]; p++) {
		if (p->state == PROC_FREE)
			continue;
		for (u64 i = 0; i < ARRAY_SIZE(p->vms); i++)
			if (p->vms[i].root != NULL)
				visit(p, &p->vms[i]);
	}
}

static void (*const checks[])(void) = {
	check_lists,
	check_cache,
	check_tables,
	check_files,
	check_procs,
	check_frames,
};

/* audit(): the number of findings, or -EBUSY. */
i64
sys_audit(const u64 *arg)
{
	int err = park_others();
	i64 result;

	if (err)
		return err;
	findings = 0;
	memset(frame_notes, 0, page_count_total() * sizeof(*frame_notes));
	if (PLANTED(audit))
		plant_spoil();
	for (u64 i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i]();
	if (PLANTED(audit))
		plant_mend();
	if (findings > LINES_MAX)
		printf("audit: and %lu more\n", findings - LINES_MAX);
	result = (i64)findings;
	park_release();
	return result;
}
