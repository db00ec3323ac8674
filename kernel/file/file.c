/* SPDX-License-Identifier: MIT */
/*
 * file.c - open files: the table of them, and what reading and writing means
 * for each kind.
 *
 * References are counted atomically, since fork() takes NOFILE of them and
 * holds one already; the table's lock guards only what is free.
 *
 * A process that reads or writes holds a reference by its descriptor, and it
 * cannot close that meanwhile, being one thread: so no reference is taken for
 * the duration of a call.
 */
#include "kernel/check/asan.h"
#include "kernel/check/failnth.h"
#include "kernel/file/file.h"
#include "kernel/file/inode.h"
#include "kernel/file/itable.h"
#include "kernel/file/super.h"
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/stat.h"

struct devsw devsw[NDEV]; /* fixed after boot */

/* What nobody may touch while the file is free. */
#define FILE_BODY(f) BETWEEN_MEMBERS(f, readable, next)

/*
 *   [f] lock
 */
static struct {
	struct spinlock lock;
	struct file files[NFILE];
	struct file *free; /* [f] */
	u32 used;          /* [f] */
} ftable = {.lock = SPINLOCK(ftable, "ftable")};

void
file_init(void)
{
	for (u32 i = NFILE; i-- > 0;) {
		ftable.files[i].next = ftable.free;
		ftable.free = &ftable.files[i];
		asan_poison(FILE_BODY(ftable.free), SHADOW_OBJECT);
	}
}

__injectable struct file *
file_alloc(void)
{
	struct file *f;

	if (fail_here(ALLOC_SITE()))
		return NULL;
	acquire(&ftable.lock);
	f = ftable.free;
	if (f != NULL) {
		ftable.free = f->next;
		ftable.used++;
	}
	release(&ftable.lock);
	if (f == NULL)
		return NULL;
	asan_unpoison(FILE_BODY(f));
	*f = (struct file){.refs = 1};
	return f;
}

struct file *
file_dup(struct file *f)
{
	u32 old = __atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);

	ASSERT(old > 0);
	return f;
}

static void
file_free(struct file *f)
{
	if (DEBUG)
		f->type = FILE_NONE; /* of no use to who still has it */
	asan_free(FILE_BODY(f), SHADOW_OBJECT);
	acquire(&ftable.lock);
	f->next = ftable.free;
	ftable.free = f;
	ftable.used--;
	release(&ftable.lock);
}

void
file_close(struct file *f)
{
	/* Who is last comes after what all others did to the file. */
	u32 old = __atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL);

	ASSERT(old > 0);
	if (old > 1)
		return;
	if (f->type == FILE_PIPE)
		pipe_close(f->pipe, f->writable);
	else if (f->type == FILE_INODE || f->type == FILE_DEVICE)
		inode_close(f->ip);
	file_free(f);
}

u64
file_count(void)
{
	u64 used;

	acquire(&ftable.lock);
	used = ftable.used;
	release(&ftable.lock);
	return used;
}

static i64
read_inode(struct file *f, struct vm *vm, uaddr ua, u64 n)
{
	i64 got;

	inode_lock(f->ip);
	got = inode_read_to(f->ip, (struct mem){vm, ua}, f->off, n);
	if (got > 0)
		f->off += got;
	inode_unlock(f->ip);
	return got;
}

i64
file_read(struct file *f, uaddr ua, u64 n)
{
	struct vm *vm = myproc()->vm;

	if (!f->readable)
		return -EBADF;
	if (n == 0)
		return 0;
	switch (f->type) {
	case FILE_PIPE:
		return pipe_read(f->pipe, vm, ua, n);
	case FILE_DEVICE:
		if (devsw[f->major].read == NULL)
			return -ENODEV;
		return devsw[f->major].read(vm, ua, n);
	case FILE_INODE:
		return read_inode(f, vm, ua, n);
	case FILE_NONE:
		break;
	}
	panic("file: read of no type of file", f->type);
}

/* As much of a write as one transaction takes. */
static i64
write_some(struct file *f, struct vm *vm, uaddr ua, u64 n)
{
	i64 put;
	int err;

	n = MIN(n, (u64)WRITE_BLOCKS * BSIZE);
	err = user_prefault(vm, ua, n, false);
	if (err && n > PGSIZE - ua % PGSIZE) {
		/* What lies before the bad page is written all the same. */
		n = PGSIZE - ua % PGSIZE;
		err = user_prefault(vm, ua, n, false);
	}
	if (err)
		return err;
	log_begin();
	inode_lock(f->ip);
	/* Up to a block's end, so that all but the first are whole blocks. */
	n = MIN(n, WRITE_BLOCKS * BSIZE - f->off % BSIZE);
	put = inode_write(f->ip, (struct mem){vm, ua}, f->off, n);
	if (put > 0)
		f->off += put;
	inode_unlock(f->ip);
	log_end();
	return put;
}

static i64
write_inode(struct file *f, struct vm *vm, uaddr ua, u64 n)
{
	u64 done = 0;
	i64 put = 0;

	while (done < n) {
		put = write_some(f, vm, ua + done, n - done);
		if (put < 0)
			break;
		done += put;
	}
	/* Programs expect a bad buffer to fail the call as a whole. */
	return done > 0 && put != -EFAULT ? (i64)done : put;
}

i64
file_write(struct file *f, uaddr ua, u64 n)
{
	struct vm *vm = myproc()->vm;

	if (!f->writable)
		return -EBADF;
	switch (f->type) {
	case FILE_PIPE:
		return pipe_write(f->pipe, vm, ua, n);
	case FILE_DEVICE:
		if (devsw[f->major].write == NULL)
			return -ENODEV;
		return devsw[f->major].write(vm, ua, n);
	case FILE_INODE:
		return write_inode(f, vm, ua, n);
	case FILE_NONE:
		break;
	}
	panic("file: write of no type of file", f->type);
}

int
file_stat(struct file *f, struct stat *st)
{
	if (f->type != FILE_INODE && f->type != FILE_DEVICE)
		return -EINVAL;
	memset(st, 0, sizeof(*st)); /* the padding goes to the user too */
	inode_lock(f->ip);
	st->dev = fs_dev;
	st->ino = f->ip->inum;
	st->type = f->ip->d.type;
	st->nlink = f->ip->d.nlink;
	st->size = f->ip->d.size;
	inode_unlock(f->ip);
	return 0;
}

const struct file *
file_slot(u32 n)
{
	return &ftable.files[n];
}
