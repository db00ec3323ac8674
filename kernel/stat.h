/* SPDX-License-Identifier: MIT */
/* stat.h - what fstat() tells of a file. */
#ifndef KERNEL_STAT_H
#define KERNEL_STAT_H

#include "kernel/types.h"

#define T_DIR    1
#define T_FILE   2
#define T_DEVICE 3

struct stat {
	int dev;     /* device of the file system */
	uint ino;    /* inode number */
	short type;  /* T_DIR, T_FILE or T_DEVICE */
	short nlink; /* directory entries that name it */
	uint64 size; /* bytes */
};

#endif
