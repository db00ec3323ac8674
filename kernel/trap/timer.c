/* SPDX-License-Identifier: MIT */
/*
 * timer.c - time slices, and processes that wait for a time.
 *
 * The time is the time CSR; a tick is a tenth of a second, derived from it.
 * A hart with work has a timer interrupt each slice.  An idle one has none
 * but for the next process that waits to wake: each hart that goes idle arms
 * its timer for that, and the hart that the process left did so too, so at
 * least one timer is set for it.
 */
#include "kernel/check/plant.h"
#include "kernel/check/selftest.h"
#include "kernel/dev/fdt.h"
#include "kernel/lock/spinlock.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/csr.h"
#include "kernel/trap/trap.h"

#define NEVER (~0UL)

static struct {
	struct spinlock lock;
	u64 next; /* [lock; read without] the first time that is waited for */
} waits = {.lock = SPINLOCK(tick, "tick"), .next = NEVER};

static u64 boot_time; /* fixed after boot */

/* Each hart's own. */
static struct {
	u64 when;   /* its timer fires */
	bool slice; /* by the end of a slice that has begun */
} armed[NCPU];

static u64
tick_length(void)
{
	return machine.timebase / TICKS_PER_SECOND;
}

static void
arm(u64 when, bool slice)
{
	armed[hart_id()].when = when;
	armed[hart_id()].slice = slice;
	csr_write(0x14d, when); /* stimecmp; also ends a pending interrupt */
}

/* When this hart has to look up next, with work or idle. */
static u64
next_alarm(bool idle)
{
	if (idle)
		return __atomic_load_n(&waits.next, __ATOMIC_RELAXED);
	return rdtime() + machine.timebase / SLICES_PER_SECOND;
}

void
timer_init_hart(void)
{
	if (boot_time == 0)
		boot_time = rdtime();
	arm(NEVER, false);
}

u64
timer_ticks(void)
{
	return (rdtime() - boot_time) / tick_length();
}

/*
 * Looks at the clock and writes to the timer are dear, so it is only ever set
 * earlier: a process may inherit the rest of another's slice, and an idle
 * hart wakes once for it.
 */
void
timer_arm(bool idle)
{
	bool slice = armed[hart_id()].slice;
	u64 when;

	if (slice && !idle)
		return;
	when = next_alarm(idle);
	if (armed[hart_id()].when > when)
		arm(when, slice || !idle);
}

/* Wake those whose time may have come; they look for themselves. */
static void
wake_waiters(void)
{
	u64 next = __atomic_load_n(&waits.next, __ATOMIC_RELAXED);

	if (next == NEVER || rdtime() < next)
		return;
	acquire(&waits.lock);
	if (rdtime() >= waits.next) {
		__atomic_store_n(&waits.next, NEVER, __ATOMIC_RELAXED);
		wakeup(&waits);
	}
	release(&waits.lock);
}

void
timer_intr(void)
{
	struct hart *h = hart_self();

	wake_waiters();
	h->resched = h->proc != NULL;
	arm(next_alarm(h->proc == NULL), h->proc != NULL);
}

/* pause(n): sleep for n ticks. */
i64
sys_pause(const u64 *arg)
{
	i32 n = (i32)arg[0];
	u64 until = rdtime() + (n > 0 ? (u64)n : 0) * tick_length();
	int err = 0;

	acquire(&waits.lock);
	while (err == 0 && rdtime() < until) {
		if (until < waits.next)
			__atomic_store_n(&waits.next, until, __ATOMIC_RELAXED);
		err = sleep_killable(&waits, &waits.lock);
	}
	release(&waits.lock);
	return err;
}

i64
sys_uptime(const u64 *arg)
{
	if (PLANTED(demand))
		selftest_demand();
	return (i64)timer_ticks();
}
