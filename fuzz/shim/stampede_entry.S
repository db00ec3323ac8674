/* SPDX-License-Identifier: MIT */
/*
 * stampede_entry.S - in the place of kernel/boot/entry.S: hand over to the
 * monitor, which starts main() in supervisor mode on each virtual hart.
 */
#include "fuzz/monitor/shimcall.h"
#include "kernel/boot/boot.h"
#include "kernel/param.h"

#define INTERRUPTS 0x222 /* software, timer, external: start.c's choice */

	.section .text.entry, "ax"
	.globl	_entry
_entry:
	la	sp, hart_stacks
	li	t0, 1 << BOOT_STACK_SHIFT
	add	sp, sp, t0
	mv	a0, a1
	call	shim_boot	/* the first satp */
	mv	a4, a0
	la	a3, stampede_mailbox
	la	a2, on_hart
	li	t0, BOOT_KVBASE
	add	a2, a2, t0
	li	t0, MONITOR_BASE
	jr	t0

	/* Supervisor mode, translation on; a0 is the hart. */
on_hart:
	la	sp, hart_stacks
	addi	t0, a0, 1
	slli	t0, t0, BOOT_STACK_SHIFT
	add	sp, sp, t0
	mv	tp, a0
	li	t0, INTERRUPTS
	csrw	sie, t0
	li	s0, 0
	li	ra, 0
	tail	main
