/* SPDX-License-Identifier: MIT */
/*
 * crash_lockdep.c - locks misused on purpose, in each way that lockdep knows
 * (crashes.def).
 *
 * The locks are nobody else's, of classes that have real ones.  They are
 * taken by one hart, one after the other: no deadlock ever happens.
 */
#include "kernel/check/selftest.h"

#if LOCKDEP
#include "kernel/check/lockdep.h"
#include "kernel/dev/dev.h"
#include "kernel/file/inode.h"
#include "kernel/lock/sleeplock.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/csr.h"
#include "kernel/trap/trap.h"

static struct spinlock early = SPINLOCK(ftable, "early");
static struct spinlock late = SPINLOCK(uart, "late");
static struct spinlock twin = SPINLOCK(uart, "twin");
static struct sleeplock outer, middle, inner;

/* Only a process has sleep locks. */
static struct proc *
become_process(void)
{
	hart_self()->proc = proc_alloc();
	sleeplock_init(&outer, "inode");
	sleeplock_init(&middle, "free inodes");
	sleeplock_init(&inner, "buf");
	return myproc();
}

static void
take_both(struct sleeplock *one, struct sleeplock *two)
{
	sleeplock_acquire(one);
	sleeplock_acquire(two);
	sleeplock_release(two);
	sleeplock_release(one);
}

/* Each order is seen once; first and third are never held together. */
void
crash_inversion(void)
{
	become_process();
	take_both(&outer, &middle);
	take_both(&middle, &inner);
	take_both(&inner, &outer);
}

void
crash_rank(void)
{
	acquire(&late);
	acquire(&early);
}

void
crash_double_acquire(void)
{
	acquire(&early);
	acquire(&early);
}

void
crash_double_sleeplock(void)
{
	become_process();
	sleeplock_acquire(&outer);
	sleeplock_acquire(&outer);
}

void
crash_two_of_a_class(void)
{
	acquire(&late);
	acquire(&twin);
}

void
crash_sleeplocks(void)
{
	static struct sleeplock another;

	become_process();
	sleeplock_init(&another, "free inodes");
	take_both(&middle, &another);
}

void
crash_many_locks(void)
{
	static struct spinlock locks[HELD_MAX + 1];

	for (u32 i = 0; i < ARRAY_SIZE(locks); i++) {
		spin_init(&locks[i], RANK_none + 1 + i, "many");
		acquire(&locks[i]);
	}
}

void
crash_not_a_lock(void)
{
	static struct spinlock nothing;

	acquire(&nothing);
}

void
crash_no_class(void)
{
	become_process();
	sleeplock_init(&outer, "unheard of");
	sleeplock_acquire(&outer);
}

void
crash_no_process(void)
{
	log_begin();
}

void
crash_sleep_with_lock(void)
{
	become_process();
	acquire(&early);
	acquire(&late);
	sleep(&late, &late);
}

void
crash_sleeplock_with_lock(void)
{
	become_process();
	acquire(&early);
	sleeplock_acquire(&outer);
}

void
crash_release_elsewhere(void)
{
	acquire(&early);
	/* Go on as another hart would, with registers of its own. */
	asm volatile("mv tp, %0" ::"r"(NCPU - 1) : "memory");
	release(&early);
}

void
crash_release_free(void)
{
	release(&early);
}

void
crash_release_process(void)
{
	become_process();
	sleeplock_acquire(&outer);
	hart_self()->proc = proc_alloc();
	sleeplock_release(&outer);
}

void
crash_free_with_lock(void)
{
	struct spinlock *lk = kalloc();

	spin_init(lk, RANK_pipe, "pipe");
	acquire(lk);
	kfree(lk);
}

void
crash_lock_at_user_return(void)
{
	struct proc *p = become_process();

	acquire(&early);
	user_return(p->tf);
}

void
crash_sleeplock_at_user(void)
{
	struct proc *p = become_process();

	sleeplock_acquire(&outer);
	user_return(p->tf);
}

void
crash_sleeplock_at_exit(void)
{
	become_process();
	sleeplock_acquire(&outer);
	lockdep_exit();
}

/* ---- interrupts: these have the marks of a handler, but are none */

void
crash_irq_lock(void)
{
	lockdep_intr_begin();
	acquire(&late);
	release(&late);
	lockdep_intr_end();
	acquire(&late);
	intr_on();
}

void
crash_irq_on(void)
{
	acquire(&early);
	intr_on();
}

void
crash_irq_at_release(void)
{
	acquire(&early);
	csr_clear(sie, ~0UL); /* none must come before that */
	csr_set(sstatus, SSTATUS_SIE);
	release(&early);
}

/* A real one. */
void
crash_irq_comes(void)
{
	acquire(&early);
	csr_set(sstatus, SSTATUS_SIE);
	ipi_send(hart_id());
	for (;;)
		;
}

void
crash_irq_keeps(void)
{
	lockdep_intr_begin();
	acquire(&late);
	lockdep_intr_end();
}

void
crash_irq_sleeps(void)
{
	become_process();
	lockdep_intr_begin();
	sleep(&late, &late);
}

void
crash_irq_allocates(void)
{
	lockdep_intr_begin();
	kfree(kalloc());
}
#endif
