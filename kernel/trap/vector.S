/* SPDX-License-Identifier: MIT */
/*
 * vector.S - the one way into the kernel, and the way back to user mode.
 *
 * In user mode sscratch holds the address of the process's trapframe, at the
 * top of its kernel stack; in the kernel it holds 0.  So one exchange with sp
 * both tells where the trap came from and gives a place to save registers.
 */
#include "kernel/trap/frame.h"

	.text
	.balign 4
	.globl trap_entry
trap_entry:
	csrrw	sp, sscratch, sp
	beqz	sp, from_kernel

	/* From user mode: sp is the trapframe. */
	TF_EACH(sd)
	csrrw	t0, sscratch, zero
	sd	t0, TF_REG(2)(sp)
	csrr	t1, sepc
	sd	t1, TF_EPC(sp)
	ld	tp, TF_HART(sp)
	mv	a0, sp
	csrr	a1, scause
	csrr	a2, stval
	li	s0, 0			/* backtraces end here */
	call	trap_user
	mv	a0, sp

/* user_resume(tf): to user mode, as prepared by leave_kernel(). */
	.globl user_resume
user_resume:
	mv	sp, a0
	csrw	sscratch, sp
	ld	t0, TF_EPC(sp)
	csrw	sepc, t0
	TF_EACH(ld)
	ld	sp, TF_REG(2)(sp)
	sret

	/*
	 * From the kernel: an interrupt, or a bug.  Only what a call may change
	 * is saved.  The frame looks like that of a function called from where
	 * the trap hit, so that backtraces lead through it.
	 */
from_kernel:
	csrrw	sp, sscratch, zero
	addi	sp, sp, -KF_SIZE
	csrw	sscratch, t0
	srli	t0, sp, KF_STACK_SHIFT
	andi	t0, t0, 1
	beqz	t0, stack_overflow
	csrrw	t0, sscratch, zero
	KF_EACH(sd)
	csrr	t0, sepc
	sd	t0, (KF_SIZE - 8)(sp)
	sd	s0, (KF_SIZE - 16)(sp)
	addi	s0, sp, KF_SIZE
	csrr	a0, scause
	csrr	a1, stval
	mv	a2, t0
	call	trap_kernel
	ld	s0, (KF_SIZE - 16)(sp)
	KF_EACH(ld)
	addi	sp, sp, KF_SIZE
	sret

	/* sp is on a guard: report from a stack kept for that. */
stack_overflow:
	addi	a0, sp, KF_SIZE
	la	sp, overflow_stack
	li	t0, OVERFLOW_STACK
	add	sp, sp, t0
	csrw	sscratch, zero
	mv	a1, s0
	call	trap_overflow
