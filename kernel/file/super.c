/* SPDX-License-Identifier: MIT */
/*
 * super.c - the file system as a whole: mounting it.
 *
 * The kernel trusts the disk once the superblock is right and the log is
 * recovered: what it finds wrong later is a panic.  scripts/fsck.py is the
 * tool that trusts nothing.
 */
#include "kernel/file/super.h"
#include "kernel/file/bio.h"
#include "kernel/file/inode.h"
#include "kernel/file/itable.h"
#include "kernel/file/log.h"

struct superblock sb = {.size = 2};
u32 fs_dev;

/* Panic unless the superblock describes what the code relies on. */
static void
super_check(const struct superblock *s)
{
	u32 inode_blocks;

	if (s->magic != FSMAGIC)
		panic("fs: not a Stampede file system", s->magic);
	if (s->size > BPB)
		panic("fs: more blocks than one bitmap block has", s->size);
	if (s->nlog < LOGAREAS * LOGAREASIZE)
		panic("fs: log too small for this kernel", s->nlog);
	if (s->ninodes <= ROOTINO || s->ninodes > INODES_MAX)
		panic("fs: number of inodes is wrong", s->ninodes);
	inode_blocks = (s->ninodes + IPB - 1) / IPB;
	if (s->logstart < 2 || s->inodestart < s->logstart + s->nlog ||
		s->bmapstart < s->inodestart + inode_blocks ||
		s->bmapstart >= s->size ||
		s->nblocks != s->size - s->bmapstart - 1)
		panic("fs: superblock contradicts itself", s->bmapstart);
}

void
fs_init(u32 dev)
{
	struct buf *b;

	bio_init();
	b = buf_read(1);
	super_check((const struct superblock *)b->data);
	sb = *(const struct superblock *)b->data;
	buf_put(b);
	fs_dev = dev;

	log_recover();
	itable_init();
	inode_reclaim_orphans();
}
