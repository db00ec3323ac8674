/* SPDX-License-Identifier: MIT */
/*
 * pagecache.h - file pages that several processes map (text and unwritten
 * data), keyed by inode number and page index.
 */
#ifndef KERNEL_MM_PAGECACHE_H
#define KERNEL_MM_PAGECACHE_H

#include "kernel/lib/base.h"

struct inode;
struct page;

/*
 * pagecache_get: the frame that holds page `index` (offset index * PGSIZE) of
 * the file, with a reference for the caller; what lies beyond the end of the
 * file reads as zeroes.  NULL if there is no memory or the read fails.
 * The inode must be locked: that orders it against writers.  May sleep.
 */
struct page *pagecache_get(struct inode *ip, u64 index);

/*
 * pagecache_drop: forget all pages of an inode whose contents change or go.
 * Processes that map them keep them.  Cheap for inodes that were never
 * executed.  Call with the inode locked.
 */
void pagecache_drop(struct inode *ip);

/* pagecache_shrink: free cached frames that nobody maps; returns how many. */
u64 pagecache_shrink(void);

u64 pagecache_count(void);

/* pagecache_each: visit every cached page; for the audit. */
void pagecache_each(void (*visit)(struct page *pg));

#endif
