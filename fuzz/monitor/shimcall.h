/* SPDX-License-Identifier: MIT */
/*
 * shimcall.h - what the shim, in supervisor mode, asks of the monitor: an
 * ecall with SHIMCALL in a7, one of these in a0, arguments in a1 and a2.
 */
#ifndef FUZZ_MONITOR_SHIMCALL_H
#define FUZZ_MONITOR_SHIMCALL_H

#define SHIMCALL 0x53484d00 /* "SHM" */

/* Where the monitor lies: far above what kernels use. */
#define MONITOR_BASE 0x88000000
#define MONITOR_SIZE 0x00200000

/* The descriptors by which QEMU and the host ring each other. */
#define RING_FROM_HOST 200
#define RING_TO_HOST   201

#ifndef __ASSEMBLER__
enum shimcall {
	SHIM_PANIC = 1, /* text and value are in the mailbox; no return */
	SHIM_YIELD,     /* waits for a lock that another hart holds */
	SHIM_IPI,       /* (hart): a software interrupt for it */
	SHIM_DISK,      /* waits for the disk, as a step: others may go on */
	SHIM_ALONE,     /* -> 1 if all other harts idle, so none is anywhere */
};
#endif

#endif
