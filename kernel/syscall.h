/* SPDX-License-Identifier: MIT */
/* syscall.h - the numbers of the system calls: SYS_fork and so on. */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

enum {
#define SYS(num, name, ...) SYS_##name = num,
#include "kernel/syscalls.def"
#undef SYS
	SYS_sbrk = SYS_sys_sbrk, /* the name before 2025 */
	SYS_pause = SYS_sleep,   /* the name since 2025 */
};

/* How sys_sbrk() grows: SBRK_EAGER fails now, SBRK_LAZY may kill later. */
#define SBRK_EAGER 1
#define SBRK_LAZY  2

#endif
