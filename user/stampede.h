/* SPDX-License-Identifier: MIT */
/*
 * stampede.h - the system calls that xv6 does not have.  They are weak
 * symbols, so a program may use their names for its own functions.
 */
#ifndef USER_STAMPEDE_H
#define USER_STAMPEDE_H

#include "kernel/kstat.h"

/* Fill st with the kernel's counters; size is sizeof(*st). */
int kstat(struct kstat *st, int size);

/*
 * Make the kernel give back what it merely caches, so that counts taken
 * before and after a piece of work can be compared.
 */
int quiesce(void);

/* Copy the boot arguments, NUL included; returns their length. */
int bootargs(char *buf, int size);

/*
 * Stop the other harts and check every page frame, page table, process, file
 * and inode against all that refers to it.  Prints what differs to the
 * console and returns how many lines that were, 0 if all is well; -1 if the
 * machine does not come to rest.
 */
int audit(void);

/*
 * Make the n-th allocation (of a page, process, open file, inode or disk
 * block) fail that the kernel makes from now on for this process, once; 0
 * ends that.  failnth(0) returns where the fault was injected, 0 if none was;
 * failnth(-pid) tells the same of another process, dead or alive.  "Where" is
 * the distance of an address from the start of the kernel's code.
 */
int failnth(int n);

/* End the machine; QEMU's exit status is 0 if status is, else not. */
int poweroff(int status) __attribute__((noreturn));

#endif
