/* SPDX-License-Identifier: MIT */
/*
 * entry.S - where QEMU starts every hart: machine mode, no translation,
 * a0 = hart id, a1 = physical address of the device tree.
 *
 * Code here runs at physical addresses though it is linked at virtual ones;
 * `la` is pc-relative (medany) and so gives whichever of the two pc is in.
 */
#include "kernel/param.h"
#include "kernel/boot/boot.h"

	.section .text.entry
	.globl _entry
_entry:
	li	t0, NCPU
	bgeu	a0, t0, park
	la	sp, hart_stacks
	addi	t0, a0, 1
	slli	t0, t0, BOOT_STACK_SHIFT
	add	sp, sp, t0
	mv	tp, a0
	call	start

	/* On to main() in supervisor mode, where start() put translation on. */
	li	t0, BOOT_KVBASE
	la	t1, main
	add	t1, t1, t0
	csrw	mepc, t1
	add	sp, sp, t0
	li	s0, 0
	li	ra, 0
	mret

park:
	wfi
	j	park

/*
 * machine_trap: all that machine mode still does is turn the CLINT's
 * interrupt from another hart into a supervisor software interrupt.
 * mscratch points to this hart's struct machine_scratch.
 */
	.balign 4
	.globl machine_trap
machine_trap:
	csrrw	a0, mscratch, a0
	sd	a1, 0(a0)
	csrr	a1, mcause
	bgez	a1, machine_fault
	ld	a1, 8(a0)
	sw	zero, 0(a1)
	li	a1, 2
	csrs	mip, a1
	ld	a1, 0(a0)
	csrrw	a0, mscratch, a0
	mret

	/* An exception that is not delegated: nothing sane is left to run. */
machine_fault:
	wfi
	j	machine_fault
