/* SPDX-License-Identifier: MIT */
/*
 * spinlock.h - empty: programs written for xv6 include it, but the kernel's
 * spinlocks (kernel/lock/spinlock.h) are none of their business.
 */
#ifndef KERNEL_SPINLOCK_H
#define KERNEL_SPINLOCK_H

#endif
