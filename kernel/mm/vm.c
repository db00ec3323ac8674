/* SPDX-License-Identifier: MIT */
/*
 * vm.c - address spaces: tables, sharing, sizes.
 *
 * Copy on write has two levels here.  Pages are shared and copied by the
 * first to write, as everywhere; but fork() does not even touch them one by
 * one.  It shares whole leaf tables, each of which maps 2 MiB, and a table is
 * copied by the first who has to change an entry of it (after "On-demand-
 * fork", EuroSys 2021).  So fork and exit cost one reference per 2 MiB, and
 * a child that calls exec() never pays for the pages of its parent.
 *
 *   root table      one per address space; upper half: the kernel's
 *   middle tables   one per GiB in use; belong to one address space
 *   leaf tables     page.refs = number of middle entries that point to it
 *   page frames     page.refs = number of leaf tables that name it, once
 *                   for each entry, plus kernel owners such as the page cache
 *
 * What keeps it right:
 *
 *   - A leaf table with one reference belongs to the address space that has
 *     it, and only the hart that runs that process touches it.  One with more
 *     is never written to, by anybody (hardware may set A bits).
 *   - A leaf table is sealed when no entry has PTE_W.  fork() seals a table
 *     before it shares it, so no shared table lets anyone write, and a frame
 *     that several tables name is writable in none.
 *   - Whoever splits a table (table_split) raises the count of every frame
 *     in it before letting go of the old one, whose references keep the frames
 *     alive meanwhile.  If that was the last reference to the old table, its
 *     references are dropped with it.
 *   - PTE_COW and PTE_W exclude each other.  PTE_COW means: the process may
 *     write here, once the table and the frame are its own.
 *
 * The TLB.  The kernel never uses user addresses, so a translation that is
 * withdrawn matters only when the process runs again: the functions here set
 * vm->stale, and user_return() flushes once, however many there were.  No
 * other hart can have translations of this address space that it could still
 * use, for vm_switch() flushes whatever was there.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/tune.h"
#include "kernel/mm/vm.h"
#include "kernel/mm/zero.h"
#include "kernel/proc/hart.h"
#include "kernel/trap/csr.h"

#define GIB_SHIFT  30
#define LEAF_SHIFT 21
#define LEAF_SPAN  (1UL << LEAF_SHIFT)

static pte_t *
table_of(pte_t pte)
{
	return pa_to_kva(PTE_PA(pte));
}

/* ---- what entries name */

/* The zero page is in more tables than a count could follow: not counted. */
static bool
entry_counted(pte_t pte)
{
	return pte != 0 && !is_zero_page(pte);
}

static void
entry_get(pte_t pte)
{
	if (entry_counted(pte))
		page_get(page_of(PTE_PA(pte)));
}

static void
entry_put(pte_t pte)
{
	if (entry_counted(pte))
		page_put(page_of(PTE_PA(pte)));
}

/* ---- leaf tables */

static struct page *
leaf_new(void)
{
	struct page *pg = page_alloc_zeroed();

	if (pg == NULL)
		return NULL;
	pg->used = 0;
	pg->sealed = true;
	return pg;
}

/* Drop a reference to a leaf table, and with the last what it names. */
static void
leaf_put(struct page *leaf)
{
	pte_t *pte = page_kva(leaf);
	u32 left = leaf->used;

	if (!page_drop(leaf))
		return;
	for (; left > 0; pte++) {
		if (*pte == 0)
			continue;
		entry_put(*pte);
		left--;
	}
	page_release(leaf);
}

/* Take PTE_W from every entry of a table that is the caller's alone. */
static void
leaf_seal(struct page *leaf)
{
	pte_t *pte = page_kva(leaf);

	for (u32 left = leaf->used; left > 0; pte++) {
		if (*pte == 0)
			continue;
		if (*pte & PTE_W)
			*pte = (*pte & ~PTE_W) | PTE_COW;
		left--;
	}
	leaf->sealed = true;
}

/* Replace the shared leaf table at *slot by a copy: 0 or -ENOMEM. */
static int
leaf_split(struct vm *vm, pte_t *slot)
{
	struct page *old = page_of(PTE_PA(*slot)), *new = page_alloc();
	const pte_t *from = page_kva(old);
	pte_t *to, *end;

	if (new == NULL)
		return -ENOMEM;
	to = page_kva(new);
	end = to + PT_ENTRIES;
	for (u32 left = old->used; left > 0; to++, from++) {
		ASSERT(to < end);
		*to = *from;
		if (*to == 0)
			continue;
		entry_get(*to);
		left--;
	}
	memset(to, 0, (u64)end - (u64)to);
	new->used = old->used;
	new->sealed = true;
	*slot = PTE_MAKE(page_pa(new), PTE_V);
	vm->stale = true;
	leaf_put(old);
	STAT(tables_split);
	return 0;
}

/* ---- the way down */

