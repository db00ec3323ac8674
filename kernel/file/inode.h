/* SPDX-License-Identifier: MIT */
/*
 * inode.h - inodes, directories and paths, for those outside file/: exec,
 * fork and exit.
 */
#ifndef KERNEL_FILE_INODE_H
#define KERNEL_FILE_INODE_H

#include "kernel/lib/base.h"

struct inode;
struct stat;

void fs_init(u32 dev); /* from the first process: may sleep; recovers the log */

/* log_begin, log_end: bracket every call that may change the disk. */
void log_begin(void);
void log_end(void);

/* fs_quiesce: wait until no transaction is being written to disk. */
void fs_quiesce(void);

/* path_lookup: the inode of a path, with a reference, or ERR_PTR. */
struct inode *path_lookup(const char *path);

struct inode *inode_hold(struct inode *ip); /* one more reference */
void inode_put(struct inode *ip);           /* within log_begin/log_end */
void inode_lock(struct inode *ip);          /* reads it in; may sleep */
void inode_unlock(struct inode *ip);
u64 inode_count(void); /* inodes with references */

/* inode_close: inode_put() for callers that are in no transaction. */
void inode_close(struct inode *ip);

/* Of a locked inode: */
u32 inode_number(const struct inode *ip);
u32 inode_type(const struct inode *ip);
u64 inode_size(const struct inode *ip);
/* inode_cached: has the page cache pages of it?  The page cache's flag. */
bool *inode_cached(struct inode *ip);

/*
 * inode_read: up to n bytes from offset off to kernel memory; the count
 * (less than n at the end of the file) or a negative errno.
 */
i64 inode_read(struct inode *ip, void *dst, u64 off, u64 n);

#endif
