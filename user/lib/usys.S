/* SPDX-License-Identifier: MIT */
/*
 * usys.S - the stubs of the system calls, written by the preprocessor.  The
 * arguments are in the right registers already; only the number is missing.
 *
 * The symbols are weak, so that a program may use a name for something of
 * its own, and each stub has a section, so that only those called are linked.
 */
#define SYS(num, name, ...)                                                    \
	.section .text.usys.name, "ax", @progbits;                             \
	.balign 2;                                                             \
	.weak name;                                                            \
	.type name, @function;                                                 \
	name: li a7, num;                                                      \
	ecall;                                                                 \
	ret;                                                                   \
	.size name, . - name;
#include "kernel/syscalls.def"
#undef SYS

/* One call, two generations of its name. */
	.weak	pause
	.set	pause, sleep
