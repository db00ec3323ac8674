/* SPDX-License-Identifier: MIT */
/* frame.h - where vector.S saves registers; checked against the C structs. */
#ifndef KERNEL_TRAP_FRAME_H
#define KERNEL_TRAP_FRAME_H

#include "kernel/trap/kstack.h"

/* clang-format off: columns of registers */

/* struct trapframe (proc/proc.h) */
#define TF_EPC    0
#define TF_HART   8
#define TF_REG(n) (8 + 8 * (n)) /* xn, n from 1 */

/* Every register but x2 (sp), which is needed to reach the others. */
#define TF_EACH(op)                                                            \
	op x1, TF_REG(1)(sp);                                                  \
	op x3, TF_REG(3)(sp);                                                  \
	op x4, TF_REG(4)(sp);                                                  \
	op x5, TF_REG(5)(sp);                                                  \
	op x6, TF_REG(6)(sp);                                                  \
	op x7, TF_REG(7)(sp);                                                  \
	op x8, TF_REG(8)(sp);                                                  \
	op x9, TF_REG(9)(sp);                                                  \
	op x10, TF_REG(10)(sp);                                                \
	op x11, TF_REG(11)(sp);                                                \
	op x12, TF_REG(12)(sp);                                                \
	op x13, TF_REG(13)(sp);                                                \
	op x14, TF_REG(14)(sp);                                                \
	op x15, TF_REG(15)(sp);                                                \
	op x16, TF_REG(16)(sp);                                                \
	op x17, TF_REG(17)(sp);                                                \
	op x18, TF_REG(18)(sp);                                                \
	op x19, TF_REG(19)(sp);                                                \
	op x20, TF_REG(20)(sp);                                                \
	op x21, TF_REG(21)(sp);                                                \
	op x22, TF_REG(22)(sp);                                                \
	op x23, TF_REG(23)(sp);                                                \
	op x24, TF_REG(24)(sp);                                                \
	op x25, TF_REG(25)(sp);                                                \
	op x26, TF_REG(26)(sp);                                                \
	op x27, TF_REG(27)(sp);                                                \
	op x28, TF_REG(28)(sp);                                                \
	op x29, TF_REG(29)(sp);                                                \
	op x30, TF_REG(30)(sp);                                                \
	op x31, TF_REG(31)(sp);

/* A trap in the kernel: the registers that a call may change. */
#define KF_SIZE        144
#define KF_STACK_SHIFT KSTACK_SHIFT
#define KF_EACH(op)                                                            \
	op ra, 0(sp);                                                          \
	op t0, 8(sp);                                                          \
	op t1, 16(sp);                                                         \
	op t2, 24(sp);                                                         \
	op t3, 32(sp);                                                         \
	op t4, 40(sp);                                                         \
	op t5, 48(sp);                                                         \
	op t6, 56(sp);                                                         \
	op a0, 64(sp);                                                         \
	op a1, 72(sp);                                                         \
	op a2, 80(sp);                                                         \
	op a3, 88(sp);                                                         \
	op a4, 96(sp);                                                         \
	op a5, 104(sp);                                                        \
	op a6, 112(sp);                                                        \
	op a7, 120(sp);

#define OVERFLOW_STACK 8192

#endif
