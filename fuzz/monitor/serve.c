/* SPDX-License-Identifier: MIT */
/*
 * serve.c - every trap that comes to machine mode, and how the machine is
 * set up so that no others do.
 *
 * Delegated to the kernel: what it serves on real hardware.  Kept here: what
 * would show it the real machine (time, idling), the calls of shim and
 * executor, and what touches memory that is not the kernel's.
 */
#include "fuzz/monitor/monitor.h"
#include "fuzz/monitor/shimcall.h"
#include "fuzz/monitor/usercall.h"

enum {
	CAUSE_FETCH_ACCESS = 1,
	CAUSE_ILLEGAL = 2,
	CAUSE_BREAK = 3,
	CAUSE_LOAD_ACCESS = 5,
	CAUSE_STORE_ACCESS = 7,
	CAUSE_ECALL_S = 9,
};

#define CAUSE_INTERRUPT (1UL << 63)
#define CAUSE_MTIMER    (CAUSE_INTERRUPT | 7)

/* The CLINT of QEMU's virt machine (hw/riscv/virt.c). */
#define MTIMECMP ((volatile u64 *)0x02004000)
#define MTIME    ((volatile u64 *)0x0200bff8)

/* Physical memory protection: naturally aligned ranges (NAPOT). */
#define PMP(entry, rights) ((0x18UL | (rights)) << 8 * (entry))
enum { PMP_NONE = 0, PMP_ALL = 7 };
#define DEVICES_END 0x80000000

/* How often the host's `cancel` is looked at: 2 ms of the 10 MHz clock. */
enum { TICK = 20000 };

struct mailbox *box;

void
reflect(struct vhart *vh, u64 cause, u64 value)
{
	u64 status = csr_read(sstatus);
	u64 sie = status & SSTATUS_SIE;

	csr_write(sepc, vh->pc);
	csr_write(scause, cause);
	csr_write(stval, value);
	status &= ~(u64)(SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP);
	status |= sie ? SSTATUS_SPIE : 0;
	status |= vh->priv ? SSTATUS_SPP : 0;
	csr_write(sstatus, status);
	vh->pc = csr_read(stvec) & ~3UL;
	vh->priv = 1;
}

u64
real_time(void)
{
	return *MTIME;
}

static void
stop_at_trap(struct vhart *vh, u64 cause, enum mailbox_event event)
{
	box->trap_cause = cause;
	box->trap_value = csr_read(mtval);
	box->trap_pc = vh->pc;
	ring(event);
}

/* The host's clock has found that this takes too long; or nothing has. */
static void
tick(void)
{
	*MTIMECMP = *MTIME + TICK;
	if (box->cancel)
		ring(EVENT_CANCEL);
}

static struct vhart *
serve(struct vhart *vh, u64 cause)
{
	struct vhart *to;
	u32 insn;

	switch (cause) {
	case CAUSE_MTIMER:
		tick();
		return vh;
	case CAUSE_ECALL_S:
		vh->pc += 4;
		return shimcall(vh);
	case CAUSE_BREAK:
		if (vh->priv == 0 && vh->regs[REG_A7] == USERCALL) {
			/* The executor's is never compressed. */
			vh->pc += 4;
			return usercall(vh);
		}
		reflect(vh, cause, vh->pc);
		return vh;
	case CAUSE_ILLEGAL:
		insn = (u32)csr_read(mtval);
		if (vh->priv == 1 && insn == 0x10500073) { /* wfi */
			vh->pc += 4;
			return token_idle(vh);
		}
		to = emulate(vh, insn);
		if (to != 0)
			return to;
		reflect(vh, cause, insn);
		return vh;
	case CAUSE_FETCH_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		stop_at_trap(vh, cause, EVENT_PROTECT);
		return vh;
	}
	stop_at_trap(vh, cause, EVENT_TRAP);
	return vh;
}

/* Go on as vh says; writes to mstatus are dear where MPP changes. */
static struct vhart *
leave(struct vhart *vh)
{
	u64 status = csr_read(mstatus);

	csr_write(mepc, vh->pc);
	if ((status >> MSTATUS_MPP_SHIFT & 3) != vh->priv)
		csr_write(mstatus, (status & ~(3UL << MSTATUS_MPP_SHIFT)) |
					   vh->priv << MSTATUS_MPP_SHIFT);
	return vh;
}

/* Called by entry.S for each trap; returns the hart that goes on. */
struct vhart *monitor_serve(struct vhart *vh);
struct vhart *
monitor_serve(struct vhart *vh)
{
	u64 mpp = csr_read(mstatus) >> MSTATUS_MPP_SHIFT & 3;

	if (mpp == 3) { /* a bug in here: nothing can be trusted */
		box->trap_cause = csr_read(mcause);
		box->trap_value = csr_read(mtval);
		box->trap_pc = csr_read(mepc);
		box->event = EVENT_TRAP;
		give_up();
	}
	vh->pc = csr_read(mepc);
	vh->priv = mpp;
	return leave(serve(vh, csr_read(mcause)));
}

/*
 * seal_devices: at the snapshot; from now on the kernel can reach no device,
 * whose state no snapshot would put back.
 */
void
seal_devices(void)
{
	csr_write(
		pmpcfg0, PMP(0, PMP_NONE) | PMP(1, PMP_NONE) | PMP(2, PMP_ALL));
	asm volatile("sfence.vma" ::: "memory");
}

/* Called by ring() when the host has put the snapshot back. */
void
monitor_resume(void)
{
	struct vhart *vh = self();

	token_load(vh);
	/* Page tables were changed: dirty bits were cleared at the least. */
	asm volatile("sfence.vma" ::: "memory");
	monitor_restart(leave(vh));
}

/* Called by entry.S: where the kernel starts, its mailbox, its first satp. */
struct vhart *monitor_boot(u64 pc, struct mailbox *mailbox, u64 satp);
struct vhart *
monitor_boot(u64 pc, struct mailbox *mailbox, u64 satp)
{
	box = mailbox;

	/* Entry 0: this memory.  1: the devices.  2: all the rest. */
	csr_write(pmpaddr0, MONITOR_BASE >> 2 | (MONITOR_SIZE / 8 - 1));
	csr_write(pmpaddr1, DEVICES_END / 8 - 1);
	csr_write(pmpaddr2, ~0UL >> 10);
	csr_write(
		pmpcfg0, PMP(0, PMP_NONE) | PMP(1, PMP_ALL) | PMP(2, PMP_ALL));

	csr_write(medeleg, 0xb151);
	csr_write(mideleg, 0x222);
	/* Time (and all counters) trap; so does wfi; Sstc is off. */
	csr_write(mcounteren, 0);
	csr_write(0x30a, 0);
	csr_write(mstatus, MSTATUS_TW | 1UL << MSTATUS_MPP_SHIFT);

	*MTIMECMP = *MTIME + TICK;
	csr_write(mie, IP_MTIP);

	ring_boot();
	token_boot(pc, satp);
	return leave(self());
}
