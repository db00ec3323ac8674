/* SPDX-License-Identifier: MIT */
/*
 * sbrk.c - move the end of the heap by n bytes; the old end is returned, or
 * SBRK_ERROR.  sbrk() fails if the memory is not there; sbrklazy() does not
 * ask, and a process that touches more than there is gets killed.
 */
#include "kernel/types.h"
#include "kernel/syscall.h"
#include "user/user.h"
#include "user/lib/weak.h"

WEAK char *
sbrk(int n)
{
	return sys_sbrk(n, SBRK_EAGER);
}

WEAK char *
sbrklazy(int n)
{
	return sys_sbrk(n, SBRK_LAZY);
}
