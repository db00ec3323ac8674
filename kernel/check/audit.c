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
 *
 * It runs when a process asks for it, and at the end of a panic if that met
 * the kernel at rest.
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
static bool running;

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
	/* A panic has told that already. */
	if (++findings == 1 && !panicked)
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
frame_conflict(const struct page *pg, enum frame_use use)
{
	const struct frame_note *f = &frame_notes[page_number(pg)];

	audit_report("frame has two uses", "frame %lx, %s and %s", page_pa(pg),
		use_names[f->use], use_names[use]);
	audit_owner(pg);
	return false;
}

bool
all_zero(const void *at, u64 size)
{
	const u64 *word = at;
	u64 n = size / sizeof(u64), any = 0;

#pragma GCC unroll 16
	for (u64 i = 0; i < n; i++)
		any |= word[i];
	return any == 0;
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
	check_tlbs,
	check_frames,
};

static u64
run_checks(void)
{
	running = true;
	findings = 0;
	memset(frame_notes, 0, page_count_total() * sizeof(*frame_notes));
	for (u64 i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i]();
	if (findings > LINES_MAX)
		printf("audit: and %lu more\n", findings - LINES_MAX);
	running = false;
	return findings;
}

/* audit(): the number of findings, or -EBUSY. */
i64
sys_audit(const u64 *arg)
{
	int err = park_others();
	u64 found;

	if (err)
		return err;
	if (PLANTED(audit))
		plant_spoil();
	found = run_checks();
	if (PLANTED(audit))
		plant_mend();
	park_release();
	return (i64)found;
}

/* ---- after a panic */

/* Says why, if what a hart was doing forbids an audit. */
static bool
hart_forbids(int n, bool at_rest)
{
	const struct hart *h = &harts[n];

	if (h->nheld > 0)
		printf("panic: audit left out: hart %d held %s\n", n,
			h->held[h->nheld - 1]->name);
	else if (h->noff > 0)
		printf("panic: audit left out: hart %d held a lock\n", n);
	else if (!at_rest)
		printf("panic: audit left out: hart %d was not at rest\n", n);
	else
		return false;
	return true;
}

/* The same for the whole kernel. */
static bool
state_forbids(u64 at_rest)
{
	if (frame_notes == NULL || running) {
		printf("panic: audit left out: %s\n",
			running ? "it was running"
				: "the kernel is not set up");
		return true;
	}
	for (int i = 0; i < nharts; i++)
		if (__atomic_load_n(&harts[i].online, __ATOMIC_ACQUIRE) &&
			hart_forbids(i, at_rest & 1UL << i))
			return true;
	for (struct proc *p = procs; p < &procs[NPROC]; p++) {
		if (p->state == PROC_FREE || !p->midway)
			continue;
		printf("panic: audit left out: pid %d (%s) sleeps halfway\n",
			p->pid, p->name);
		return true;
	}
	return false;
}

/*
 * There is no waiting for a better moment, as park_others() does: the harts
 * stay where the panic met them.  So what the audit counts has to be at rest
 * by chance: each hart in user mode, idle or parked, no lock held, no process
 * asleep halfway through a call.  The hart that panicked cannot be at rest:
 * what its process had just then taken or let go of may be found to differ,
 * so the last line names that process.
 *
 * All of it may be broken, or there would be no panic.  Lists are followed
 * only so far, and a fault in here is a panic in a panic, which ends all.
 */
void
audit_panic(u64 at_rest)
{
	const struct proc *p = myproc();
	u64 found;

	if (state_forbids(at_rest | 1UL << hart_id()))
		return;
	found = run_checks();
	if (found == 0)
		printf("panic: audit clean");
	else
		printf("panic: audit found %lu", found);
	if (p != NULL)
		printf(", pid %d (%s) halfway", p->pid, p->name);
	printf("\n");
}
