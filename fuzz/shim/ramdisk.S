/* SPDX-License-Identifier: MIT */
/* ramdisk.S - the file system image, as the kernel's data. */
	.data
	.balign	4096
	.globl	ramdisk_start
ramdisk_start:
	.incbin	RAMDISK
	.balign	4096
	.globl	ramdisk_end
ramdisk_end:
