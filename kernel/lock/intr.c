/* SPDX-License-Identifier: MIT */
/* intr.c - nested switching off of interrupts. */
#include "kernel/lock/spinlock.h"
#include "kernel/proc/hart.h"
#include "kernel/trap/csr.h"

void
push_off(void)
{
	bool on = csr_read_clear(sstatus, SSTATUS_SIE) & SSTATUS_SIE;
	struct hart *h = hart_self();

	if (h->noff++ == 0)
		h->intena = on;
}

void
pop_off(void)
{
	struct hart *h = hart_self();

	ASSERT(h->noff > 0);
	if (--h->noff == 0 && h->intena)
		intr_on();
}
