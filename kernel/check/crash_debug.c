/* SPDX-License-Identifier: MIT */
/*
 * crash_debug.c - page frames, lists and page tables misused on purpose, to
 * try what FLAVOR=debug adds (crashes.def).
 */
#include "kernel/check/selftest.h"

#if DEBUG
#include "kernel/lib/list.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/proc.h"

void
crash_double_free(void)
{
	void *kva = kalloc();

	kfree(kva);
	kfree(kva);
}

#if !ASAN
void
crash_write_after_free(void)
{
	volatile u64 *word = kalloc();

	kfree((void *)word);
	word[100] = 42;
	/* The frame freed last is the next to be had. */
	kfree(kalloc());
}
#endif

void
crash_free_list(void)
{
	struct page *pg = page_alloc();

	page_put(pg);
	pg->next = (struct page *)((u64)pg + 1);
	page_put(page_alloc());
}

/* The audit tells, if it is run. */
void
crash_lost_frame(void)
{
	struct page *pg = page_alloc();

	page_get(pg);
	page_put(pg);
}

void
crash_list_broken(void)
{
	struct list head = LIST_INIT(head), one = {0}, two = {0};

	list_push(&head, &one);
	list_push(&head, &two);
	two.prev = &head;
	list_remove(&one);
}

void
crash_list_twice(void)
{
	struct list head = LIST_INIT(head), other = LIST_INIT(other), one = {0};

	list_push(&head, &one);
	list_push(&other, &one);
}

/* An address space to break: of a process that is not born yet. */
static struct vm *
new_vm(void)
{
	struct proc *p = proc_alloc();

	if (vm_init(p->vm) != 0)
		panic("selftest: no memory", 0);
	return p->vm;
}

void
crash_shared_writable(void)
{
	struct page *pg = page_alloc();

	page_get(pg);
	if (vm_map(new_vm(), 0, pg, PTE_R | PTE_W) != 0)
		panic("selftest: no memory", 0);
}

void
crash_foreign_vm(void)
{
	struct vm *vm = new_vm();

	container_of(vm, struct proc, vms[0])->state = PROC_SLEEPING;
	if (vm_map(vm, 0, page_alloc(), PTE_R) != 0)
		panic("selftest: no memory", 0);
}

/* PTE_W in a table that says it has none. */
void
crash_sealed_table(void)
{
	struct vm *vm = new_vm();

	vm->brk = PGSIZE;
	if (vm_map(vm, 0, page_alloc(), PTE_R) != 0)
		panic("selftest: no memory", 0);
	*walk(vm, 0) |= PTE_W;
	vm_clear(vm);
}
#endif
