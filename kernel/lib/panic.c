/* SPDX-License-Identifier: MIT */
/*
 * panic.c - the end of the world, in order.
 *
 * The first hart to exchange `panicked` from 0 is the one that reports; any
 * other that panics then, takes our software interrupt, or waits for a lock,
 * ends in panic_stop().  From that moment no lock is taken for printing.
 *
 * The reports of the harts come one after the other, for print_turn is a
 * lock; but a hart waits for it, and the first one for the others, only for
 * a bounded time: whatever state the kernel is in, it comes to its end.
 *
 * When all have reported, the audit runs if it can (check/audit.c).
 *
 * A panic inside the first hart's report (a fault in the backtrace, say) is
 * told in one line and ends everything at once.
 */
#include "kernel/lib/print.h"

#include "kernel/check/audit.h"
#include "kernel/check/failnth.h"
#include "kernel/check/lockdep.h"
#include "kernel/check/owner.h"
#include "kernel/dev/dev.h"
#include "kernel/dev/fdt.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/csr.h"

enum { NOBODY = -1 };

int panicked;

static int reporter = NOBODY; /* [atomic] the hart that panicked first */
static u32 print_turn;        /* [atomic] 1: a hart prints its report */
static u64 stopping;          /* [atomic] bit n: hart n reports */
static u64 stopped;           /* [atomic] bit n: hart n has done so */
static u64 resting;           /* [atomic] bit n: with nothing half done */

static void __noreturn
halt(void)
{
	intr_off();
	for (;;)
		asm volatile("wfi");
}

/* end: leave QEMU if a script waits for it, else leave the screen as it is. */
static void __noreturn
end(void)
{
	if (bootarg("batch", NULL, 0))
		power_off(1);
	printf("halted: leave QEMU with Ctrl-A X\n");
	halt();
}

/*
 * deadline: the time at which to stop waiting.  A virtual machine's hart may
 * well stand still for a second, where its host is busy.
 */
static u64
deadline(void)
{
	return rdtime() + 4 * machine.timebase;
}

/* take_turn: false if the one whose turn it is does not come to an end. */
static bool
take_turn(void)
{
	u64 until = deadline();

	/* Pairs with the release in pass_turn(). */
	while (__atomic_exchange_n(&print_turn, 1, __ATOMIC_ACQUIRE) != 0) {
		if (rdtime() > until)
			return false;
	}
	return true;
}

static void
pass_turn(void)
{
	__atomic_store_n(&print_turn, 0, __ATOMIC_RELEASE);
}

static void
report_hart(int hart)
{
	const struct proc *p = hart >= 0 && hart < NCPU ? myproc() : NULL;

	if (p != NULL)
		printf("hart %d, pid %d (%s), sp %p\n", hart, p->pid, p->name,
			(void *)r_sp());
	else
		printf("hart %d, no process, sp %p\n", hart, (void *)r_sp());
}

static bool
is_online(int hart)
{
	return __atomic_load_n(&harts[hart].online, __ATOMIC_ACQUIRE) != 0;
}

/* stop_others: also those that do not listen yet: they will find it. */
static void
stop_others(int self)
{
	for (int i = 0; i < machine.nharts; i++) {
		if (i != self)
			ipi_send(i);
	}
}

/* missing: a bit for each hart but self that runs and has not stopped. */
static u64
missing(int self)
{
	u64 harts_left = 0;

	for (int i = 0; i < machine.nharts; i++) {
		if (i != self && is_online(i))
			harts_left |= 1UL << i;
	}
	/* Pairs with the release in panic_stop(). */
	return harts_left & ~__atomic_load_n(&stopped, __ATOMIC_ACQUIRE);
}

/*
 * wait_for_others: until they have reported.  The time starts anew with each
 * that does: printing through a slow terminal is no failure.
 */
static void
wait_for_others(int self)
{
	u64 left = missing(self), until = deadline();

	while (left != 0 && rdtime() <= until) {
		u64 now = missing(self);

		if (now != left)
			until = deadline();
		left = now;
	}
	for (int i = 0; i < machine.nharts; i++) {
		if (left & 1UL << i)
			printf("hart %d does not answer\n", i);
	}
}

void
panic_stop(bool at_rest)
{
	int self = hart_id();
	u64 bit = 1UL << self % 64;
	bool turn;

	intr_off();
	if (__atomic_load_n(&reporter, __ATOMIC_RELAXED) == self) {
		printf("panic in panic: waits for a lock: 0x%x\n", self);
		end();
	}
	/* Back here from its own report: that has failed, do not try again. */
	if (__atomic_fetch_or(&stopping, bit, __ATOMIC_RELAXED) & bit)
		halt();

	turn = take_turn();
	report_hart(self);
	backtrace((u64)__builtin_frame_address(0));
	if (turn)
		pass_turn();
	if (at_rest)
		__atomic_fetch_or(&resting, bit, __ATOMIC_RELAXED);
	/* Pairs with the load in missing(): what we printed is out. */
	__atomic_fetch_or(&stopped, bit, __ATOMIC_RELEASE);
	halt();
}

void
panic(const char *what, unsigned long data)
{
	int self = hart_id();

	intr_off();
	if (__atomic_exchange_n(&panicked, 1, __ATOMIC_SEQ_CST) != 0) {
		if (__atomic_load_n(&reporter, __ATOMIC_RELAXED) != self)
			panic_stop(false);
		printf("panic in panic: %s: 0x%lx\n", what, data);
		end();
	}
	__atomic_store_n(&reporter, self, __ATOMIC_RELAXED);

	/* The others stop now and report when we have passed the turn. */
	__atomic_store_n(&print_turn, 1, __ATOMIC_RELAXED);
	stop_others(self);
	printf("\npanic: %s: 0x%lx (%ld)\n", what, data, (long)data);
	failnth_report();
	report_hart(self);
	backtrace((u64)__builtin_frame_address(0));
	if (LOCKDEP)
		lockdep_explain();
	if (DEBUG)
		owner_explain();
	pass_turn();
	wait_for_others(self);
	/* Not in the middle of the report of one that came late. */
	take_turn();
	audit_panic(__atomic_load_n(&resting, __ATOMIC_RELAXED));
	end();
}
