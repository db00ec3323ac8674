/* SPDX-License-Identifier: MIT */
/*
 * vm.h - the address space of a process (the essay is in mm/vm.c).
 */
#ifndef KERNEL_MM_VM_H
#define KERNEL_MM_VM_H

#include "kernel/check/plant.h"
#include "kernel/lib/base.h"
#include "kernel/riscv.h"
#include "kernel/trap/kstack.h"

/* Page table entries: Privileged Architecture, Sv39. */
#define PTE_V   (1UL << 0)
#define PTE_R   (1UL << 1)
#define PTE_W   (1UL << 2)
#define PTE_X   (1UL << 3)
#define PTE_U   (1UL << 4)
#define PTE_G   (1UL << 5)
#define PTE_A   (1UL << 6)
#define PTE_D   (1UL << 7)
#define PTE_COW (1UL << 8) /* RSW bit: writable once it is not shared */

/*
 * Not valid, but names a frame: memory that eager sbrk() has promised, not
 * yet filled with zeroes.  The first touch fills it and makes it valid.
 */
#define PTE_FRESH (1UL << 9)

/* What every user page has; D for those that may be written without a trap. */
#define PTE_USER (PTE_V | PTE_U | PTE_A)
#define PTE_PERM (PTE_R | PTE_W | PTE_X)
#define PTE_BITS 0x3ffUL /* all but the frame */

#define PTE_PA(pte)        (((pte) >> 10) << PGSHIFT)
#define PTE_MAKE(pa, bits) ((((pa) >> PGSHIFT) << 10) | (bits))

/* Index into the table of level 0 (leaf), 1 or 2 (root). */
#define PT_INDEX(va, level) (((va) >> (PGSHIFT + 9 * (level))) & 511)
#define PT_ENTRIES          512

struct page;

/* A range of pages that read as zeroes until first touched. */
struct vm_range {
	u64 lo; /* page aligned */
	u64 hi; /* page aligned; lo == hi: empty */
};

/*
 * Belongs to one process; only the hart that runs that process touches it,
 * but for fork() and exec(), which build one before its process runs.
 */
struct vm {
	pte_t *root; /* top page table; its upper half is the kernel */
	u64 brk;     /* end of the heap in bytes: what sbrk() moves */
	u64 heap;    /* lowest address that the heap may reach down to */
	struct vm_range bss;   /* zero-filled data of the program */
	u64 fault_next;        /* where a sequential run would fault next */
	u32 fault_run;         /* pages the last fault of the run resolved */
	bool stale;            /* flush the TLB before user mode runs again */
	struct page *outgoing; /* leaf table to be put when that is done */
	u64 withdrawn; /* TLB_BOOKS: how often a translation went away */
};

/* Is it noted who may have translations of what?  (mm/vm.c) */
#define TLB_BOOKS (DEBUG || PLANTED(audit))

/* --- address spaces (mm/vm.c) */

/* vm_init: make vm an empty address space: 0 or -ENOMEM. */
int vm_init(struct vm *vm);

/* vm_clear: drop all that vm maps and its tables.  No hart may be on it. */
void vm_clear(struct vm *vm);

/* vm_switch: run on vm's page table; NULL: on the kernel's own. */
void vm_switch(struct vm *vm);

/*
 * vm_flush: forget translations that were withdrawn from vm, the running, and
 * let go of what was kept until then.
 */
void vm_flush(struct vm *vm);

/*
 * vm_let_go: this hart knows nothing of vm any more; drop what was kept until
 * then.  May be called with any lock held that kfree() may.
 */
void vm_let_go(struct vm *vm);

/*
 * vm_check_flushed: with TLB_BOOKS, panics unless this hart is on vm's page
 * table and has flushed since the last translation was withdrawn.
 */
void vm_check_flushed(const struct vm *vm);

/*
 * uvmcopy: give child all that parent has, shared.  0 or -ENOMEM, and then
 * child is empty and parent is as it was.  parent must be the running vm.
 */
int uvmcopy(struct vm *child, struct vm *parent);

/*
 * vm_map: map frame pg at va with PTE bits perm (R, W, X, COW); takes over
 * the caller's reference.  0, or -ENOMEM and the reference stays with the
 * caller.  Nothing may be mapped at va.
 */
int vm_map(struct vm *vm, uaddr va, struct page *pg, u64 perm);

/* --- page tables (mm/table.c) */

/*
 * walk: the leaf PTE for va in vm, or NULL if there is no leaf table.  Read
 * only: the table may be shared (vm_private() gives one that may be written).
 */
pte_t *walk(const struct vm *vm, uaddr va);

/*
 * vm_private: the leaf PTE for va in a table that is vm's alone, which is
 * made or split from a shared one if need be; NULL if there is no memory.
 */
pte_t *vm_private(struct vm *vm, uaddr va);

/* vm_set: store an entry got from vm_private(), keeping the table's books. */
void vm_set(struct vm *vm, pte_t *pte, pte_t value);

/*
 * pte_used: the first of entries from to end - 1 of a table that is not 0, or
 * end.  Most are 0, and are passed by the cache line.
 */
static inline int
pte_used(const pte_t *table, int from, int end)
{
	while (from < end) {
		const pte_t *e = &table[from];

		if (from % 8 == 0 && from + 8 <= end &&
			(e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] |
				e[7]) == 0)
			from += 8;
		else if (*e == 0)
			from++;
		else
			break;
	}
	return from;
}

/*
 * vm_each_table: visit the root, middle (level 1) and leaf (0) tables of vm;
 * va is where what the table maps begins.  For the audit.
 */
typedef void vm_visit(struct page *table, int level, uaddr va, void *ctx);
void vm_each_table(const struct vm *vm, vm_visit *visit, void *ctx);

/* --- size (mm/brk.c) */

/*
 * vm_grow: move brk by n bytes; the old brk, or -ENOMEM.  Eagerly means that
 * every page has a frame of its own from then on, until a fork: the two then
 * share the promise, and the second to touch a page may find no memory.
 */
i64 vm_grow(struct vm *vm, i64 n, bool lazy);

/* --- faults (mm/fault.c) */

enum fault_kind { FAULT_READ, FAULT_WRITE, FAULT_EXEC };

/*
 * vm_fault: make va accessible for the given kind of access, by the kernel
 * or by the process.  0; -EFAULT if the process has no right to it; -ENOMEM,
 * and nothing has changed that anyone could see.
 */
int vm_fault(struct vm *vm, uaddr va, enum fault_kind kind, bool kernel);

/* --- kernel page table (mm/kvm.c) */

void kvm_init(void);      /* build it, on one hart */
void kvm_init_hart(void); /* use it, on each hart */

/* The kernel half of every root table is a copy of this one's. */
extern pte_t *kernel_root;

#define KSTACK_SIZE (1UL << KSTACK_SHIFT) /* and as much guard below it */
#define KSTACKS     0xffffffff00000000UL

/* kstack_base: the lowest address of the kernel stack of process slot n. */
static inline u64
kstack_base(int n)
{
	return KSTACKS + (2 * (u64)n + 1) * KSTACK_SIZE;
}

#endif
