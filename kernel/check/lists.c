/* SPDX-License-Identifier: MIT */
/*
 * lists.c - free frames: each on one list, and the lists as long as they say.
 */
#include "kernel/check/audit.h"
#include "kernel/mm/page.h"

static void
check_list(int n)
{
	u64 count, length = 0;
	const struct page *pg = page_list(n, &count);

	for (; pg != NULL; pg = pg->next) {
		if (!page_valid(pg)) {
			audit_report("free list is broken",
				"list %d, entry %lu, link %lx", n, length,
				(u64)pg);
			return;
		}
		/* On a list twice, or in a circle: stop at the second time. */
		if (frame_use(pg) == USE_FREE) {
			audit_report("frame is on two free lists",
				"frame %lx, list %d", page_pa(pg), n);
			audit_owner(pg);
			return;
		}
		frame_count(pg, USE_FREE);
		length++;
	}
	if (length != count)
		audit_report("free list has another length",
			"list %d, counted %lu, found %lu", n, count, length);
}

/* Frames that were never used are free without being on a list. */
static void
check_fresh(void)
{
	for (u64 i = page_fresh(); i < page_count_total(); i++) {
		const struct page *pg = page_at(i);

		if (frame_use(pg) == USE_FREE)
			audit_report("free list has a frame never used",
				"frame %lx", page_pa(pg));
		else
			frame_count(pg, USE_FREE);
	}
}

void
check_lists(void)
{
	for (int n = 0; n < PAGE_LISTS; n++)
		check_list(n);
	check_fresh();
	for (u64 i = 0; i < page_fresh(); i++)
		if (page_at(i)->kept)
			frame_count(page_at(i), USE_KERNEL);
}
