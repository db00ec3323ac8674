/* SPDX-License-Identifier: MIT */
/*
 * itable.h - inodes in memory, for file/ itself.  What others may do with
 * inodes is in inode.h.
 */
#ifndef KERNEL_FILE_ITABLE_H
#define KERNEL_FILE_ITABLE_H

#include "kernel/lib/base.h"
#include "kernel/lib/list.h"
#include "kernel/lock/sleeplock.h"
#include "kernel/fs.h"

struct buf;

enum { INODES_MAX = 4096 }; /* most inodes of a file system */

/*
 *   [t] itable.lock; inum does not change while refs > 0
 *   [s] lock
 */
struct inode {
	u32 inum;          /* [t] */
	u32 refs;          /* [t] */
	struct list chain; /* [t] of its hash bucket */
	struct list idle;  /* [t] on itable.idle while refs == 0 */
	struct sleeplock lock;
	bool valid;      /* [s] d has been read */
	struct dinode d; /* [s] */
};

/* Where bytes come from or go to: user memory of vm; NULL: the kernel's. */
struct mem {
	struct vm *vm;
	u64 addr;
};

/* itable_init, inode_reclaim_orphans: at boot, in this order. */
void itable_init(void);
void inode_reclaim_orphans(void);

/* inode_get: inode number inum with a reference; ERR_PTR(-ENFILE). */
struct inode *inode_get(u32 inum);

/*
 * inode_alloc: a free inode of the disk, made one of the given type with no
 * links, and a reference to it; ERR_PTR(-ENOSPC) or ERR_PTR(-ENFILE).
 * In a transaction.
 */
struct inode *inode_alloc(const struct dinode *like);

/* inode_update: log what is in ip->d.  Locked, in a transaction. */
void inode_update(struct inode *ip);

/* inode_slot: place n, of NINODE, in the table of inodes; for the audit. */
const struct inode *inode_slot(u32 n);

/* --- idata.c: the contents.  All with ip locked. */

/* inode_block: block bn of the file, which is within its size. */
u32 inode_block(struct inode *ip, u64 bn);

/* inode_read_to: inode_read() to anywhere. */
i64 inode_read_to(struct inode *ip, struct mem to, u64 off, u64 n);

/* What inode_write() takes in one transaction, from a block's start. */
enum { WRITE_BLOCKS = MAXOPBLOCKS - 3 };

/*
 * inode_write: put n bytes at offset off, at most up to the end of the
 * WRITE_BLOCKS-th block touched.  User memory must have been prefaulted.  The
 * count (less than n only when the disk or the file is full); -ENOSPC; -EFBIG;
 * -EINVAL if off is beyond the end.  In a transaction.
 */
i64 inode_write(struct inode *ip, struct mem from, u64 off, u64 n);

/* inode_truncate: make the file empty.  In a transaction. */
void inode_truncate(struct inode *ip);

#endif
