/* SPDX-License-Identifier: MIT */
/*
 * brk.c - the end of the heap moves: what is dropped, and what is promised.
 *
 * Eager growth promises a frame to each page (PTE_FRESH), and fails if there
 * are not enough; nothing is filled before it is touched (mm/fault.c).  Lazy
 * growth moves the end and no more.
 */
#include "kernel/lock/sleeplock.h"
#include "kernel/mm/page.h"
#include "kernel/mm/pagecache.h"
#include "kernel/mm/table.h"

/* Drop one leaf table from vm, whole. */
static void
drop_leaf(struct vm *vm, pte_t *slot)
{
	struct page *leaf = page_of(PTE_PA(*slot));

	*slot = 0;
	vm_withdraw(vm);
	tlb_flush();
	leaf_put(leaf);
}

/* Drop the entries for [lo, hi), all in one leaf table: 0 or -ENOMEM. */
static int
drop_entries(struct vm *vm, pte_t *slot, uaddr lo, uaddr hi)
{
	pte_t *pte = vm_private(vm, lo);
	struct page *leaf;

	if (pte == NULL)
		return -ENOMEM;
	for (; lo < hi; lo += PGSIZE, pte++) {
		pte_t old = *pte;

		if (old == 0)
			continue;
		vm_set(vm, pte, 0);
		entry_put(old);
	}
	leaf = page_of(PTE_PA(*slot));
	if (leaf->used == 0)
		drop_leaf(vm, slot);
	return 0;
}

/* Is anything mapped in [lo, hi), which lies in the leaf table at slot? */
static bool
any_mapped(pte_t *slot, uaddr lo, uaddr hi)
{
	const pte_t *table = table_of(*slot);

	for (; lo < hi; lo += PGSIZE)
		if (table[PT_INDEX(lo, 0)] != 0)
			return true;
	return false;
}

/* Drop what is mapped in the pages of [lo, hi): 0 or -ENOMEM. */
static int
uvmunmap(struct vm *vm, uaddr lo, uaddr hi)
{
	while (lo < hi) {
		uaddr next = MIN((lo | (LEAF_SPAN - 1)) + 1, hi);
		pte_t *slot = leaf_slot(vm, lo);
		int err = 0;

		if (slot == NULL) {
			lo = (lo | ((1UL << GIB_SHIFT) - 1)) + 1;
			continue;
		}
		if (*slot != 0) {
			if (lo % LEAF_SPAN == 0 && next == lo + LEAF_SPAN)
				drop_leaf(vm, slot);
			else if (any_mapped(slot, lo, next))
				err = drop_entries(vm, slot, lo, next);
		}
		if (err)
			return err;
		lo = next;
	}
	return 0;
}

/* Free the middle tables, empty by now, of the GiB from lo up to hi. */
static void
trim_middles(struct vm *vm, uaddr lo, uaddr hi)
{
	u64 gib = (lo + (1UL << GIB_SHIFT) - 1) >> GIB_SHIFT;

	for (; gib << GIB_SHIFT < hi; gib++) {
		pte_t *middle;

		if (vm->root[gib] == 0)
			continue;
		middle = table_of(vm->root[gib]);
		vm->root[gib] = 0;
		vm_withdraw(vm);
		/* No walk of this hart's may go through what is free. */
		tlb_flush();
		kfree(middle);
	}
}

/*
 * Everything at or above newbrk goes.  Only the first leaf table can be
 * dropped in part, and so need memory to be split: after it nothing fails,
 * and if it fails nothing has changed.
 */
static int
shrink(struct vm *vm, u64 newbrk)
{
	uaddr lo = PGROUNDUP(newbrk);
	uaddr hi = (vm->brk + LEAF_SPAN - 1) & ~(LEAF_SPAN - 1);
	int err;

	err = uvmunmap(vm, lo, hi);
	if (err)
		return err;
	trim_middles(vm, newbrk, hi);
	/* Below the first heap: what was there is gone, the rest is heap. */
	vm->heap = MIN(vm->heap, PGROUNDDOWN(newbrk));
	vm->bss.hi = MIN(vm->bss.hi, lo);
	vm->bss.lo = MIN(vm->bss.lo, lo);
	vm->brk = newbrk;
	return 0;
}

/*
 * n frames for a reservation, or NULL.  To take all there is and then fail
 * would starve others meanwhile, and two that do it at once would fail both:
 * so it is looked at before, leaf tables included, and one at a time.
 */
static struct page *
reserve_frames(u64 n)
{
	static struct sleeplock one = SLEEPLOCK("reservation");
	struct page *list = NULL;

	sleeplock_acquire(&one);
	if (n + n / PT_ENTRIES <= page_count_free() + pagecache_count())
		list = page_alloc_list(n);
	sleeplock_release(&one);
	return list;
}

/* Promise a frame to every page of [lo, hi): all, or -ENOMEM and none. */
static int
reserve(struct vm *vm, uaddr lo, uaddr hi)
{
	u64 n = (hi - lo) >> PGSHIFT;
	struct page *list, *pg;
	uaddr va = lo;

	if (n == 0)
		return 0;
	list = reserve_frames(n);
	if (list == NULL)
		return -ENOMEM;
	for (; va < hi; va += PGSIZE) {
		pte_t *pte = vm_private(vm, va);

		if (pte == NULL)
			goto undo;
		ASSERT(*pte == 0);
		pg = list;
		list = pg->next;
		vm_set(vm, pte, PTE_MAKE(page_pa(pg), PTE_FRESH));
	}
	return 0;

undo:
	page_put_list(list);
	/* The tables of [lo, va) are private: this takes no memory. */
	if (uvmunmap(vm, lo, va) != 0)
		panic("vm: cannot undo a reservation", lo);
	trim_middles(vm, vm->brk, hi);
	return -ENOMEM;
}

i64
vm_grow(struct vm *vm, i64 n, bool lazy)
{
	u64 oldbrk = vm->brk, newbrk = oldbrk + n;
	int err = 0;

	/* Less than nothing: programs expect success, and no change. */
	if (n < 0 && newbrk > oldbrk)
		return (i64)oldbrk;
	if (n > 0 && (newbrk < oldbrk || newbrk > USERTOP))
		return -ENOMEM;
	if (n < 0)
		err = shrink(vm, newbrk);
	else if (!lazy)
		err = reserve(vm, PGROUNDUP(oldbrk), PGROUNDUP(newbrk));
	if (err)
		return err;
	vm->brk = newbrk;
	return (i64)oldbrk;
}
