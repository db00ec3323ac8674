/* SPDX-License-Identifier: MIT */
/*
 * fs.h - the file system on disk.
 *
 *   block 0   unused (boot)
 *   block 1   superblock
 *   then      log | inodes | free bitmap | data
 *
 * All numbers are little-endian.  scripts/fsimage.py reads this header.
 */
#ifndef KERNEL_FS_H
#define KERNEL_FS_H

#include "kernel/types.h"

#define ROOTINO 1    /* inode number of / */
#define BSIZE   1024 /* bytes of a block */

#define NDIRECT   12
#define NINDIRECT (BSIZE / sizeof(uint))
#define MAXFILE   (NDIRECT + NINDIRECT) /* blocks of the largest file */
#define DIRSIZ    14                    /* bytes of a name, NUL-padded */

struct superblock {
	uint magic;      /* FSMAGIC */
	uint size;       /* blocks of the whole image */
	uint nblocks;    /* data blocks */
	uint ninodes;    /* inodes */
	uint nlog;       /* blocks of both log areas, with headers */
	uint logstart;   /* block number of the log's header */
	uint inodestart; /* block number of the first inode block */
	uint bmapstart;  /* block number of the first bitmap block */
};

#define FSMAGIC 0x53544d50 /* "STMP" */

struct dinode {
	short type;              /* 0 free, else T_DIR, T_FILE, T_DEVICE */
	short major;             /* T_DEVICE only */
	short minor;             /* T_DEVICE only */
	short nlink;             /* directory entries that name it */
	uint size;               /* bytes */
	uint addrs[NDIRECT + 1]; /* data blocks; the last: indirect block */
};

#define IPB           (BSIZE / sizeof(struct dinode)) /* inodes a block */
#define IBLOCK(i, sb) ((i) / IPB + (sb).inodestart)
#define BPB           (BSIZE * 8) /* bitmap bits a block */
#define BBLOCK(b, sb) ((b) / BPB + (sb).bmapstart)

struct dirent {
	ushort inum; /* 0: free entry */
	char name[DIRSIZ];
};

#endif
