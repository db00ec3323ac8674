/* SPDX-License-Identifier: MIT */
/* base.h - the types and small macros that all kernel code uses. */
#ifndef KERNEL_LIB_BASE_H
#define KERNEL_LIB_BASE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/errno.h"

typedef uint8 u8;
typedef uint16 u16;
typedef uint32 u32;
typedef uint64 u64;
typedef signed int i32;
typedef signed long i64;

typedef u64 paddr; /* physical address */
typedef u64 uaddr; /* user address: never dereferenced, see mm/uaccess.h */
typedef u64 pte_t; /* page table entry */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member)                                        \
	((type *)((char *)(ptr)-offsetof(type, member)))

#define MIN(a, b)                                                              \
	({                                                                     \
		__typeof__(a) min_a = (a);                                     \
		__typeof__(b) min_b = (b);                                     \
		min_a < min_b ? min_a : min_b;                                 \
	})
#define MAX(a, b)                                                              \
	({                                                                     \
		__typeof__(a) max_a = (a);                                     \
		__typeof__(b) max_b = (b);                                     \
		max_a > max_b ? max_a : max_b;                                 \
	})

/* Pointers double as error codes: the top page of addresses is no memory. */
#define ERR_PTR(err) ((void *)(i64)(err))
#define PTR_ERR(ptr) ((i64)(ptr))
#define IS_ERR(ptr)  ((u64)(ptr) >= (u64)-4095)

#define __packed     __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __noreturn   __attribute__((noreturn))
/* Only the audit calls it, which is no path through the kernel to cover. */
#define __audit_only __attribute__((no_sanitize_coverage))
#define __must_check __attribute__((warn_unused_result))

#include "kernel/lib/print.h"

/*
 * ASSERT stays in every build but RELEASE; DEBUG_ASSERT is for what costs
 * too much outside DEBUG builds.
 */
#if RELEASE
#define ASSERT(cond) ((void)sizeof(cond))
#else
#define ASSERT(cond)                                                           \
	do {                                                                   \
		if (__builtin_expect(!(cond), 0))                              \
			panic("assert: " #cond " at " __FILE__, __LINE__);     \
	} while (0)
#endif

#if DEBUG
#define DEBUG_ASSERT(cond) ASSERT(cond)
#else
#define DEBUG_ASSERT(cond) ((void)sizeof(cond))
#endif

#endif
