/* SPDX-License-Identifier: MIT */
/*
 * intr.c - nested switching off of interrupts.
 *
 * While the depth is not 0 they are off, and only the outermost call has to
 * touch sstatus.  Until then one may come in between; what it does to the
 * depth it undoes, and the hart stays ours: the kernel is not preempted.
 */
#include "kernel/lock/spinlock.h"
#include "kernel/proc/hart.h"
#include "kernel/trap/csr.h"

void
push_off(void)
{
	struct hart *h = hart_self();

	DEBUG_ASSERT(h->noff == 0 || !intr_get());
	if (h->noff == 0)
		h->intena = csr_read_clear(sstatus, SSTATUS_SIE) & SSTATUS_SIE;
	h->noff++;
}

void
pop_off(void)
{
	struct hart *h = hart_self();

	ASSERT(h->noff > 0);
	if (--h->noff == 0 && h->intena)
		intr_on();
}
