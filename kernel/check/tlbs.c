/* SPDX-License-Identifier: MIT */
/*
 * tlbs.c - can a hart still use a translation that was withdrawn?
 *
 * The TLB cannot be read, so this goes by what is known of it (mm/vm.c): each
 * hart notes whose tables it was on when it last flushed, and how often those
 * had lost a translation by then.  A parked hart may be behind, if it is sure
 * to flush before user mode.
 */
#include "kernel/check/audit.h"
#include "kernel/proc/proc.h"

static void
check_hart(int n)
{
	const struct hart *h = &harts[n];
	const struct vm *vm = h->tlb.vm;
	const struct proc *p = h->proc;

	if (vm == NULL)
		return;
	if (p == NULL || p->vm != vm)
		audit_report("hart is on the tables of another",
			"hart %d, pid %d, vm %lx", n, p == NULL ? 0 : p->pid,
			(u64)vm);
	else if (h->tlb.withdrawn != vm->withdrawn && !vm->stale)
		audit_report("hart may use what was withdrawn",
			"hart %d, pid %d (%s), flushed at %lu, now %lu", n,
			p->pid, p->name, h->tlb.withdrawn, vm->withdrawn);
}

void
check_tlbs(void)
{
	if (!TLB_BOOKS)
		return;
	for (int i = 0; i < nharts; i++)
		check_hart(i);
}
