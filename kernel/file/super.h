/* SPDX-License-Identifier: MIT */
/* super.h - the file system that is mounted (file/super.c). */
#ifndef KERNEL_FILE_SUPER_H
#define KERNEL_FILE_SUPER_H

#include "kernel/lib/base.h"
#include "kernel/fs.h"

/* Fixed after fs_init(); until it knows the size, only block 1 can be read. */
extern struct superblock sb;
extern u32 fs_dev; /* what fstat() calls the disk */

#endif
