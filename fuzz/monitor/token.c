/* SPDX-License-Identifier: MIT */
/*
 * token.c - which virtual hart runs.
 *
 * One has the token until it waits for an interrupt, waits for a lock, or
 * has done a step of its program and the rule says that it is another's turn;
 * a request to the disk is a step, too.  The rule: with seed 0 the token goes
 * round after each step; with any other seed a generator that begins with it
 * decides after each step whether the token stays, goes to the next hart, or
 * the time slice is over.  So the order of everything follows from program,
 * harts and seed.
 *
 * Until the snapshot every hart may run, and each comes up to its first wfi
 * in the order of its number; from then on only those that the input asks
 * for.  One that may not run is idle for good: kernels do not count on an
 * idle hart, for whoever wakes it looks for work itself before it idles.
 */
#include "fuzz/monitor/monitor.h"

enum {
	STEP = 100,     /* units of virtual time that a step takes */
	SLICE = 200000, /* more than any time slice */
};

/* Without the monitor's own: it has no part in what a hart is. */
void
token_save(struct vhart *vh)
{
	vh->sstatus = csr_read(sstatus);
	vh->sie = csr_read(sie);
	vh->sip = csr_read(mip) & (IP_SSIP | IP_STIP);
	vh->stvec = csr_read(stvec);
	vh->sscratch = csr_read(sscratch);
	vh->sepc = csr_read(sepc);
	vh->scause = csr_read(scause);
	vh->stval = csr_read(stval);
	vh->satp = csr_read(satp);
	vh->scounteren = csr_read(scounteren);
	if ((vh->sstatus & SSTATUS_FS) != 0)
		fregs_save(&monitor_state.fregs[vh->number]);
}

/*
 * Translations of another address space are dropped by the change of satp, for
 * QEMU knows no address space numbers.
 */
void
token_load(const struct vhart *vh)
{
	if ((vh->sstatus & SSTATUS_FS) != 0) {
		csr_set(sstatus, SSTATUS_FS);
		fregs_load(&monitor_state.fregs[vh->number]);
	}
	csr_write(sstatus, vh->sstatus);
	csr_write(sie, vh->sie);
	csr_clear(mip, IP_SSIP | IP_STIP);
	csr_set(mip, vh->sip);
	csr_write(stvec, vh->stvec);
	csr_write(sscratch, vh->sscratch);
	csr_write(sepc, vh->sepc);
	csr_write(scause, vh->scause);
	csr_write(stval, vh->stval);
	csr_write(satp, vh->satp);
	csr_write(scounteren, vh->scounteren);
}

void
token_boot(u64 pc, u64 satp)
{
	for (u32 i = 0; i < VHARTS_MAX; i++) {
		struct vhart *vh = &monitor_state.vharts[i];

		vh->number = i;
		vh->pc = pc;
		vh->priv = 1;
		vh->satp = satp;
		vh->timecmp = NEVER;
		vh->run = RUN_READY;
		vh->regs[REG_A0] = i;
	}
	monitor_state.booting = 1;
	monitor_state.allowed = VHARTS_MAX;
	token_load(self());
}

/* vh has the token. */
void
timer_update(struct vhart *vh)
{
	if (monitor_state.now >= vh->timecmp)
		csr_set(mip, IP_STIP);
	else
		csr_clear(mip, IP_STIP);
}

static struct vhart *
pass(struct vhart *from, struct vhart *to)
{
	if (from == to)
		return to;
	token_save(from);
	monitor_state.current = to->number;
	to->run = RUN_READY;
	token_load(to);
	timer_update(to);
	trace('H', to->number, 0);
	return to;
}

/* Has a hart that is not running something to do? */
static bool
wanted(const struct vhart *vh)
{
	u64 pending = vh->sip & ~(u64)IP_STIP;

	if (vh->run == RUN_READY)
		return true;
	if (monitor_state.now >= vh->timecmp)
		pending |= IP_STIP;
	return vh->run == RUN_IDLE && (pending & vh->sie) != 0;
}

/* The next hart behind `from` that can run; from itself last, or NULL. */
static struct vhart *
next(struct vhart *from, bool self_too)
{
	for (u32 i = 1; i < VHARTS_MAX + (self_too ? 1 : 0); i++) {
		u32 n = (from->number + i) % VHARTS_MAX;

		if (n < monitor_state.allowed &&
			wanted(&monitor_state.vharts[n]))
			return &monitor_state.vharts[n];
	}
	return 0;
}

/* When the next timer of all harts is due. */
static u64
next_timer(void)
{
	u64 first = NEVER;

	for (u32 i = 0; i < monitor_state.allowed; i++)
		if (monitor_state.vharts[i].timecmp < first)
			first = monitor_state.vharts[i].timecmp;
	return first;
}

struct vhart *
token_idle(struct vhart *vh)
{
	struct vhart *to;

	vh->sip = csr_read(mip) & (IP_SSIP | IP_STIP);
	vh->sie = csr_read(sie);
	vh->run = RUN_IDLE;
	to = next(vh, true);
	while (to == 0) {
		u64 when = next_timer();

		if (when == NEVER)
			ring(EVENT_DEADLOCK);
		if (when > monitor_state.now)
			monitor_state.now = when;
		else /* due, but not enabled: nothing can come of it */
			ring(EVENT_DEADLOCK);
		to = next(vh, true);
	}
	to->run = RUN_READY;
	if (to == vh)
		timer_update(vh);
	return pass(vh, to);
}

struct vhart *
token_offer(struct vhart *vh)
{
	struct vhart *to = next(vh, false);

	return to == 0 ? vh : pass(vh, to);
}

struct vhart *
token_yield(struct vhart *vh)
{
	struct vhart *to = next(vh, false);

	if (to == 0)
		ring(EVENT_DEADLOCK);
	return pass(vh, to);
}

static u64
roll(void)
{
	/* xorshift64 (Marsaglia 2003): never 0, if it was not. */
	u64 x = monitor_state.rng;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	monitor_state.rng = x;
	return x >> 32;
}

struct vhart *
token_step(struct vhart *vh)
{
	u32 luck;

	monitor_state.now += STEP;
	if (monitor_state.rng == 0)
		return token_offer(vh);
	luck = roll() % 8;
	if (luck == 0) {
		monitor_state.now += SLICE;
		timer_update(vh);
	} else if (luck < 4) {
		return token_offer(vh);
	}
	return vh;
}

void
token_ipi(struct vhart *vh, u64 hart)
{
	if (hart == vh->number)
		csr_set(mip, IP_SSIP);
	else if (hart < VHARTS_MAX)
		monitor_state.vharts[hart].sip |= IP_SSIP;
}

bool
token_alone(const struct vhart *vh)
{
	for (u32 i = 0; i < VHARTS_MAX; i++)
		if (i != vh->number && monitor_state.vharts[i].run != RUN_IDLE)
			return false;
	return true;
}
