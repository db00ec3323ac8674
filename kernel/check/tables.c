/* SPDX-License-Identifier: MIT */
/*
 * tables.c - the page tables of all processes, and what their entries say.
 *
 * The rules are those of the essay in mm/vm.c.  Every table and every frame
 * that is met is counted; check_frames() compares the counts in the end.
 */
#include "kernel/check/audit.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/mm/zero.h"
#include "kernel/proc/proc.h"

/* Whose address space is being walked, for the reports. */
struct walk {
	const struct proc *p;
	const struct vm *vm;
};

static void
entry_report(const struct walk *w, const char *what, uaddr va, pte_t pte)
{
	audit_report(what, "pid %d (%s), address %lx, entry %lx, frame %lx",
		w->p->pid, w->p->name, va, pte, PTE_PA(pte));
}

/* What must hold for an entry by itself. */
static void
check_entry(const struct walk *w, uaddr va, pte_t pte)
{
	/* What is outgoing is nowhere, and may be from before a shrink. */
	if (va >= w->vm->brk && va < MAXVA)
		entry_report(w, "page beyond the end of memory", va, pte);
	if ((pte & PTE_COW) && (pte & PTE_W))
		entry_report(w, "page both writable and COW", va, pte);
	if ((pte & PTE_FRESH) && !(pte & PTE_V) && (pte & PTE_PERM))
		entry_report(w, "promised page has rights", va, pte);
	if ((pte & PTE_V) && (pte & PTE_FRESH))
		entry_report(w, "page both present and promised", va, pte);
	if ((pte & PTE_W) && !(pte & PTE_D))
		entry_report(w, "writable page would trap", va, pte);
	if (!(pte & (PTE_V | PTE_FRESH)))
		entry_report(w, "entry neither empty nor in use", va, pte);
	if ((pte & PTE_V) && !(pte & PTE_U))
		entry_report(w, "user page for the kernel alone", va, pte);
	if (is_zero_page(pte)) {
		if (pte & PTE_W)
			entry_report(w, "zero page is writable", va, pte);
		return;
	}
	if (!page_managed(PTE_PA(pte))) {
		entry_report(w, "page is no memory", va, pte);
		return;
	}
	if (!frame_count(page_of(PTE_PA(pte)), USE_USER))
		entry_report(w, "user page of a frame in other use", va, pte);
}

/* The entries of a leaf table that is met for the first time. */
static void
check_leaf(const struct walk *w, const struct page *leaf, uaddr va)
{
	const pte_t *pte = page_kva(leaf);
	u32 used = 0;

	for (int i = pte_used(pte, 0, PT_ENTRIES); i < PT_ENTRIES;
		i = pte_used(pte, i + 1, PT_ENTRIES)) {
		uaddr at = va + (u64)i * PGSIZE;

		used++;
		check_entry(w, at, pte[i]);
		if ((pte[i] & PTE_W) && leaf->sealed)
			entry_report(w, "writable page in a sealed table", at,
				pte[i]);
	}
	if (used != leaf->used)
		audit_report("leaf table has another number of entries",
			"table %lx, counted %u, found %u", page_pa(leaf),
			leaf->used, used);
}

/* The upper half of every root table is a copy of the kernel's. */
static void
check_root(const struct page *root)
{
	const pte_t *pte = page_kva(root);
	u64 half = PT_ENTRIES / 2;

	if (memcmp(pte + half, kernel_root + half, half * sizeof(*pte)) == 0)
		return;
	for (int i = PT_ENTRIES / 2; i < PT_ENTRIES; i++)
		if (pte[i] != kernel_root[i])
			audit_report("root table has another kernel half",
				"table %lx, entry %d, is %lx", page_pa(root), i,
				pte[i]);
}

static void
visit_table(struct page *table, int level, uaddr va, void *ctx)
{
	static const enum frame_use uses[] = {USE_LEAF, USE_MIDDLE, USE_ROOT};

	if (!frame_count(table, uses[level]))
		return;
	if (level > 0 && frame_found(table) > 1)
		audit_report("upper table is shared", "table %lx, level %d",
			page_pa(table), level);
	if (level == 2)
		check_root(table);
	if (level == 0 && frame_found(table) == 1)
		check_leaf(ctx, table, va);
}

static void
count_tables(struct proc *p, struct vm *vm)
{
	struct walk w = {p, vm};

	vm_each_table(vm, visit_table, &w);
}

/* Now that all is counted: nothing that is shared may be written to. */
static void
check_leaf_sharing(const struct page *leaf)
{
	const pte_t *pte = page_kva(leaf);

	for (int i = pte_used(pte, 0, PT_ENTRIES); i < PT_ENTRIES;
		i = pte_used(pte, i + 1, PT_ENTRIES)) {
		const struct page *pg;

		if (!(pte[i] & PTE_W) || !page_managed(PTE_PA(pte[i])))
			continue;
		pg = page_of(PTE_PA(pte[i]));
		if (frame_found(leaf) > 1)
			audit_report("writable page in a shared table",
				"table %lx, shared %u times, entry %d",
				page_pa(leaf), frame_found(leaf), i);
		if (frame_found(pg) <= 1)
			continue;
		audit_report("shared frame is writable",
			"frame %lx, found %u times, table %lx, entry %d",
			page_pa(pg), frame_found(pg), page_pa(leaf), i);
		audit_owner(pg);
	}
}

void
check_tables(void)
{
	u64 used = page_fresh();

	audit_each_vm(count_tables);
	for (u64 i = 0; i < used; i++)
		if (frame_notes[i].use == USE_LEAF)
			check_leaf_sharing(page_at(i));
}
