/* SPDX-License-Identifier: MIT */
/*
 * hart.h - what each hart has for itself.
 *
 * tp holds the hart's number in the kernel.  The kernel is not preempted: a
 * hart changes under a function's feet only where that function sleeps.
 */
#ifndef KERNEL_PROC_HART_H
#define KERNEL_PROC_HART_H

#include "kernel/lib/base.h"
#include "kernel/mm/stat.h"
#include "kernel/riscv.h"

/* What swtch() keeps: the registers that a function call preserves. */
struct context {
	u64 ra;
	u64 sp;
	u64 s[12];
};

enum { HELD_MAX = 8 };

/*
 * All fields belong to the hart itself, with interrupts off where an
 * interrupt uses them too, but:
 *   [a] atomic
 */
struct hart {
	struct proc *proc;  /* the process it runs, or NULL */
	struct context ctx; /* of its scheduler() */
	int noff;           /* push_off() depth */
	bool intena;        /* interrupts were on at the first push_off() */
	u32 nheld;          /* spinlocks held */
	struct spinlock *held[HELD_MAX];
	bool kick;             /* wake an idle hart before user mode */
	bool resched;          /* the time slice is over */
	u32 online;            /* [a] it has reached the scheduler */
	struct {               /* TLB_BOOKS: at the last flush */
		struct vm *vm; /* the tables it was on; NULL: the kernel's */
		u64 withdrawn; /* their count then */
	} tlb;
	struct mm_stat stat; /* counters; others read them torn-free */
} __aligned(64);

extern struct hart harts[NCPU];
extern int nharts; /* found in the device tree; fixed at boot */

static inline int
hart_id(void)
{
	return (int)r_tp();
}

static inline struct hart *
hart_self(void)
{
	return &harts[hart_id()];
}

/* myproc: the process this hart runs, or NULL in the scheduler. */
static inline struct proc *
myproc(void)
{
	return hart_self()->proc;
}

#endif
