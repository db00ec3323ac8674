/* SPDX-License-Identifier: MIT */
/*
 * vm.c - address spaces, and what fork does with them.
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
 *   leaf tables     page.refs = number of middle entries that point to it,
 *                   plus one for each vm that it is outgoing from
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
 *   - Whoever splits a table (leaf_split) raises the count of every frame
 *     in it before letting go of the old one, whose references keep the frames
 *     alive meanwhile.  If that was the last reference to the old table, its
 *     references are dropped with it.
 *   - PTE_COW and PTE_W exclude each other.  PTE_COW means: the process may
 *     write here, once the table and the frame are its own.
 *
 * The TLB.  The kernel never uses user addresses, so a translation that is
 * withdrawn matters only when the process runs again: vm_withdraw() sets
 * vm->stale, and leave_kernel() flushes once, however many there were.  A leaf
 * table that was split is kept until then (vm->outgoing), for its other owner
 * may drop it at any time, and no walk may go through what is free.  No
 * other hart can have translations of this address space that it could still
 * use, for on the way to another one vm_switch() flushes whatever was there.
 *
 * With TLB_BOOKS that is proved at each return to user mode, and by the audit
 * for all harts at once.  vm->withdrawn counts the withdrawals; a hart notes at
 * each flush whose tables it is on, and that count.  It may run user code only
 * if the tables are its process's and nothing was withdrawn since.  It is
 * right to look at one flush alone: each drops everything that the hart knew,
 * and between flushes it can only learn what is in the tables by then.
 */
#include "kernel/check/plant.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/table.h"
#include "kernel/mm/tune.h"
#include "kernel/mm/zero.h"
#include "kernel/proc/hart.h"
#include "kernel/trap/csr.h"

int
vm_init(struct vm *vm)
{
	struct page *pg = page_alloc();

	if (pg == NULL)
		return -ENOMEM;
	*vm = (struct vm){.root = page_kva(pg)};
	memset(vm->root, 0, PGSIZE / 2);
	memmove(vm->root + PT_ENTRIES / 2, kernel_root + PT_ENTRIES / 2,
		PGSIZE / 2);
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

/* Is nothing in table from entry i on, up to the given end? */
static bool
none_between(const pte_t *table, u64 i, u64 end)
{
	for (; i < end; i++)
		if (table[i] != 0)
			return false;
	return true;
}

/* The leaf table at *slot, which is empty then: no one meets what is free. */
static struct page *
take_leaf(pte_t *slot)
{
	struct page *leaf = page_of(PTE_PA(*slot));

	*slot = 0;
	return leaf;
}

void
vm_clear(struct vm *vm)
{
	if (vm->root == NULL)
		return;
	DEBUG_ASSERT(
		csr_read(satp) != (SATP_SV39 | kva_to_pa(vm->root) >> PGSHIFT));
	vm_let_go(vm);
	for (u64 gib = 0; gib < roots_used(vm); gib++) {
		pte_t *middle;

		if (vm->root[gib] == 0)
			continue;
		middle = table_of(vm->root[gib]);
		for (int i = 0; i < middle_used(vm, gib); i++)
			if (middle[i] != 0)
				leaf_put(take_leaf(&middle[i]));
		DEBUG_ASSERT(none_between(middle, 0, PT_ENTRIES));
		vm->root[gib] = 0;
		kfree(middle);
	}
	DEBUG_ASSERT(none_between(vm->root, 0, PT_ENTRIES / 2));
	kfree(vm->root);
	*vm = (struct vm){0};
}

__audit_only void
vm_each_table(const struct vm *vm, vm_visit *visit, void *ctx)
{
	int end = PT_ENTRIES / 2;

	visit(page_of(kva_to_pa(vm->root)), 2, 0, ctx);
	for (int gib = pte_used(vm->root, 0, end); gib < end;
		gib = pte_used(vm->root, gib + 1, end)) {
		const pte_t *middle = table_of(vm->root[gib]);
		uaddr va = (u64)gib << GIB_SHIFT;

		visit(page_of(kva_to_pa(middle)), 1, va, ctx);
		for (int i = pte_used(middle, 0, PT_ENTRIES); i < PT_ENTRIES;
			i = pte_used(middle, i + 1, PT_ENTRIES))
			visit(page_of(PTE_PA(middle[i])), 0,
				va + ((u64)i << LEAF_SHIFT), ctx);
	}
	if (vm->outgoing != NULL)
		visit(vm->outgoing, 0, MAXVA, ctx);
}

/*
 * This hart has just flushed its TLB, on the tables of vm; with NULL it is on
 * the kernel's, and may run no process before it flushes.
 */
static void
note_flush(struct vm *vm)
{
	if (vm != NULL)
		vm->stale = false;
	if (!TLB_BOOKS)
		return;
	hart_self()->tlb.vm = vm;
	hart_self()->tlb.withdrawn = vm == NULL ? 0 : vm->withdrawn;
}

void
vm_switch(struct vm *vm)
{
	const pte_t *root = vm == NULL ? kernel_root : vm->root;

	csr_write(satp, SATP_SV39 | kva_to_pa(root) >> PGSHIFT);
	/*
	 * Orders the new root before all that follows, and drops what this
	 * hart knew of other address spaces; and has it fetch instructions
	 * anew, for frames get new contents (Zifencei).  Also without a
	 * process: the tables we were on may be freed now, and as long as a
	 * hart knows of them it may walk them, and set bits in them, ahead of
	 * what it executes.
	 */
	asm volatile("sfence.vma\n\tfence.i" ::: "memory");
	note_flush(vm);
}

void
vm_flush(struct vm *vm)
{
	tlb_flush();
	note_flush(vm);
	vm_let_go(vm);
}

void
vm_let_go(struct vm *vm)
{
	struct page *leaf = vm->outgoing;

	vm->outgoing = NULL;
	if (leaf != NULL)
		leaf_put(leaf);
}

void
vm_check_flushed(const struct vm *vm)
{
	const struct hart *h = hart_self();

	if (h->tlb.vm != vm)
		panic("tlb: hart is on the tables of another", (u64)h->tlb.vm);
	if (h->tlb.withdrawn != vm->withdrawn)
		panic("tlb: translations were withdrawn and not flushed",
			vm->withdrawn - h->tlb.withdrawn);
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
		vm_withdraw(parent);
	}
	DEBUG_ASSERT(leaf_sound(leaf));
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
	if (DEBUG)
		owner_note(page_of(PTE_PA(from)), OWNER_COPY, FRAME_HERE());
	if (from & PTE_V) {
		page_copy(page_kva(pg), pa_to_kva(PTE_PA(from)));
		STAT_ADD(bytes_fork, PGSIZE);
		from = (from & ~PTE_COW) | PTE_W | PTE_D;
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
	if (err && !PLANTED(fork_leak))
		vm_clear(child);
	return err;
}
