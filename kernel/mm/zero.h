/* SPDX-License-Identifier: MIT */
/* zero.h - the one page of zeroes that all untouched memory reads as. */
#ifndef KERNEL_MM_ZERO_H
#define KERNEL_MM_ZERO_H

#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"

/*
 * It is part of the kernel's image and no managed frame, so no count follows
 * its mappings and nothing can free it.  Always mapped without PTE_W.
 */
extern u8 zero_page[PGSIZE];

static inline bool
is_zero_page(pte_t pte)
{
	return PTE_PA(pte) == kva_to_pa(zero_page);
}

#endif
