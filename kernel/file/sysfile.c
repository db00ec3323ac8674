/* SPDX-License-Identifier: MIT */
/*
 * sysfile.c - the system calls on files: arguments in, locks and transactions
 * around, results out.  The work is done elsewhere in this folder.
 *
 * Whatever can be refused for the caller's sake (bad pointers, no descriptor,
 * no open file left) is found out before anything changes.
 */
#include "kernel/check/plant.h"
#include "kernel/file/file.h"
#include "kernel/file/inode.h"
#include "kernel/file/itable.h"
#include "kernel/file/tree.h"
#include "kernel/fcntl.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/stat.h"
#include "kernel/trap/trap.h"

/* Fetch the path at user address ua; 0 or a negative errno. */
static int
path_fetch(char path[MAXPATH], uaddr ua)
{
	int n = copyinstr(myproc()->vm, path, ua, MAXPATH);

	return n < 0 ? n : 0;
}

i64
sys_dup(const u64 *arg)
{
	struct file *f = fd_get(arg[0]);
	int fd = fd_find_free(0);

	if (f == NULL)
		return -EBADF;
	if (fd >= 0)
		fd_set(fd, file_dup(f));
	return fd;
}

i64
sys_close(const u64 *arg)
{
	struct file *f = fd_get(arg[0]);

	if (f == NULL)
		return -EBADF;
	fd_set(arg[0], NULL);
	file_close(f);
	return 0;
}

i64
sys_read(const u64 *arg)
{
	struct file *f = fd_get(arg[0]);
	int n = arg[2];

	if (f == NULL)
		return -EBADF;
	if (n < 0)
		return -EINVAL;
	return file_read(f, arg[1], n);
}

i64
sys_write(const u64 *arg)
{
	struct file *f = fd_get(arg[0]);
	int n = arg[2];

	if (f == NULL)
		return -EBADF;
	if (n < 0)
		return -EINVAL;
	return file_write(f, arg[1], n);
}

i64
sys_fstat(const u64 *arg)
{
	struct file *f = fd_get(arg[0]);
	struct stat st;
	int err;

	if (f == NULL)
		return -EBADF;
	err = file_stat(f, &st);
	if (err)
		return err;
	return copyout(myproc()->vm, arg[1], &st, sizeof(st));
}

i64
sys_pipe(const u64 *arg)
{
	struct vm *vm = myproc()->vm;
	struct file *r, *w;
	struct pipe *p;
	int fd[2];
	int err;

	err = user_prefault(vm, arg[0], sizeof(fd), true);
	if (err)
		return err;
	fd[0] = fd_find_free(0);
	fd[1] = fd[0] < 0 ? -EMFILE : fd_find_free(fd[0] + 1);
	if (fd[1] < 0)
		return -EMFILE;

	err = -ENFILE;
	r = file_alloc();
	if (r == NULL)
		return err;
	w = file_alloc();
	if (w == NULL)
		goto close_reader;
	err = -ENOMEM;
	p = pipe_new();
	if (p == NULL)
		goto close_writer;

	/* Nothing below can fail. */
	r->type = w->type = FILE_PIPE;
	r->pipe = w->pipe = p;
	r->readable = true;
	w->writable = true;
	fd_set(fd[0], r);
	fd_set(fd[1], w);
	copyout_nofail(vm, arg[0], fd, sizeof(fd));
	return 0;

close_writer:
	file_close(w);
close_reader:
	if (!PLANTED(failnth))
		file_close(r);
	return err;
}

/* The inode to open, locked and with a reference, or ERR_PTR. */
static struct inode *
open_inode(const char *path, int mode)
{
	static const struct tree_node node = {.type = T_FILE};
	struct inode *ip;
	int err = 0;

	if (mode & O_CREATE)
		err = tree_create(path, &node, &ip);
	else
		ip = path_lookup(path);
	if (err && err != -EEXIST)
		return ERR_PTR(err);
	if (!IS_ERR(ip))
		inode_lock(ip);
	return ip;
}

