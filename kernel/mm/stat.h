/* SPDX-License-Identifier: MIT */
/*
 * stat.h - counters.  Each hart adds to its own, with plain stores; readers
 * sum over the harts and may miss what is being added at that moment.
 */
#ifndef KERNEL_MM_STAT_H
#define KERNEL_MM_STAT_H

#include "kernel/lib/base.h"

struct mm_stat {
#define GAUGE(name, what)
#define COUNTER(name, what) u64 name;
#include "kernel/kstat.def"
#undef GAUGE
#undef COUNTER
};

/* STAT_ADD: count n on this hart.  Not in interrupt handlers. */
#define STAT_ADD(name, n) (hart_self()->stat.name += (n))
#define STAT(name)        STAT_ADD(name, 1)

struct kstat;

/* stat_sum: fill st from all harts and gauges. */
void stat_sum(struct kstat *st);

#endif