/* The root entry for va; tables for other GiB have their own. */
static pte_t *
root_slot(const struct vm *vm, uaddr va)
{
	ASSERT(va < MAXVA);
	return &vm->root[PT_INDEX(va, 2)];
}

/* The middle entry for va, or NULL where there is no middle table. */
static pte_t *
leaf_slot(const struct vm *vm, uaddr va)
{
	pte_t *slot = root_slot(vm, va);

	return *slot == 0 ? NULL : &table_of(*slot)[PT_INDEX(va, 1)];
}

/* The same, but with a middle table made if need be; NULL: no memory. */
static pte_t *
leaf_slot_make(struct vm *vm, uaddr va)
{
	pte_t *slot = root_slot(vm, va);

	if (*slot == 0) {
		struct page *pg = page_alloc_zeroed();

		if (pg == NULL)
			return NULL;
		*slot = PTE_MAKE(page_pa(pg), PTE_V);
	}
	return &table_of(*slot)[PT_INDEX(va, 1)];
}

pte_t *
walk(const struct vm *vm, uaddr va)
{
	pte_t *slot = leaf_slot(vm, va);

	if (slot == NULL || *slot == 0)
		return NULL;
	return &table_of(*slot)[PT_INDEX(va, 0)];
}

pte_t *
vm_private(struct vm *vm, uaddr va)
{
	pte_t *slot = leaf_slot_make(vm, va);
	struct page *leaf;

	if (slot == NULL)
		return NULL;
	if (*slot == 0) {
		leaf = leaf_new();
		if (leaf == NULL)
			return NULL;
		*slot = PTE_MAKE(page_pa(leaf), PTE_V);
	} else if (!page_sole(page_of(PTE_PA(*slot)))) {
		if (leaf_split(vm, slot) != 0)
			return NULL;
	}
	return &table_of(*slot)[PT_INDEX(va, 0)];
}

/*
 * vm_set: store an entry got from vm_private().  Keeps the table's count and
 * seal; what the old entry named is the caller's business.
 */
void
vm_set(struct vm *vm, pte_t *pte, pte_t value)
{
	struct page *leaf = page_of(kva_to_pa((void *)PGROUNDDOWN((u64)pte)));

	DEBUG_ASSERT(page_sole(leaf));
	ASSERT(!(value & PTE_W) || !(value & PTE_COW));
	leaf->used += (value != 0) - (*pte != 0);
	if (value & PTE_W)
		leaf->sealed = false;
	/*
	 * More rights to the same frame need no flush: a hart that remembers
	 * fewer faults, finds the entry good, and flushes then.
	 */
	if ((*pte & PTE_V) && (*pte & ~value & (PTE_PERM | PTE_V) ||
				      PTE_PA(*pte) != PTE_PA(value)))
		vm->stale = true;
	*pte = value;
}

int
vm_map(struct vm *vm, uaddr va, struct page *pg, u64 perm)
{
	pte_t *pte = vm_private(vm, va);

	if (pte == NULL)
		return -ENOMEM;
	ASSERT(*pte == 0);
	vm_set(vm, pte, PTE_MAKE(page_pa(pg), perm | PTE_USER));
	return 0;
}

/* ---- whole address spaces */

int
vm_init(struct vm *vm)
{
	struct page *pg = page_alloc();

	if (pg == NULL)
		return -ENOMEM;
	*vm = (struct vm){.root = page_kva(pg)};
	for (int i = 0; i < PT_ENTRIES / 2; i++)
		vm->root[i] = 0;
	for (int i = PT_ENTRIES / 2; i < PT_ENTRIES; i++)
		vm->root[i] = kernel_root[i];
	return 0;
}

/* How many entries of the middle table for gib lie below vm's end. */
static int
middle_used(const struct vm *vm, u64 gib)
{
	u64 leaves = (vm->brk + LEAF_SPAN - 1) >> LEAF_SHIFT;

	return MIN(leaves - (gib << (GIB_SHIFT - LEAF_SHIFT)), (u64)PT_ENTRIES);
}

/* Root entries that vm may use: nothing is mapped at or above its end. */
static u64
roots_used(const struct vm *vm)
{
	return (vm->brk + (1UL << GIB_SHIFT) - 1) >> GIB_SHIFT;
}

void
vm_clear(struct vm *vm)
{
	if (vm->root == NULL)
		return;
	for (u64 gib = 0; gib < roots_used(vm); gib++) {
		pte_t *middle;

		if (vm->root[gib] == 0)
			continue;
		middle = table_of(vm->root[gib]);
		for (int i = 0; i < middle_used(vm, gib); i++)
			if (middle[i] != 0)
				leaf_put(page_of(PTE_PA(middle[i])));
		kfree(middle);
	}
	kfree(vm->root);
	*vm = (struct vm){0};
}

