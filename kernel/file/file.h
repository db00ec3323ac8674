/* SPDX-License-Identifier: MIT */
/* file.h - open files and devices. */
#ifndef KERNEL_FILE_FILE_H
#define KERNEL_FILE_FILE_H

#include "kernel/lib/base.h"

struct inode;
struct pipe;
struct proc;
struct stat;
struct vm;

enum file_type { FILE_NONE, FILE_PIPE, FILE_INODE, FILE_DEVICE };

/*
 * An open file: what descriptors, of several processes after fork(), name.
 *
 *   [a] atomic
 *   [o] written by who opens it, before anybody else can see it
 *   [i] the lock of the inode
 *   [f] ftable.lock
 */
struct file {
	u32 refs;            /* [a] descriptors; 0: free */
	enum file_type type; /* [o] */
	bool readable;       /* [o] */
	bool writable;       /* [o] */
	short major;         /* [o] FILE_DEVICE: whose read and write */
	struct pipe *pipe;   /* [o] FILE_PIPE */
	struct inode *ip;    /* [o] FILE_INODE and FILE_DEVICE */
	u64 off;             /* [i] FILE_INODE: where the next byte is */
	struct file *next;   /* [f] on the free list */
};

void file_init(void);

/* file_alloc: an open file with one reference and no type, or NULL. */
struct file *file_alloc(void);
struct file *file_dup(struct file *f);
void file_close(struct file *f); /* may sleep (log) */
u64 file_count(void);

/* file_slot: place n, of NFILE, in the table of files; for the audit. */
const struct file *file_slot(u32 n);

/*
 * file_read, file_write: n bytes to or from user address ua, from where the
 * file is.  The count, which is less than n if there is no more, if no more
 * fits, or if a read reaches a bad address, after at least one byte; or a
 * negative errno.  A write up to a bad address is made, and then fails.
 */
i64 file_read(struct file *f, uaddr ua, u64 n);
i64 file_write(struct file *f, uaddr ua, u64 n);

/* file_stat: describe f; -EINVAL if it is a pipe. */
int file_stat(struct file *f, struct stat *st);

/*
 * A device's read and write: n bytes at user address ua of vm; the count,
 * or a negative errno.  They may sleep.
 */
struct devsw {
	i64 (*read)(struct vm *vm, uaddr ua, u64 n);
	i64 (*write)(struct vm *vm, uaddr ua, u64 n);
};
extern struct devsw devsw[NDEV];

/* --- fdtable.c: the descriptors of the calling process */

/* fd_get: the file of a descriptor, or NULL. */
struct file *fd_get(u64 fd);

/*
 * fd_find_free: the lowest free descriptor from `from` on, or -EMFILE.  It
 * stays free until this process uses it: nobody else touches its table.
 */
int fd_find_free(int from);

/* fd_set: let fd name f and take over the caller's reference; NULL: free it. */
void fd_set(int fd, struct file *f);

/* --- pipe.c */

/* pipe_new: a pipe with one reader and one writer; NULL without memory. */
struct pipe *pipe_new(void);
/* pipe_close: the reader or the writer is gone; with both the pipe goes. */
void pipe_close(struct pipe *p, bool writer);
i64 pipe_read(struct pipe *p, struct vm *vm, uaddr ua, u64 n);
i64 pipe_write(struct pipe *p, struct vm *vm, uaddr ua, u64 n);
u64 pipe_count(void);

/*
 * pipe_ends: which ends the pipe takes to be open.  pipe_missed: chan belongs
 * to the pipe, and who sleeps on it should have been woken.  For the audit.
 */
void pipe_ends(const struct pipe *p, bool *readers, bool *writers);
bool pipe_missed(const struct pipe *p, const void *chan);

#endif
