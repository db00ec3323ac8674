/* SPDX-License-Identifier: MIT */
/* table.h - page tables of processes, for mm/ itself (mm/table.c). */
#ifndef KERNEL_MM_TABLE_H
#define KERNEL_MM_TABLE_H

#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"

#define GIB_SHIFT  30
#define LEAF_SHIFT 21
#define LEAF_SPAN  (1UL << LEAF_SHIFT)

/* The table that an entry of an upper table points to. */
static inline pte_t *
table_of(pte_t pte)
{
	return pa_to_kva(PTE_PA(pte));
}

/* Orders all changes of entries so far before all walks to come. */
static inline void
tlb_flush(void)
{
	asm volatile("sfence.vma" ::: "memory");
}

/*
 * vm_withdraw: a process can no longer use a translation that it had; its
 * hart has to forget it before user mode runs again.
 */
static inline void
vm_withdraw(struct vm *vm)
{
	vm->stale = true;
	if (TLB_BOOKS)
		vm->withdrawn++;
}

/*
 * entry_get, entry_put: raise, drop the count of the frame that a leaf entry
 * names, if it names one that is counted.
 */
void entry_get(pte_t pte);
void entry_put(pte_t pte);

/* leaf_slot: the middle entry for va; NULL where there is no middle table. */
pte_t *leaf_slot(const struct vm *vm, uaddr va);

/* leaf_sound: is what the table says of its entries true?  For DEBUG_ASSERT. */
bool leaf_sound(const struct page *leaf);

/*
 * leaf_put: drop a reference to a leaf table; the last drops what it names.
 * If this hart is on tables that had it, it has flushed since: no walk may go
 * through what is free by then, and set bits in it.
 */
void leaf_put(struct page *leaf);

/* leaf_seal: take PTE_W from all entries of a table that is ours alone. */
void leaf_seal(struct page *leaf);

#endif
