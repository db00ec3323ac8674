/* SPDX-License-Identifier: MIT */
/*
 * fault.c - a page is touched that cannot be used as it is.
 *
 * What a leaf entry may be, and what a touch makes of it:
 *
 *   entry            read                      write
 *   V, allows it     nothing: the TLB was behind
 *   V, COW           (allowed)                 frame is ours alone: add W
 *                                              else: copy, drop the old one
 *   V, else          refused                   refused
 *   FRESH            fill the promised frame with zeroes, map it writable;
 *                    if it is shared, treat it as 0
 *   0, in bss/heap   map the zero page, COW    map a new page of zeroes
 *   0, elsewhere     refused                   refused
 *
 * Stores by the process and writes by the kernel on its behalf (uaccess.c)
 * come through here alike.  "Ours alone" needs both a leaf table of our own
 * and a frame that no other table names; vm_private() sees to the first and
 * raises the frame's count when it splits a table, so the second test sees
 * the other side.
 *
 * Sequential faults are taken together: a fault where the last one's run
 * ended doubles the run, up to AROUND_MAX pages that can be resolved alike.
 * Any other fault starts again with one page, so sparse writers pay for what
 * they touch and no more.
 */
#include "kernel/check/plant.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/tune.h"
#include "kernel/mm/vm.h"
#include "kernel/mm/zero.h"
#include "kernel/proc/hart.h"

enum { AROUND_MAX = 64 };

#define WRITABLE (PTE_R | PTE_W | PTE_D | PTE_USER)

u8 zero_page[PGSIZE] __aligned(PGSIZE);

/* May untouched memory at va be had for the asking? */
static bool
in_demand_zero(const struct vm *vm, uaddr va)
{
	return (va >= vm->heap && va < vm->brk) ||
	       (va >= vm->bss.lo && va < vm->bss.hi);
}

/* Put a new page of zeroes at pte, which names no frame any more. */
static int
map_zeroed(struct vm *vm, pte_t *pte)
{
	struct page *pg =
		PLANTED(zero_skip) ? page_alloc() : page_alloc_zeroed();

	if (pg == NULL)
		return -ENOMEM;
	STAT(fault_fill);
	STAT_ADD(bytes_zeroed, PGSIZE);
	vm_set(vm, pte, PTE_MAKE(page_pa(pg), WRITABLE));
	return 0;
}

/* Has nobody written to the page?  For DEBUG_ASSERT. */
static bool
is_zeroed(const u8 *page)
{
	for (u64 i = 0; i < PGSIZE; i++)
		if (page[i] != 0)
			return false;
	return true;
}

static int
touch_empty(struct vm *vm, uaddr va, enum fault_kind kind)
{
	pte_t *pte = vm_private(vm, va);

	if (pte == NULL)
		return -ENOMEM;
	if (kind == FAULT_WRITE || !tune.zeropage)
		return map_zeroed(vm, pte);
	STAT(fault_zero);
	DEBUG_ASSERT(is_zeroed(zero_page));
	vm_set(vm, pte,
		PTE_MAKE(kva_to_pa(zero_page), PTE_R | PTE_COW | PTE_USER));
	return 0;
}

static int
touch_fresh(struct vm *vm, uaddr va, enum fault_kind kind)
{
	pte_t *pte = vm_private(vm, va);
	struct page *pg;
	int err;

	if (pte == NULL)
		return -ENOMEM;
	DEBUG_ASSERT((*pte & PTE_FRESH) && !(*pte & PTE_V));
	pg = page_of(PTE_PA(*pte));
	if (!page_sole(pg)) {
		/* Nothing was ever in it: let the others have it. */
		err = touch_empty(vm, va, kind);
		if (err == 0)
			page_put(pg);
		return err;
	}
	if (!PLANTED(zero_skip))
		page_zero(page_kva(pg));
	STAT(fault_fill);
	STAT_ADD(bytes_zeroed, PGSIZE);
	vm_set(vm, pte, PTE_MAKE(page_pa(pg), WRITABLE));
	return 0;
}

