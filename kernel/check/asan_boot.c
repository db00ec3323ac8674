/* SPDX-License-Identifier: MIT */
/*
 * asan_boot.c - a shadow for the code that runs before there is one.
 *
 * Functions write the shadow of their variables whether it is looked at or
 * not.  Until the kernel has its own table, all of the shadow is one page,
 * which nobody reads.
 *
 * Runs before translation, at physical addresses, on every hart; all of them
 * write the same.
 */
#include "kernel/check/asan.h"

#if ASAN
#include "kernel/mm/vm.h"

static u8 scribble[PGSIZE] __aligned(PGSIZE);
static pte_t leaf[PT_ENTRIES] __aligned(PGSIZE);
static pte_t middle[PT_ENTRIES] __aligned(PGSIZE);

/* One root entry reaches: it shadows the first 8 GiB of addresses. */
void
asan_boot(pte_t *root)
{
	for (int i = 0; i < PT_ENTRIES; i++) {
		leaf[i] = PTE_MAKE(
			(paddr)scribble, PTE_V | PTE_R | PTE_W | PTE_A | PTE_D);
		middle[i] = PTE_MAKE((paddr)leaf, PTE_V);
	}
	root[PT_INDEX(ASAN_SHADOW, 2)] = PTE_MAKE((paddr)middle, PTE_V);
}
#endif
