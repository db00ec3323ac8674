/* SPDX-License-Identifier: MIT */
/*
 * spinlock.c - spinlocks.
 *
 * A test-and-set word.  A hart that holds any has its interrupts off: an
 * interrupt handler that wanted the same lock would otherwise wait for the
 * code that it interrupted.
 *
 * Each hart keeps the list of locks it holds, which serves two checks: no
 * lock is taken against the order of ranks.def, and none is taken twice.
 */
#include "kernel/check/lockdep.h"
#include "kernel/lock/spinlock.h"
#include "kernel/proc/hart.h"
#include "kernel/trap/csr.h"

void
spin_init(struct spinlock *lk, enum lock_rank rank, const char *name)
{
	*lk = (struct spinlock){.rank = rank, .name = name};
}

bool
holding(const struct spinlock *lk)
{
	return __atomic_load_n(&lk->locked, __ATOMIC_RELAXED) != 0 &&
	       lk->holder == hart_self();
}

/* Panics if the order of ranks.def forbids taking lk now. */
static void
check_rank(const struct hart *h, const struct spinlock *lk)
{
	for (u32 i = 0; i < h->nheld; i++) {
		if (h->held[i]->rank < lk->rank)
			continue;
		printf("acquire: %s while holding %s\n", lk->name,
			h->held[i]->name);
		panic("acquire: lock order", lk->rank);
	}
	if (h->nheld == HELD_MAX)
		panic("acquire: too many locks held", h->nheld);
}

/* Most often it is the last one taken.  A panic does not keep the list. */
static void
forget_held(struct hart *h, const struct spinlock *lk)
{
	for (u32 i = h->nheld; i-- > 0;) {
		if (h->held[i] != lk)
			continue;
		h->held[i] = h->held[--h->nheld];
		return;
	}
	panic("release: lock not held by this hart", lk->rank);
}

/* Wait until the lock looks free, without writing to its cache line. */
static void
spin(const struct spinlock *lk)
{
	while (__atomic_load_n(&lk->locked, __ATOMIC_RELAXED) != 0) {
		if (__builtin_expect(panicked, 0))
			panic_stop(false);
		asm volatile(".insn 0x0100000f"); /* pause (Zihintpause) */
	}
}

void
acquire(struct spinlock *lk)
{
	struct hart *h;

	push_off();
	h = hart_self();
	if (LOCKDEP)
		lockdep_acquire(lk);
	if (!RELEASE && !panicked)
		check_rank(h, lk);
	/* Acquire pairs with the release in release(). */
	while (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE) != 0)
		spin(lk);
	lk->holder = h;
	if (!RELEASE && !panicked)
		h->held[h->nheld++] = lk;
}

void
release(struct spinlock *lk)
{
	struct hart *h = hart_self();

	if (LOCKDEP)
		lockdep_release(lk);
	if (!RELEASE && !panicked)
		forget_held(h, lk);
	lk->holder = NULL;
	__atomic_store_n(&lk->locked, 0, __ATOMIC_RELEASE);
	pop_off();
}
