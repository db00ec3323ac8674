/* SPDX-License-Identifier: MIT */
/*
 * table.c - page tables of processes: their entries, and the leaf tables that
 * fork shares.  What keeps them right is told in vm.c.
 */
#include "kernel/check/plant.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/table.h"
#include "kernel/mm/zero.h"
#include "kernel/proc/proc.h"

/* The zero page is in more tables than a count could follow: not counted. */
static bool
entry_counted(pte_t pte)
{
	return pte != 0 && !is_zero_page(pte);
}

void
entry_get(pte_t pte)
{
	if (entry_counted(pte))
		page_get(page_of(PTE_PA(pte)));
}

void
entry_put(pte_t pte)
{
	if (entry_counted(pte))
		page_put(page_of(PTE_PA(pte)));
}

/* ---- leaf tables */

bool
leaf_sound(const struct page *leaf)
{
	const pte_t *pte = page_kva(leaf);
	u32 used = 0;

	for (int i = 0; i < PT_ENTRIES; i++) {
		used += pte[i] != 0;
		if (leaf->sealed && (pte[i] & PTE_W))
			return false;
	}
	return used == leaf->used;
}

/*
 * May an entry be what value says?  A frame that may be written to belongs to
 * one table alone, and the zero page to nobody.
 */
static bool
entry_sound(pte_t value)
{
	if (value == 0)
		return true;
	if (!(value & PTE_V) == !(value & PTE_FRESH))
		return false;
	if (!(value & PTE_W))
		return true;
	return !is_zero_page(value) && page_sole(page_of(PTE_PA(value)));
}

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

void
leaf_put(struct page *leaf)
{
	pte_t *pte = page_kva(leaf);
	u32 left = leaf->used;

	if (!page_drop(leaf))
		return;
	DEBUG_ASSERT(leaf_sound(leaf));
	for (; left > 0; pte++) {
		if (*pte == 0)
			continue;
		entry_put(*pte);
		left--;
	}
	page_release(leaf);
}

void
leaf_seal(struct page *leaf)
{
	pte_t *pte = page_kva(leaf);

	DEBUG_ASSERT(leaf_sound(leaf));
	for (u32 left = leaf->used; left > 0; pte++) {
		if (*pte == 0)
			continue;
		if (MISTAKEN(fork_unsealed) && left == 1)
			break;
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
	/* A shared table is in use; so it is the running process's. */
	DEBUG_ASSERT(vm == myproc()->vm);
	/* It was shared when last looked at, hence sealed for good. */
	DEBUG_ASSERT(old->sealed && leaf_sound(old));
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
	/* There is room for one: the second of a copy over two tables waits. */
	if (vm->outgoing != NULL)
		vm_flush(vm);
	vm->outgoing = old;
	vm_withdraw(vm);
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

pte_t *
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
 * Only the hart that runs a process changes its address space, or whoever
 * makes that process.  For DEBUG_ASSERT.
 */
static bool
vm_in_reach(const struct vm *vm)
{
	u64 at = (u64)vm - (u64)procs;
	const struct proc *p = &procs[at / sizeof(*p)];

	return at < sizeof(procs) && (p == myproc() || p->state == PROC_EMBRYO);
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
	DEBUG_ASSERT(vm_in_reach(vm) && entry_sound(value));
	leaf->used += (value != 0) - (*pte != 0);
	if (value & PTE_W)
		leaf->sealed = false;
	/*
	 * More rights to the same frame need no flush: a hart that remembers
	 * fewer faults, finds the entry good, and flushes then.
	 */
	if ((*pte & PTE_V) && (*pte & ~value & (PTE_PERM | PTE_V) ||
				      PTE_PA(*pte) != PTE_PA(value)))
		vm_withdraw(vm);
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
