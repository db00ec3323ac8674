/* SPDX-License-Identifier: MIT */
/* calls.c - what shim and executor can ask for. */
#include "fuzz/monitor/monitor.h"
#include "fuzz/monitor/shimcall.h"
#include "fuzz/monitor/usercall.h"

enum { VERSION = 1, PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16 };

#define RAM_START 0x80000000UL

/*
 * user_page: the physical address of a page that the caller can write to, or
 * 0.  Tables are read only where RAM below the monitor is.
 */
static u64
user_page(u64 va)
{
	u64 table = (csr_read(satp) & ((1UL << 44) - 1)) << 12;

	if (va >> 38 != 0)
		return 0;
	for (int level = 2; level >= 0; level--) {
		u64 pte;

		if (table < RAM_START || table >= MONITOR_BASE)
			return 0;
		pte = ((u64 *)table)[va >> (12 + 9 * level) & 511];
		if (!(pte & PTE_V))
			return 0;
		table = (pte >> 10 & ((1UL << 44) - 1)) << 12;
		if (pte & (PTE_R | PTE_W | PTE_X)) {
			if (level != 0 || !(pte & PTE_U) || !(pte & PTE_W) ||
				table < RAM_START || table >= MONITOR_BASE)
				return 0;
			return table;
		}
	}
	return 0;
}

/* The first UC_GET: keep where inputs go, and take the snapshot. */
static u64
get(u64 buffer, u64 size)
{
	struct monitor_state *st = &monitor_state;
	u64 first = 4096 - buffer % 4096;
	u64 pa = user_page(buffer), rest = 0;

	if (!st->booting || st->current != 0 || size == 0 || size > INPUT_MAX ||
		pa == 0)
		return (u64)UC_BAD;
	if (size > first) {
		rest = user_page(buffer + first);
		if (rest == 0)
			return (u64)UC_BAD;
	}
	st->buffer_pa[0] = pa + buffer % 4096;
	st->buffer_pa[1] = rest;
	st->buffer_first = first;
	st->buffer_size = size;
	st->booting = 0;
	seal_devices();
	ring(EVENT_READY);
}

/* The input again, for a process that did not get it; byte by byte, for a
 * page may end anywhere. */
static u64
input(u64 buffer, u64 size)
{
	u64 n = box->input_size < INPUT_MAX ? box->input_size : INPUT_MAX;
	u64 pa = 0;

	if (n > size)
		n = size;
	for (u64 i = 0; i < n; i++, pa++) {
		if (i == 0 || (buffer + i) % 4096 == 0) {
			pa = user_page(buffer + i);
			if (pa == 0)
				return (u64)UC_BAD;
			pa += (buffer + i) % 4096;
		}
		*(u8 *)pa = box->input[i];
	}
	return n;
}

/* A process that will be there at the snapshot. */
static u64
hello(void)
{
	struct monitor_state *st = &monitor_state;

	if (st->booting && st->nspaces < SPACES_MAX)
		st->spaces[st->nspaces++] = csr_read(satp);
	return VERSION;
}

static u64
report(const u64 *arg)
{
	struct mailbox_report *r;

	if (arg[0] == 0 || arg[0] >= NORACLES)
		return (u64)UC_BAD;
	trace('R', (int)arg[1], (u32)arg[0]);
	if (box->nreports >= REPORTS_MAX)
		return 0;
	r = &box->reports[box->nreports++];
	r->oracle = (uint16_t)arg[0];
	r->op = (int16_t)arg[1];
	r->want = arg[2];
	r->got = arg[3];
	return 0;
}

static u64
meet(const u64 *arg)
{
	struct monitor_state *st = &monitor_state;
	u32 waits_for;

	if (arg[0] >= POINTS || arg[2] >= LANES_MAX)
		return (u64)UC_BAD;
	st->arrived[arg[0]] |= 1u << arg[2];
	waits_for = (u32)arg[1] & ~st->left & ((1u << LANES_MAX) - 1);
	trace('M', (int)arg[0], st->arrived[arg[0]]);
	return (waits_for & ~st->arrived[arg[0]]) == 0;
}

struct vhart *
usercall(struct vhart *vh)
{
	u64 *result = &vh->regs[REG_A0];
	const u64 *arg = &vh->regs[REG_A0 + 1];

	switch (*result) {
	case UC_HELLO:
		*result = hello();
		return vh;
	case UC_GET:
		/* First let all harts come up; then ask again. */
		if (monitor_state.booting && !token_alone(vh)) {
			vh->pc -= 4;
			return token_yield(vh);
		}
		*result = get(arg[0], arg[1]);
		return vh;
	case UC_REPORT:
		*result = report(arg);
		return vh;
	case UC_STEP:
		*result = 0;
		trace('S', (int)arg[0], (u32)arg[1]);
		return token_step(vh);
	case UC_MEET:
		*result = meet(arg);
		return vh;
	case UC_INPUT:
		*result = input(arg[0], arg[1]);
		return vh;
	case UC_LEAVE:
		if (arg[0] < LANES_MAX)
			monitor_state.left |= 1u << arg[0];
		*result = 0;
		return vh;
	case UC_DONE:
		box->audit = (i64)arg[0];
		if (box->clock_on)
			box->clock_end = real_time();
		ring(EVENT_DONE);
	}
	*result = (u64)UC_BAD;
	return vh;
}

struct vhart *
shimcall(struct vhart *vh)
{
	u64 *result = &vh->regs[REG_A0];
	u64 arg = vh->regs[REG_A0 + 1];

	switch (vh->regs[REG_A7] == SHIMCALL ? *result : 0) {
	case SHIM_PANIC:
		ring(EVENT_PANIC);
	case SHIM_YIELD:
		return token_yield(vh);
	case SHIM_IPI:
		token_ipi(vh, arg);
		*result = 0;
		return vh;
	case SHIM_DISK:
		*result = 0;
		return monitor_state.booting ? vh : token_step(vh);
	case SHIM_ALONE: /* what an audit begins with */
		if (box->clock_on)
			box->clock_audit = real_time();
		*result = token_alone(vh);
		return vh;
	}
	box->trap_cause = 9; /* an ecall that is none of the shim's */
	box->trap_pc = vh->pc - 4;
	ring(EVENT_TRAP);
}
