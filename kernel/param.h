/* SPDX-License-Identifier: MIT */
/* param.h - the limits of the system, for the kernel and its programs. */
#ifndef KERNEL_PARAM_H
#define KERNEL_PARAM_H

#define NCPU        16                /* harts at most; found at boot */
#define NOFILE      16                /* open files of one process */
#define NDEV        10                /* device numbers */
#define ROOTDEV     1                 /* device of the root file system */
#define MAXARG      32                /* arguments of exec */
#define MAXPATH     128               /* bytes of a path, with its NUL */
#define MAXOPBLOCKS 10                /* blocks one file system call dirties */
#define LOGBLOCKS   (MAXOPBLOCKS * 6) /* data blocks of the on-disk log */
#define FSSIZE      8000              /* blocks of the file system */
#define USERSTACK   1                 /* pages of a user stack */

#ifndef NPROC /* a fuzzer's kernel has fewer of these, to run out of them */
#define NPROC  512  /* processes */
#define NFILE  1024 /* open files of the system */
#define NINODE 200  /* inodes in use at one time */
#define NBUF   512  /* blocks in the buffer cache */
#endif

#endif
