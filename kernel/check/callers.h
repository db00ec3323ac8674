/* SPDX-License-Identifier: MIT */
/* callers.h - who called whom, kept for a report that may come later. */
#ifndef KERNEL_CHECK_CALLERS_H
#define KERNEL_CHECK_CALLERS_H

#include "kernel/lib/base.h"

enum { CALLERS = 8 };

struct callers {
	u64 pc[CALLERS]; /* innermost first; 0: the outermost has none */
};

/* The frame of the function that says it, for callers_save(). */
#define FRAME_HERE() ((u64)__builtin_frame_address(0))

/*
 * callers_save: the return addresses of frame fp, which is on the stack that
 * this hart runs on, and of the frames above it; at most n.  The rest is 0.
 */
void callers_save(u64 fp, u64 *pc, u32 n);

/* callers_print: one a line, as a backtrace. */
void callers_print(const struct callers *c);

#endif
