/* SPDX-License-Identifier: MIT */
/* stat.c - the sum of what the harts have counted. */
#include "kernel/file/file.h"
#include "kernel/file/inode.h"
#include "kernel/kstat.h"
#include "kernel/mm/page.h"
#include "kernel/mm/pagecache.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/proc.h"

static void
sum_counters(struct kstat *st)
{
	for (int i = 0; i < nharts; i++) {
		const struct mm_stat *from = &harts[i].stat;

#define GAUGE(name, what)
#define COUNTER(name, what)                                                    \
	st->name += __atomic_load_n(&from->name, __ATOMIC_RELAXED);
#include "kernel/kstat.def"
#undef GAUGE
#undef COUNTER
	}
}

void
stat_sum(struct kstat *st)
{
	*st = (struct kstat){
		.harts = nharts,
		.pages_total = page_count_total(),
		.pages_free = page_count_free(),
		.pages_peak = page_count_peak(),
		.pages_cached = pagecache_count(),
		.procs = proc_count(),
		.files = file_count(),
		.inodes = inode_count(),
		.pipes = pipe_count(),
	};
	sum_counters(st);
}