/* May ip be opened so?  Locked. */
static int
open_check(struct inode *ip, int mode)
{
	if (ip->d.type == T_DIR && mode != O_RDONLY)
		return -EISDIR;
	if (ip->d.type == T_DEVICE && (ip->d.major < 0 || ip->d.major >= NDEV))
		return -ENODEV;
	return 0;
}

/* Fill f from path; 0, or a negative errno and f has no type. */
static int
open_file(struct file *f, const char *path, int mode)
{
	struct inode *ip = open_inode(path, mode);
	int err;

	if (IS_ERR(ip))
		return PTR_ERR(ip);
	err = open_check(ip, mode);
	if (err) {
		inode_unlock(ip);
		inode_put(ip);
		return err;
	}
	if ((mode & O_TRUNC) && ip->d.type == T_FILE)
		inode_truncate(ip);
	f->type = ip->d.type == T_DEVICE ? FILE_DEVICE : FILE_INODE;
	f->major = ip->d.major;
	f->ip = ip;
	f->readable = !(mode & O_WRONLY);
	f->writable = mode & (O_WRONLY | O_RDWR);
	inode_unlock(ip);
	return 0;
}

i64
sys_open(const u64 *arg)
{
	char path[MAXPATH];
	struct file *f;
	int fd, err;

	err = path_fetch(path, arg[0]);
	if (err)
		return err;
	fd = fd_find_free(0);
	if (fd < 0)
		return fd;
	f = file_alloc();
	if (f == NULL)
		return -ENFILE;

	log_begin();
	err = open_file(f, path, arg[1]);
	log_end();
	if (err) {
		file_close(f);
		return err;
	}
	fd_set(fd, f);
	return fd;
}

/* Create a node that nobody opens. */
static int
make_node(uaddr upath, const struct tree_node *node)
{
	char path[MAXPATH];
	struct inode *ip;
	int err;

	err = path_fetch(path, upath);
	if (err)
		return err;
	log_begin();
	err = tree_create(path, node, &ip);
	if (err == 0 || err == -EEXIST)
		inode_put(ip);
	log_end();
	return err;
}

i64
sys_mkdir(const u64 *arg)
{
	static const struct tree_node node = {.type = T_DIR};

	return make_node(arg[0], &node);
}

i64
sys_mknod(const u64 *arg)
{
	const struct tree_node node = {
		.type = T_DEVICE,
		.major = arg[1],
		.minor = arg[2],
	};

	return make_node(arg[0], &node);
}

i64
sys_link(const u64 *arg)
{
	char old[MAXPATH], new[MAXPATH];
	struct inode *ip;
	int err;

	err = path_fetch(old, arg[0]);
	if (err == 0)
		err = path_fetch(new, arg[1]);
	if (err)
		return err;
	log_begin();
	ip = path_lookup(old);
	if (IS_ERR(ip)) {
		err = PTR_ERR(ip);
	} else {
		err = tree_link(ip, new);
		inode_put(ip);
	}
	log_end();
	return err;
}

i64
sys_unlink(const u64 *arg)
{
	char path[MAXPATH];
	int err;

	err = path_fetch(path, arg[0]);
	if (err)
		return err;
	log_begin();
	err = tree_unlink(path);
	log_end();
	return err;
}

/* Make the directory that path names the process's own; in a transaction. */
static int
change_dir(const char *path)
{
	struct proc *p = myproc();
	struct inode *ip = path_lookup(path);
	bool is_dir;

	if (IS_ERR(ip))
		return PTR_ERR(ip);
	inode_lock(ip);
	is_dir = ip->d.type == T_DIR;
	inode_unlock(ip);
	if (!is_dir) {
		inode_put(ip);
		return -ENOTDIR;
	}
	inode_put(p->cwd);
	p->cwd = ip;
	return 0;
}

i64
sys_chdir(const u64 *arg)
{
	char path[MAXPATH];
	int err;

	err = path_fetch(path, arg[0]);
	if (err)
		return err;
	log_begin();
	err = change_dir(path);
	log_end();
	return err;
}
