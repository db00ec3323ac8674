/* SPDX-License-Identifier: MIT */
/*
 * sleeplock.h - empty: programs written for xv6 include it, but the kernel's
 * sleep locks (kernel/lock/sleeplock.h) are none of their business.
 */
#ifndef KERNEL_SLEEPLOCK_H
#define KERNEL_SLEEPLOCK_H

#endif
