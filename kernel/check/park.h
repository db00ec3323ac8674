/* SPDX-License-Identifier: MIT */
/* park.h - hold the machine still while something looks at all of it. */
#ifndef KERNEL_CHECK_PARK_H
#define KERNEL_CHECK_PARK_H

#include "kernel/lib/base.h"

/*
 * park_point: wait here while another hart holds the machine still.  Called
 * where a hart owns nothing and nothing is half done: before user mode and
 * before the next process is picked.  Interrupts off, no lock held.
 */
void park_point(void);

/* park_wanted: is a hart waiting for the others to park? */
bool park_wanted(void);

/* park_midway: does a process sleep with something half done? */
bool park_midway(void);

/*
 * park_others: until park_release(), no other hart runs and no process is
 * in the middle of a system call but where a signal could end it.  0, or
 * -EBUSY if that could not be had.  From a system call, with nothing held.
 */
int park_others(void);
void park_release(void);

#endif
