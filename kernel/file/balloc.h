/* SPDX-License-Identifier: MIT */
/* balloc.h - which data blocks are free (file/balloc.c). */
#ifndef KERNEL_FILE_BALLOC_H
#define KERNEL_FILE_BALLOC_H

#include "kernel/lib/base.h"

/*
 * block_alloc: a free block, or 0 if the disk is full.  What is in it is
 * undefined: the caller fills all of it.
 * block_free: free n blocks, for the next to allocate at once.
 * Both in a transaction; no buffer of a data block that is being freed, and
 * not the bitmap's, may be held.
 */
u32 block_alloc(void);
void block_free(const u32 *blocknos, u32 n);

#endif
