/* SPDX-License-Identifier: MIT */
/*
 * errno.h - why a call inside the kernel failed.  Functions return 0 or a
 * negative one of these; programs see -1 (trap/syscall.c).
 */
#ifndef KERNEL_ERRNO_H
#define KERNEL_ERRNO_H

enum {
	ENOENT = 2,
	ESRCH = 3,
	EINTR = 4,
	EIO = 5,
	E2BIG = 7,
	ENOEXEC = 8,
	EBADF = 9,
	ECHILD = 10,
	EAGAIN = 11,
	ENOMEM = 12,
	EFAULT = 14,
	EBUSY = 16,
	EEXIST = 17,
	EXDEV = 18,
	ENODEV = 19,
	ENOTDIR = 20,
	EISDIR = 21,
	EINVAL = 22,
	ENFILE = 23,
	EMFILE = 24,
	EFBIG = 27,
	ENOSPC = 28,
	EMLINK = 31,
	EPIPE = 32,
	ENAMETOOLONG = 36,
	ENOSYS = 38,
	ENOTEMPTY = 39,
};

#endif
