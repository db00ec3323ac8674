/* SPDX-License-Identifier: MIT */
/*
 * kstack.h - the size of a kernel stack, for C and for the assembler: the one
 * place.  What is watched by a sanitizer keeps more in each frame.
 */
#ifndef KERNEL_TRAP_KSTACK_H
#define KERNEL_TRAP_KSTACK_H

#if ASAN || UBSAN
#define KSTACK_SHIFT 14
#else
#define KSTACK_SHIFT 13
#endif

#endif
