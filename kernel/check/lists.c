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
	const struct frame_note *note = &frame_notes[page_fresh()];
	u64 n = page_count_total() - page_fresh();

	if (all_zero(note, n * sizeof(*note)))
		return;
	for (u64 i = 0; i < n; i++)
		if (note[i].use == USE_FREE)
			audit_report("free list has a frame never used",
				"frame %lx",
				page_pa(page_at(page_fresh() + i)));
}

void
check_lists(void)
{
	u64 n;

	for (int i = 0; i < PAGE_LISTS; i++)
		check_list(i);
	check_fresh();
	n = page_fresh();
	for (u64 i = 0; i < n; i++)
		if (page_at(i)->kept)
			frame_count(page_at(i), USE_KERNEL);
}
