/* SPDX-License-Identifier: MIT */
/* page.h - page frames: descriptors, references, allocation (mm/page.c). */
#ifndef KERNEL_MM_PAGE_H
#define KERNEL_MM_PAGE_H

#include "kernel/check/owner.h"
#include "kernel/lib/base.h"
#include "kernel/riscv.h"
#include "kernel/memlayout.h"

/* All physical memory and every device, as the kernel sees them. */
#define KVBASE 0xffffffc000000000UL

static inline void *
pa_to_kva(paddr pa)
{
	return (void *)(pa + KVBASE);
}

static inline paddr
kva_to_pa(const void *kva)
{
	return (u64)kva - KVBASE;
}

/*
 * One descriptor per frame that is managed.
 *
 *   [a] atomic
 *   [f] the lock of the free list that the frame is on, or, when it is on
 *       none, its owner's
 *   [t] frames that are leaf page tables: see mm/vm.c
 *
 * refs is the number of leaf PTEs that map the frame, counted once for each
 * leaf page table that has one, plus the number of kernel owners.
 */
struct page {
	u32 refs;  /* [a] 0: free */
	u16 used;  /* [t] PTEs that are not zero */
	u8 sealed; /* [t] no PTE is writable */
	u8 kept;   /* fixed: the kernel's for good, with one reference */
	struct page *next; /* [f] the list it is on */
};

/* page_of, page_kva, page_pa: between a managed frame and its descriptor. */
struct page *page_of(paddr pa);
paddr page_pa(const struct page *pg);

static inline void *
page_kva(const struct page *pg)
{
	return pa_to_kva(page_pa(pg));
}

/* page_managed: does the allocator own this frame? */
bool page_managed(paddr pa);

/* page_init: take over [start, end), on one hart, before any other call. */
void page_init(paddr start, paddr end);

/*
 * kalloc: a frame with one reference and undefined contents, as a kernel
 * address, or NULL when no frame is left on any hart.  Never sleeps; any
 * lock of a rank before pagecache may be held.
 */
void *kalloc(void) __must_check;

/* kfree: drop a reference, by kernel address; the last one frees. */
void kfree(void *kva);

/* page_alloc: kalloc() as a descriptor.  page_alloc_zeroed: filled with 0. */
struct page *page_alloc(void) __must_check;
struct page *page_alloc_zeroed(void) __must_check;

/* page_alloc_for: page_alloc() by a function for its caller, site. */
struct page *page_alloc_for(u64 site) __must_check;

/* page_get: one more reference; the caller holds or borrows one. */
static inline void
page_get(struct page *pg)
{
	u32 old = __atomic_fetch_add(&pg->refs, 1, __ATOMIC_RELAXED);

	ASSERT(old != 0);
	if (DEBUG)
		owner_share(pg);
}

/*
 * page_put: drop a reference; the last one frees the frame.  For frames that
 * hold references to others it comes in two steps: page_drop() is true if
 * the reference was the last, and page_release() then frees the frame.
 */
void page_put(struct page *pg);
bool page_drop(struct page *pg) __must_check;
void page_release(struct page *pg);

/*
 * page_sole: is the caller's reference the only one?  If so, what former
 * owners did to the frame has happened before (pairs with page_put()).
 */
static inline bool
page_sole(const struct page *pg)
{
	return __atomic_load_n(&pg->refs, __ATOMIC_ACQUIRE) == 1;
}

/*
 * page_alloc_list: n frames, linked by next, each with one reference; all
 * or none (NULL).  page_put_list: put every frame of such a list.
 */
struct page *page_alloc_list(u64 n) __must_check;
void page_put_list(struct page *list);

/* page_keep: the kernel will never free this frame, which it allocated. */
void page_keep(void *kva);
/* page_keep_all: the same for all that boot has allocated so far. */
void page_keep_all(void);

/* --- for the audit, with the other harts parked */

/*
 * page_list: the head of free list n and the length it says it has; the
 * depot and the harts have one each.  page_at: frame number n of those
 * managed; page_valid: is pg the descriptor of one?  page_fresh: frames from
 * this number on were never used.  page_books: PAGE_BOOK bytes for each
 * frame, the audit's own.
 */
enum { PAGE_LISTS = NCPU + 1, PAGE_BOOK = 8 };
void *page_books(void);
struct page *page_list(int n, u64 *count);
extern struct page *page_array; /* by frame number; fixed after boot */

static inline struct page *
page_at(u64 n)
{
	return &page_array[n];
}

static inline u64
page_number(const struct page *pg)
{
	return (u64)(pg - page_array);
}

bool page_valid(const struct page *pg);
u64 page_fresh(void);

/* How many frames are free, over all lists; exact when nobody allocates. */
u64 page_count_free(void);
u64 page_count_total(void);

/*
 * page_count_peak: the most frames that were in use at one time.  A few more,
 * for frames on a list of another hart are passed over for new ones.
 */
u64 page_count_peak(void);

#endif
