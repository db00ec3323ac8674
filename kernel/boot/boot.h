/* SPDX-License-Identifier: MIT */
/* boot.h - what entry.S and the C code of boot/ share. */
#ifndef KERNEL_BOOT_BOOT_H
#define KERNEL_BOOT_BOOT_H

#include "kernel/trap/kstack.h"

#define BOOT_STACK_SHIFT (KSTACK_SHIFT + 1) /* guard and stack of a hart */
#define BOOT_KVBASE      0xffffffc000000000 /* KVBASE, for the assembler */

#ifndef __ASSEMBLER__
#include "kernel/lib/base.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"

_Static_assert(BOOT_KVBASE == KVBASE, "one base of kernel addresses");
_Static_assert(1UL << BOOT_STACK_SHIFT == 2 * KSTACK_SIZE,
	"a hart's stack has the shape of a process's: guard below, stack "
	"above");

/*
 * The stacks that the harts boot and schedule on.  The lower half of each is
 * its guard: mm/kvm.c leaves it unmapped.
 */
extern u8 hart_stacks[NCPU][2 * KSTACK_SIZE];

/* Physical address of the device tree, as the first hart was given it. */
extern paddr fdt_pa;

/* What machine_trap() needs of a hart: offsets are known to entry.S. */
struct machine_scratch {
	u64 a1;     /* 0: saved register */
	paddr msip; /* 8: the word whose store ends the interrupt */
	u64 spare[6];
};
extern struct machine_scratch machine_scratch[NCPU];

void start(u64 hart, paddr fdt);
void machine_trap(void);

/* main: the kernel, from here on in supervisor mode, on every hart. */
void main(void);
#endif

#endif
