/* SPDX-License-Identifier: MIT */
/* sysproc.c - small system calls about the process and the machine. */
#include "kernel/dev/dev.h"
#include "kernel/dev/fdt.h"
#include "kernel/file/file.h"
#include "kernel/file/inode.h"
#include "kernel/kstat.h"
#include "kernel/lib/string.h"
#include "kernel/mm/pagecache.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/syscall.h"
#include "kernel/trap/trap.h"

i64
sys_getpid(const u64 *arg)
{
	return myproc()->pid;
}

/* sys_sbrk(n, how): move the end of the heap by n bytes; the old end. */
i64
sys_sbrk(const u64 *arg)
{
	i64 n = (i32)arg[0];
	i32 how = (i32)arg[1];

	if (how != SBRK_EAGER && how != SBRK_LAZY)
		return -EINVAL;
	return vm_grow(myproc()->vm, n, how == SBRK_LAZY);
}

i64
sys_kstat(const u64 *arg)
{
	struct kstat st;

	if ((i32)arg[1] != (i32)sizeof(st))
		return -EINVAL;
	stat_sum(&st);
	return copyout(myproc()->vm, arg[0], &st, sizeof(st));
}

i64
sys_quiesce(const u64 *arg)
{
	fs_quiesce();
	pagecache_shrink();
	return 0;
}

i64
sys_bootargs(const u64 *arg)
{
	u64 len = strlen(machine.bootargs) + 1;
	int err;

	if ((i32)arg[1] < (i32)len)
		return -EINVAL;
	err = copyout(myproc()->vm, arg[0], machine.bootargs, len);
	return err ? err : (i64)len - 1;
}

i64
sys_poweroff(const u64 *arg)
{
	fs_quiesce();
	power_off((i32)arg[0]);
}
