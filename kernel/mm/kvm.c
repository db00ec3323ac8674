/* SPDX-License-Identifier: MIT */
/*
 * kvm.c - the kernel's half of every address space.
 *
 * One page table is built at boot.  Its root entries are copied into every
 * process's root table and never change again, so all of them share the
 * tables below.  Nothing is both writable and executable.
 *
 * RAM and devices are at physical address + KVBASE, in 4 KiB pages.  The
 * KSTACKS window has a place for the stack of each process slot: a guard of
 * KSTACK_SIZE that is never mapped, and the stack above it.  Bit KSTACK_SHIFT
 * of an address on a stack is therefore 1, and 0 on a guard; vector.S tells an
 * overflow by that.
 *
 * All stacks are mapped at boot and for good.  What a process keeps on its
 * stack is used by other harts too (the disk's interrupt ends its requests
 * there), so to move one would take a TLB flush on every hart.
 */
#include "kernel/boot/boot.h"
#include "kernel/check/asan.h"
#include "kernel/dev/fdt.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/csr.h"

extern char kernel_text[], kernel_etext[];
extern char kernel_rodata[], kernel_erodata[];

#define PERM_DATA   (PTE_R | PTE_W | PTE_A | PTE_D)
#define PERM_TEXT   (PTE_R | PTE_X | PTE_A)
#define PERM_RODATA (PTE_R | PTE_A)

pte_t *kernel_root;

static pte_t *
table_new(void)
{
	struct page *pg = page_alloc_zeroed();

	if (pg == NULL)
		panic("kvm: no memory for the kernel page table", 0);
	return page_kva(pg);
}

/* The leaf entry for va in the kernel's table; makes tables on the way. */
static pte_t *
kvm_walk(u64 va)
{
	pte_t *table = kernel_root;

	for (int level = 2; level > 0; level--) {
		pte_t *pte = &table[PT_INDEX(va, level)];

		if (*pte == 0)
			*pte = PTE_MAKE(kva_to_pa(table_new()), PTE_V);
		table = pa_to_kva(PTE_PA(*pte));
	}
	return &table[PT_INDEX(va, 0)];
}

/* Map size bytes from physical pa at pa + KVBASE. */
static void
kvm_map(paddr pa, u64 size, u64 perm)
{
	paddr end = PGROUNDUP(pa + size);
	pte_t *pte = NULL;

	for (pa = PGROUNDDOWN(pa); pa < end; pa += PGSIZE) {
		u64 va = pa + KVBASE;

		if (pte == NULL || PT_INDEX(va, 0) == 0)
			pte = kvm_walk(va);
		*pte++ = PTE_MAKE(pa, perm | PTE_V);
	}
}

/* Give part of the kernel's image rights other than those of data. */
static void
kvm_protect(const char *from, const char *to, u64 perm)
{
	kvm_map(kva_to_pa(from), (u64)(to - from), perm);
}

/* Map frames of their own at size bytes from va on. */
static void
kvm_map_frames(u64 va, u64 size)
{
	u64 end = va + size;

	for (va = PGROUNDDOWN(va); va < end; va += PGSIZE) {
		struct page *pg = page_alloc();

		if (pg == NULL)
			panic("kvm: no memory to map", va);
		*kvm_walk(va) = PTE_MAKE(page_pa(pg), PERM_DATA | PTE_V);
	}
}

static void
kvm_map_devices(void)
{
	kvm_map(machine.uart, PGSIZE, PERM_DATA);
	kvm_map(machine.plic, 0x400000, PERM_DATA);
	kvm_map(machine.clint, 0x10000, PERM_DATA);
	if (machine.testdev != 0)
		kvm_map(machine.testdev, PGSIZE, PERM_DATA);
	for (int i = 0; i < machine.nvirtio; i++)
		kvm_map(machine.virtio[i], PGSIZE, PERM_DATA);
}

void
kvm_init(void)
{
	kernel_root = table_new();
	kvm_map(machine.ram_base, machine.ram_size, PERM_DATA);
	kvm_protect(kernel_text, kernel_etext, PERM_TEXT);
	kvm_protect(kernel_rodata, kernel_erodata, PERM_RODATA);
	kvm_map_devices();

	/* The scheduler stacks' guards. */
	for (int i = 0; i < NCPU; i++)
		for (u64 at = 0; at < KSTACK_SIZE; at += PGSIZE)
			*kvm_walk((u64)&hart_stacks[i][at]) = 0;
	for (int i = 0; i < NPROC; i++)
		kvm_map_frames(kstack_base(i), KSTACK_SIZE);
	asan_map(kvm_map_frames);
}

void
kvm_init_hart(void)
{
	vm_switch(NULL);
	/* Orders the new table; the boot table gave too many rights. */
	asm volatile("sfence.vma" ::: "memory");
}
