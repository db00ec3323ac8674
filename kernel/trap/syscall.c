/* SPDX-License-Identifier: MIT */
/*
 * syscall.c - from the number in a7 to the handler, and from its error code
 * to the -1 that programs know.
 */
#include "kernel/mm/stat.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/trap.h"

static sysfn *const handlers[] = {
#define SYS(num, name, handler, ...) [num] = sys_##handler,
#include "kernel/syscalls.def"
#undef SYS
};

void
syscall(struct trapframe *tf)
{
	u64 num = tf->regs[TF_A7];
	i64 result = -ENOSYS;

	STAT(syscalls);
	if (num < ARRAY_SIZE(handlers) && handlers[num] != NULL)
		result = handlers[num](&tf->regs[TF_A0]);
	tf->regs[TF_A0] = result < 0 ? -1UL : (u64)result;
}
