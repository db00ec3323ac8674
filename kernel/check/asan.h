/* SPDX-License-Identifier: MIT */
/*
 * asan.h - FLAVOR=asan: which memory may be touched (the essay is in
 * check/asan.c).  In all other flavours nothing is left of this.
 */
#ifndef KERNEL_CHECK_ASAN_H
#define KERNEL_CHECK_ASAN_H

#include "kernel/lib/base.h"

/*
 * What the shadow of eight bytes holds if none of them may be touched; 0 says
 * that all may, and 1 to 7 that the first so many may.  The compiler writes
 * some of these itself, so their numbers are its own.
 */
enum shadow {
	SHADOW_STACK_LEFT = 0xf1,
	SHADOW_STACK_MIDDLE = 0xf2,
	SHADOW_STACK_RIGHT = 0xf3,
	SHADOW_SCOPE = 0xf8,  /* a variable whose block has ended */
	SHADOW_GLOBAL = 0xf9, /* around global variables */
	SHADOW_OBJECT = 0xfb, /* part of an object in a pool, which is free */
	SHADOW_BEYOND = 0xfc, /* behind an object, in its page */
	SHADOW_STACK = 0xfd,  /* a kernel stack that nobody runs on */
	SHADOW_FRAME = 0xff,  /* a free page frame */
};

/* Where the shadow of KVBASE is; that of all else is relative to it. */
#define ASAN_SHADOW 0xffffffe000000000UL

#if ASAN
/* asan_boot: let the boot table root have a shadow; before translation. */
void asan_boot(pte_t *root);

/* asan_map: have map() put frames where the kernel's table needs them. */
void asan_map(void (*map)(u64 va, u64 size));

/* asan_init: on that table, watch from here on.  On one hart. */
void asan_init(void);

/*
 * asan_poison: nobody may touch these bytes, and why.  asan_unpoison: they
 * may.  `at` is a multiple of 8; of a size that is none, asan_poison leaves
 * the last bytes as they are.
 */
void asan_poison(const void *at, u64 size, enum shadow why);
void asan_unpoison(const void *at, u64 size);

/* asan_free: poison, and remember who did, for the report. */
void asan_free(const void *at, u64 size, enum shadow why);

/* asan_check: panics unless all of these bytes may be touched. */
void asan_check(const void *at, u64 size, bool write);
#else
static inline void
asan_boot(pte_t *root)
{
}

static inline void
asan_map(void (*map)(u64 va, u64 size))
{
}

static inline void
asan_init(void)
{
}

static inline void
asan_poison(const void *at, u64 size, enum shadow why)
{
}

static inline void
asan_unpoison(const void *at, u64 size)
{
}

static inline void
asan_free(const void *at, u64 size, enum shadow why)
{
}

static inline void
asan_check(const void *at, u64 size, bool write)
{
}
#endif

/* The bytes of an object from one member on, and up to another one. */
#define FROM_MEMBER(obj, first)                                                \
	&(obj)->first, sizeof(*(obj)) - offsetof(__typeof__(*(obj)), first)
#define BETWEEN_MEMBERS(obj, first, end)                                       \
	&(obj)->first, offsetof(__typeof__(*(obj)), end) -                     \
			       offsetof(__typeof__(*(obj)), first)

#endif
