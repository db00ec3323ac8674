/* SPDX-License-Identifier: MIT */
/*
 * memlayout.h - where things are in memory.
 *
 * The lower half of the address space belongs to the process; the kernel has
 * the upper half, the same in every page table, so that a trap changes no
 * page table.
 *
 *   user:    0            text, data, a guard page, the stack
 *            HEAP_ALIGN   the heap starts at the next such boundary
 *            USERTOP      nothing of a process is at or above
 *   kernel:  KVBASE       all physical memory and devices, at pa + KVBASE
 *            KSTACKS      kernel stacks, each behind an unmapped guard
 */
#ifndef KERNEL_MEMLAYOUT_H
#define KERNEL_MEMLAYOUT_H

/* Physical, on QEMU's virt machine; devices come from the device tree. */
#define KERNBASE 0x80000000UL

/* Programs size their tests by it; the kernel asks the device tree. */
#define PHYSTOP (KERNBASE + 128UL * 1024 * 1024)

/*
 * The two pages below MAXVA.  xv6 keeps its trap code there, so programs
 * know the names.  Here they are never mapped and never part of a heap.
 */
#define TRAMPOLINE (MAXVA - PGSIZE)
#define TRAPFRAME  (TRAMPOLINE - PGSIZE)
#define USERTOP    TRAPFRAME

/* What one leaf page table maps: the unit that fork shares. */
#define HEAP_ALIGN (2UL * 1024 * 1024)

#endif
