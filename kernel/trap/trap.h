/* SPDX-License-Identifier: MIT */
/* trap.h - traps, system calls, time. */
#ifndef KERNEL_TRAP_TRAP_H
#define KERNEL_TRAP_TRAP_H

#include "kernel/lib/base.h"

struct trapframe;

void trap_init_hart(void);

/* user_return: the first way of a new process to user mode, by tf. */
void user_return(struct trapframe *tf) __noreturn;

/* A system call's handler: six argument registers; a result or -errno. */
typedef i64 sysfn(const u64 *arg);
void syscall(struct trapframe *tf);

#define SYS(num, name, handler, ...) sysfn sys_##handler;
#include "kernel/syscalls.def"
#undef SYS

/* --- timer.c */
enum { TICKS_PER_SECOND = 10, SLICES_PER_SECOND = 100 };
void timer_init_hart(void);
void timer_intr(void);
u64 timer_ticks(void); /* since boot */

/* timer_arm: the next interrupt of this hart, for a busy or an idle one. */
void timer_arm(bool idle);

#endif
