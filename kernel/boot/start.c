/* SPDX-License-Identifier: MIT */
/*
 * start.c - machine mode, once on each hart: give everything to supervisor
 * mode and turn translation on.
 *
 * This code runs before translation, at physical addresses: it may use the
 * addresses of objects (they are pc-relative) but no pointer that the linker
 * has stored in one.
 */
#include "kernel/boot/boot.h"
#include "kernel/check/asan.h"
#include "kernel/trap/csr.h"

__attribute__((section(".bss.stacks")))
u8 hart_stacks[NCPU][2 * KSTACK_SIZE] __aligned(2 * KSTACK_SIZE);
struct machine_scratch machine_scratch[NCPU];
paddr fdt_pa;

#define BOOT_GIGAPAGE(pa)                                                      \
	PTE_MAKE(pa, PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D)

/*
 * Enough to reach main(): the first GiB of RAM and the devices below it as
 * two 1 GiB pages at their final addresses, until mm/kvm.c has its own table.
 */
static pte_t boot_root[PT_ENTRIES] __aligned(PGSIZE) = {
	[PT_INDEX(KVBASE, 2)] = BOOT_GIGAPAGE(0),
	[PT_INDEX(KVBASE + KERNBASE, 2)] = BOOT_GIGAPAGE(KERNBASE),
};

/* start: set up the calling hart; fdt is what it found in a1. */
void
start(u64 hart, paddr fdt)
{
	u64 mstatus = csr_read(mstatus);

	if (hart == 0)
		fdt_pa = fdt;

	csr_write(mstatus, (mstatus & ~MSTATUS_MPP_MASK) | MSTATUS_MPP_S);
	csr_write(medeleg, 0xffff);
	csr_write(mideleg, INT_SSOFT | INT_STIMER | INT_SEXT);
	csr_write(sie, INT_SSOFT | INT_STIMER | INT_SEXT);

	/* Supervisor and user mode may use all of memory ... */
	csr_write(pmpaddr0, ~0UL >> 10);
	csr_write(pmpcfg0, 0xf);
	/* ... the timer compare register (Sstc), and read the time. */
	csr_write(0x30a, csr_read(0x30a) | MENVCFG_STCE);
	csr_write(mcounteren, 7);
	csr_write(scounteren, 7);
	csr_write(0x14d, ~0UL);

	csr_write(mscratch, &machine_scratch[hart]);
	csr_write(mtvec, machine_trap);
	csr_set(mie, INT_MSOFT);

	asan_boot(boot_root);
	csr_write(satp, SATP_SV39 | (u64)boot_root >> PGSHIFT);
	asm volatile("sfence.vma" ::: "memory");
}
