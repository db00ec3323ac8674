/* SPDX-License-Identifier: MIT */
/*
 * kalloc.c - frames by their kernel address, for the kernel's own use.
 */
#include "kernel/check/failnth.h"
#include "kernel/mm/page.h"

__injectable void *
kalloc(void)
{
	struct page *pg = page_alloc_for(ALLOC_SITE());

	return pg == NULL ? NULL : page_kva(pg);
}

void
kfree(void *kva)
{
	paddr pa = kva_to_pa(kva);

	if (pa % PGSIZE != 0 || !page_managed(pa))
		panic("kfree: not a page frame", (u64)kva);
	page_put(page_of(pa));
}
