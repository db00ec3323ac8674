/* SPDX-License-Identifier: MIT */
/*
 * crt.S - where a program begins.  exec leaves argc in a0 and argv in a1,
 * which is where main() wants them.  The zero frame pointer and return
 * address end a backtrace.
 */
	.section .text._start, "ax", @progbits
	.globl _start
	.type _start, @function
_start:
	li	s0, 0
	li	ra, 0
	call	main
	call	exit
	.size _start, . - _start
