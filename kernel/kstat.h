/* SPDX-License-Identifier: MIT */
/* kstat.h - the kernel's counters as the kstat system call returns them. */
#ifndef KERNEL_KSTAT_H
#define KERNEL_KSTAT_H

struct kstat {
#define GAUGE(name, what)   unsigned long name;
#define COUNTER(name, what) unsigned long name;
#include "kernel/kstat.def"
#undef GAUGE
#undef COUNTER
};

#endif
