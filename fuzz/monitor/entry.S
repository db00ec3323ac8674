/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the ways into the monitor, and the one way out.
 *
 * The kernel's first instruction jumps to monitor_entry with a2 = where the
 * kernel starts in supervisor mode, a3 = the mailbox, a4 = its first satp.
 * Later each trap that is not delegated comes to monitor_trap.  mscratch
 * holds the virtual hart that has the token; its registers come first in it.
 */
	.altmacro
	.macro	each_reg op, from, to
	.set	reg, \from
	.rept	\to - \from + 1
	one_reg	\op, %reg
	.set	reg, reg + 1
	.endr
	.endm
	.macro	one_reg op, n
	\op	x\n, \n * 8(x31)
	.endm

	.section .text.entry, "ax"
	.globl	monitor_entry
monitor_entry:
	la	sp, monitor_stack_top
	mv	a0, a2
	mv	a1, a3
	mv	a2, a4
	la	t0, monitor_trap
	csrw	mtvec, t0
	call	monitor_boot

	/* To the virtual hart in a0, which may be another than before. */
switch:
	csrw	mscratch, a0
resume:
	mv	x31, a0
	each_reg ld, 1, 30
	ld	x31, 31 * 8(x31)
	mret

	.balign	4
	.globl	monitor_trap
monitor_trap:
	csrrw	x31, mscratch, x31
	each_reg sd, 1, 30
	csrr	x30, mscratch
	sd	x30, 31 * 8(x31)
	csrw	mscratch, x31	/* in case the monitor itself traps */
	mv	s0, x31
	mv	a0, x31
	la	sp, monitor_stack_top
	call	monitor_serve
	beq	a0, s0, resume
	j	switch

	/* monitor_restart(vhart): forget the stack, go on with that one. */
	.globl	monitor_restart
monitor_restart:
	la	sp, monitor_stack_top
	j	switch

	/*
	 * semihost(operation, argument block): RISC-V Semihosting 0.3.  The
	 * three instructions must be uncompressed and on one page.
	 */
	.balign	16
	.globl	semihost
semihost:
	.option	push
	.option	norvc
	slli	x0, x0, 0x1f
	ebreak
	srai	x0, x0, 7
	.option	pop
	ret

	/* fregs_save(fregs), fregs_load(fregs): 32 of them, then fcsr. */
	.macro	each_freg op
	.set	reg, 0
	.rept	32
	one_freg \op, %reg
	.set	reg, reg + 1
	.endr
	.endm
	.macro	one_freg op, n
	\op	f\n, \n * 8(a0)
	.endm
	.globl	fregs_save
fregs_save:
	each_freg fsd
	frcsr	t0
	sd	t0, 32 * 8(a0)
	ret
	.globl	fregs_load
fregs_load:
	each_freg fld
	ld	t0, 32 * 8(a0)
	fscsr	t0
	ret

	.section .stack, "aw", @nobits
	.balign	4096
	.space	16384
monitor_stack_top:
