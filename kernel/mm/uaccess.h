/* SPDX-License-Identifier: MIT */
/*
 * uaccess.h - the only ways from the kernel into user memory.  Every address
 * is checked against the process's page table; kernel writes break sharing
 * just as the process's own stores do.
 */
#ifndef KERNEL_MM_UACCESS_H
#define KERNEL_MM_UACCESS_H

#include "kernel/lib/base.h"

struct vm;

/*
 * copyin, copyout: move len bytes between the kernel and vm.  0, or -EFAULT
 * (bad address), or -ENOMEM (no frame to break sharing with); bytes before
 * the failing page have then been moved.
 * May allocate, so not with a lock of rank pagecache or later held.
 */
int copyin(struct vm *vm, void *dst, uaddr src, u64 len) __must_check;
int copyout(struct vm *vm, uaddr dst, const void *src, u64 len) __must_check;

/*
 * copyinstr: a NUL-terminated string of at most size bytes with its NUL.
 * Its length, or -EFAULT, or -ENAMETOOLONG.
 */
int copyinstr(struct vm *vm, char *dst, uaddr src, u64 size) __must_check;

/*
 * user_prefault: make [va, va + len) present, and writable if write.  After
 * that, copies of the same kind to the same range by the same process cannot
 * fail until it returns to user mode.  0, -EFAULT or -ENOMEM.
 */
int user_prefault(struct vm *vm, uaddr va, u64 len, bool write) __must_check;

/* copyout_nofail, copyin_nofail: for ranges that were prefaulted. */
void copyout_nofail(struct vm *vm, uaddr dst, const void *src, u64 len);
void copyin_nofail(struct vm *vm, void *dst, uaddr src, u64 len);

#endif