void
vm_each_table(const struct vm *vm, vm_visit *visit, void *ctx)
{
	visit(page_of(kva_to_pa(vm->root)), 2, 0, ctx);
	for (u64 gib = 0; gib < PT_ENTRIES / 2; gib++) {
		const pte_t *middle;
		uaddr va = gib << GIB_SHIFT;

		if (vm->root[gib] == 0)
			continue;
		middle = table_of(vm->root[gib]);
		visit(page_of(kva_to_pa(middle)), 1, va, ctx);
		for (u64 i = 0; i < PT_ENTRIES; i++)
			if (middle[i] != 0)
				visit(page_of(PTE_PA(middle[i])), 0,
					va + (i << LEAF_SHIFT), ctx);
	}
}

void
vm_switch(const struct vm *vm)
{
	const pte_t *root = vm == NULL ? kernel_root : vm->root;

	csr_write(satp, SATP_SV39 | kva_to_pa(root) >> PGSHIFT);
	/*
	 * Orders the new root before all that follows, and drops what this
	 * hart knew of other address spaces.
	 */
	if (vm != NULL)
		asm volatile("sfence.vma" ::: "memory");
}

/* ---- fork */

/* Give child a middle table wherever parent has one: 0 or -ENOMEM. */
static int
copy_middles(struct vm *child, const struct vm *parent)
{
	for (u64 gib = 0; gib < roots_used(parent); gib++) {
		struct page *pg;

		if (parent->root[gib] == 0)
			continue;
		pg = page_alloc_zeroed();
		if (pg == NULL)
			return -ENOMEM;
		child->root[gib] = PTE_MAKE(page_pa(pg), PTE_V);
	}
	return 0;
}

static void
share_leaf(struct vm *parent, pte_t *to, pte_t from)
{
	struct page *leaf = page_of(PTE_PA(from));

	/* A table that others have too was sealed when it was shared. */
	if (!leaf->sealed) {
		ASSERT(page_sole(leaf));
		leaf_seal(leaf);
		parent->stale = true;
	}
	page_get(leaf);
	*to = from;
	STAT(tables_shared);
	STAT_ADD(pages_shared, leaf->used);
}

static void
share_leaves(struct vm *child, struct vm *parent)
{
	for (u64 gib = 0; gib < roots_used(parent); gib++) {
		pte_t *from, *to;

		if (parent->root[gib] == 0)
			continue;
		from = table_of(parent->root[gib]);
		to = table_of(child->root[gib]);
		for (int i = 0; i < middle_used(parent, gib); i++)
			if (from[i] != 0)
				share_leaf(parent, &to[i], from[i]);
	}
}

/* COW=0: a page of the child's own for an entry of the parent's. */
static int
copy_entry(struct vm *child, uaddr va, pte_t from)
{
	pte_t *pte = vm_private(child, va);
	struct page *pg;

	if (pte == NULL)
		return -ENOMEM;
	if (is_zero_page(from) || !(from & (PTE_W | PTE_COW | PTE_FRESH))) {
		entry_get(from);
		vm_set(child, pte, from);
		return 0;
	}
	pg = page_alloc();
	if (pg == NULL)
		return -ENOMEM;
	if (from & PTE_V) {
		page_copy(page_kva(pg), pa_to_kva(PTE_PA(from)));
		STAT_ADD(bytes_fork, PGSIZE);
		from = (from & ~PTE_COW) | PTE_W;
	}
	vm_set(child, pte, PTE_MAKE(page_pa(pg), from & PTE_BITS));
	return 0;
}

static int
copy_pages(struct vm *child, const struct vm *parent)
{
	int err = 0;

	for (uaddr va = 0; va < parent->brk && err == 0;) {
		pte_t *pte = walk(parent, va);

		if (pte == NULL) {
			va = (va | (LEAF_SPAN - 1)) + 1;
			continue;
		}
		if (*pte != 0)
			err = copy_entry(child, va, *pte);
		va += PGSIZE;
	}
	return err;
}

int
uvmcopy(struct vm *child, struct vm *parent)
{
	int err;

	child->brk = parent->brk;
	child->heap = parent->heap;
	child->bss = parent->bss;
	if (!tune.cow) {
		err = copy_pages(child, parent);
	} else {
		err = copy_middles(child, parent);
		if (err == 0)
			share_leaves(child, parent); /* cannot fail */
	}
	if (err)
		vm_clear(child);
	return err;
}

/* ---- size */

/* Drop one leaf table from vm, whole. */
static void
drop_leaf(struct vm *vm, pte_t *slot)
{
	struct page *leaf = page_of(PTE_PA(*slot));

	*slot = 0;
	vm->stale = true;
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

int
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
		if (vm->root[gib] == 0)
			continue;
		kfree(table_of(vm->root[gib]));
		vm->root[gib] = 0;
		vm->stale = true;
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
	vm->heap = MIN(vm->heap, lo);
	vm->bss.hi = MIN(vm->bss.hi, lo);
	vm->bss.lo = MIN(vm->bss.lo, lo);
	vm->brk = newbrk;
	return 0;
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
	if (n > page_count_total())
		return -ENOMEM;
	list = page_alloc_list(n);
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

	if (n < 0 && newbrk > oldbrk)
		return -EINVAL;
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
