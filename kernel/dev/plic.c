/* SPDX-License-Identifier: MIT */
/*
 * plic.c - interrupts from devices (RISC-V Platform-Level Interrupt
 * Controller Specification).
 *
 * A source that is enabled for several harts interrupts all of them; the one
 * that claims it first serves it, and until it completes no other can claim
 * it.  The console is enabled everywhere, so that ^P works as long as one
 * hart lives.  The disk interrupts often, and waking every hart for each
 * request would cost more than serving it: only hart 0 has it.
 */
#include "kernel/dev/dev.h"

#include "kernel/dev/fdt.h"
#include "kernel/mm/page.h"
#include "kernel/proc/hart.h"

/* Registers, by their distance from the base, and the distance between two. */
enum {
	PLIC_PRIORITY = 0x0,
	PLIC_ENABLE = 0x2000,
	PLIC_ENABLE_STRIDE = 0x80,
	PLIC_THRESHOLD = 0x200000,
	PLIC_CLAIM = 0x200004, /* read: claim; write: complete */
	PLIC_CONTEXT_STRIDE = 0x1000,
};

enum { DISK_HART = 0 };

static volatile u32 *
reg(u64 offset)
{
	return pa_to_kva(machine.plic + offset);
}

/* context: each hart has one for M-mode and, behind it, one for S-mode. */
static u64
context(int hart)
{
	return 2 * (u64)hart + 1;
}

static void
enable(int hart, u32 irq)
{
	u64 bits = PLIC_ENABLE + context(hart) * PLIC_ENABLE_STRIDE;

	*reg(bits + irq / 32 * 4) |= 1U << irq % 32;
}

void
plic_init(void)
{
	*reg(PLIC_PRIORITY + machine.uart_irq * 4UL) = 1;
	for (int i = 0; i < machine.nvirtio; i++)
		*reg(PLIC_PRIORITY + machine.virtio_irq[i] * 4UL) = 1;
}

void
plic_init_hart(void)
{
	int hart = hart_id();

	enable(hart, machine.uart_irq);
	for (int i = 0; hart == DISK_HART && i < machine.nvirtio; i++)
		enable(hart, machine.virtio_irq[i]);
	*reg(PLIC_THRESHOLD + context(hart) * PLIC_CONTEXT_STRIDE) = 0;
}

static void
serve(u32 irq)
{
	if (irq == machine.uart_irq) {
		uart_intr();
		return;
	}
	for (int i = 0; i < machine.nvirtio; i++) {
		if (irq == machine.virtio_irq[i]) {
			disk_intr();
			return;
		}
	}
	panic("plic: interrupt of no known device", irq);
}

void
plic_intr(void)
{
	volatile u32 *claim =
		reg(PLIC_CLAIM + context(hart_id()) * PLIC_CONTEXT_STRIDE);
	u32 irq;

	/* 0: nothing pending, or another hart was faster. */
	while ((irq = *claim) != 0) {
		serve(irq);
		*claim = irq;
	}
}
