/* SPDX-License-Identifier: MIT */
/*
 * tune.h - what the measurements of `make bench` compare.  The defaults come
 * from the build; the boot argument tune=-name,+name changes them.
 */
#ifndef KERNEL_MM_TUNE_H
#define KERNEL_MM_TUNE_H

#include "kernel/lib/base.h"

/* Fixed after boot. */
struct tune {
	bool cow;      /* share pages at fork, else copy */
	bool zeropage; /* map one zero page where untouched memory is read */
	bool text;     /* share file pages through the page cache */
	bool reuse;    /* a last owner keeps its page, else copies */
	bool around;   /* resolve neighbours of sequential faults */
};
extern struct tune tune;

/* tune_init: read the boot argument; an unknown name is reported. */
void tune_init(void);

#endif
