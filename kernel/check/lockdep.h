/* SPDX-License-Identifier: MIT */
/*
 * lockdep.h - FLAVOR=lockdep: are locks used as they should be?  (The essay
 * is in check/lockdep.c.)  To be called with `if (LOCKDEP)` in front: in other
 * flavours nothing of it is there.
 */
#ifndef KERNEL_CHECK_LOCKDEP_H
#define KERNEL_CHECK_LOCKDEP_H

#include "kernel/lib/base.h"

struct proc;
struct sleeplock;
struct spinlock;

/* Around a spinlock: before waiting for it, and before letting go. */
void lockdep_acquire(const struct spinlock *lk);
void lockdep_release(const struct spinlock *lk);

/*
 * The same for a lock held across sleeps, by the process that runs.  name is
 * of its class (lock/sleepranks.def).  holder: who has it now.
 */
void lockdep_enter(const char *name, const struct proc *holder);
void lockdep_leave(const char *name, const struct proc *holder);

/* lockdep_sleep: about to sleep, which lets go of lk (NULL: of none). */
void lockdep_sleep(const struct spinlock *lk);

/* lockdep_free: the page at kva is about to be freed. */
void lockdep_free(const void *kva);

/* lockdep_intr_on: interrupts are about to be switched on. */
void lockdep_intr_on(void);

/* Around the handler of an interrupt. */
void lockdep_intr_begin(void);
void lockdep_intr_end(void);

/* lockdep_user: about to return to user mode; lockdep_exit: or to exit. */
void lockdep_user(void);
void lockdep_exit(void);

/* lockdep_explain: for panic(): what led to the panic of this hart, if us. */
void lockdep_explain(void);

#endif