/* A write to a page that may be written once it is not shared. */
static int
cow_break(struct vm *vm, uaddr va, bool kernel)
{
	pte_t *pte = vm_private(vm, va);
	struct page *old, *new;
	u64 bits;

	if (pte == NULL)
		return -ENOMEM;
	if (is_zero_page(*pte))
		return map_zeroed(vm, pte);

	DEBUG_ASSERT((*pte & PTE_COW) && !(*pte & PTE_W));
	bits = (*pte & PTE_BITS & ~PTE_COW) | PTE_W | PTE_D;
	old = page_of(PTE_PA(*pte));
	if (tune.reuse && page_sole(old)) {
		STAT(fault_reuse);
		vm_set(vm, pte, PTE_MAKE(page_pa(old), bits));
		return 0;
	}
	if (PLANTED(drop_first))
		page_put(old);
	new = page_alloc();
	if (new == NULL)
		return -ENOMEM;
	page_copy(page_kva(new), page_kva(old));
	if (DEBUG)
		owner_note(old, OWNER_COPY, FRAME_HERE());
	STAT(fault_copy);
	if (kernel)
		STAT_ADD(bytes_copyout, PGSIZE);
	else
		STAT_ADD(bytes_fault, PGSIZE);
	vm_set(vm, pte, PTE_MAKE(page_pa(new), bits));
	if (!MISTAKEN(old_page_kept) && !PLANTED(drop_first))
		page_put(old);
	return 0;
}

/* The PTE bit that an access needs. */
static u64
right_for(enum fault_kind kind)
{
	if (kind == FAULT_WRITE)
		return PTE_W;
	return kind == FAULT_EXEC ? PTE_X : PTE_R;
}

/* Resolve one page: 0, -EFAULT or -ENOMEM; -EAGAIN: it was usable. */
static int
resolve(struct vm *vm, uaddr va, enum fault_kind kind, bool kernel)
{
	const pte_t *at = walk(vm, va);
	pte_t pte = at == NULL ? 0 : *at;

	if (pte & PTE_V) {
		if (pte & right_for(kind))
			return -EAGAIN;
		if (kind == FAULT_WRITE && (pte & PTE_COW))
			return cow_break(vm, va, kernel);
		return -EFAULT;
	}
	if (kind == FAULT_EXEC)
		return -EFAULT;
	if (pte & PTE_FRESH)
		return touch_fresh(vm, va, kind);
	if (in_demand_zero(vm, va))
		return touch_empty(vm, va, kind);
	return -EFAULT;
}

/* How many pages to resolve at a fault at va. */
static u32
run_length(const struct vm *vm, uaddr va)
{
	if (!tune.around || va != vm->fault_next)
		return 1;
	return MIN(vm->fault_run * 2, (u32)AROUND_MAX);
}

/* Resolve what follows va alike, as far as that works, within the table. */
static void
fault_around(struct vm *vm, uaddr va, enum fault_kind kind, bool kernel)
{
	u32 run = run_length(vm, va), done = 1;

	for (; done < run; done++) {
		va += PGSIZE;
		if (PT_INDEX(va, 0) == 0)
			break;
		if (resolve(vm, va, kind, kernel) != 0)
			break;
		STAT(fault_around);
	}
	vm->fault_run = run;
	vm->fault_next = va + (done == run ? PGSIZE : 0);
}

int
vm_fault(struct vm *vm, uaddr va, enum fault_kind kind, bool kernel)
{
	int err;

	if (va >= USERTOP)
		return -EFAULT;
	va = PGROUNDDOWN(va);
	err = resolve(vm, va, kind, kernel);
	if (err == -EAGAIN) {
		STAT(fault_stale);
		vm->stale = true;
		return 0;
	}
	if (err == 0)
		fault_around(vm, va, kind, kernel);
	return err;
}
