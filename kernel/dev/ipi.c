/* SPDX-License-Identifier: MIT */
/*
 * ipi.c - interrupts from hart to hart.
 *
 * The CLINT has a word for each hart; writing 1 raises the hart's machine
 * software interrupt.  The stub in M-mode (boot/) takes it back and raises
 * the supervisor software interrupt in its place.
 */
#include "kernel/dev/dev.h"

#include "kernel/dev/fdt.h"
#include "kernel/mm/page.h"

void
ipi_send(int hart)
{
	volatile u32 *msip = pa_to_kva(machine.clint);

	/* What we stored for that hart to find comes before its interrupt. */
	asm volatile("fence w, o" ::: "memory");
	msip[hart] = 1;
}
