/* SPDX-License-Identifier: MIT */
/*
 * park.c - a rendezvous of all harts, for the audit.
 *
 * Who wants the machine to itself announces it and interrupts the others.
 * They come to park_point(): from user mode by the interrupt; from a system
 * call when it ends or sleeps; from waiting for a spinlock once they got it
 * and are done with it.  None of them is made to wait with a lock held, so
 * nobody waits for a parked hart and the rendezvous cannot deadlock.
 *
 * A process that sleeps for the disk, a lock or the log is halfway through
 * something: proc.midway says so until it runs again.  If there is any, all
 * go on for a moment and the rendezvous is tried again.
 *
 * owner and parked are the whole protocol, sequentially consistent: a hart
 * sets its bit in parked and runs on only once it has cleared the bit and,
 * after that, seen no owner; an owner looks at the bits after it has become
 * owner.  So a bit that a new owner finds, left over from the last one, is as
 * good as a fresh one: its hart sees the new owner before it runs on.
 */
#include "kernel/check/park.h"
#include "kernel/check/plant.h"
#include "kernel/dev/dev.h"
#include "kernel/dev/fdt.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/csr.h"

enum { NOBODY = 0, TRIES = 2000 };

static u32 owner;  /* atomic: 1 + the hart that wants the others parked */
static u32 parked; /* atomic: a bit for each hart at its park_point() */

/*
 * Until there is no owner.  The owner's interrupt ends wfi, though it is not
 * taken; it is cleared before the owner is looked at, so none is missed.  What
 * else it may have meant is seen to by those who called park_point().
 */
static void
rest(void)
{
	for (;;) {
		csr_clear(sip, INT_SSOFT);
		if (__atomic_load_n(&owner, __ATOMIC_SEQ_CST) == NOBODY)
			return;
		if (panicked)
			panic_stop(true);
		asm volatile("wfi" ::: "memory");
	}
}

void
park_point(void)
{
	u32 me = 1u << hart_id();

	if (MISTAKEN(hart_deaf))
		return;
	/* Without a bit nobody counts on us: late news is good enough. */
	if (__atomic_load_n(&owner, __ATOMIC_RELAXED) == NOBODY)
		return;
	while (__atomic_load_n(&owner, __ATOMIC_SEQ_CST) != NOBODY) {
		__atomic_fetch_or(&parked, me, __ATOMIC_SEQ_CST);
		rest();
		__atomic_fetch_and(&parked, ~me, __ATOMIC_SEQ_CST);
	}
}

bool
park_wanted(void)
{
	return __atomic_load_n(&owner, __ATOMIC_RELAXED) != NOBODY;
}

static u32
others(void)
{
	return ((1u << nharts) - 1) & ~(1u << hart_id());
}

/* Become the owner; while another is, be parked for it. */
static void
claim(void)
{
	u32 nobody = NOBODY;

	while (!__atomic_compare_exchange_n(&owner, &nobody, 1 + hart_id(),
		false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		nobody = NOBODY;
		park_point();
	}
}

static void
interrupt_others(void)
{
	for (int i = 0; i < nharts; i++)
		if (i != hart_id())
			ipi_send(i);
}

/* Wait for all harts; ten seconds without one mean that it hangs. */
static bool
gather(void)
{
	u64 end = rdtime() + 10 * machine.timebase;

	interrupt_others();
	while ((__atomic_load_n(&parked, __ATOMIC_SEQ_CST) & others()) !=
		others()) {
		if (panicked)
			panic_stop(false);
		if (rdtime() > end)
			return false;
	}
	return true;
}

bool
park_midway(void)
{
	for (struct proc *p = procs; p < &procs[NPROC]; p++)
		if (p->state != PROC_FREE && p->midway)
			return true;
	return false;
}

int
park_others(void)
{
	for (int i = 0; i < TRIES; i++) {
		intr_off();
		claim();
		if (!gather()) {
			printf("park: hart missing, parked %x of %x\n", parked,
				others());
			park_release();
			return -EBUSY;
		}
		if (!park_midway())
			return 0;
		park_release();
		yield();
	}
	return -EBUSY;
}

void
park_release(void)
{
	__atomic_store_n(&owner, NOBODY, __ATOMIC_SEQ_CST);
	interrupt_others();
	intr_on();
}
