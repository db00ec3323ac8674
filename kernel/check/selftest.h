/* SPDX-License-Identifier: MIT */
/* selftest.h - break the kernel on purpose, to try what reports it. */
#ifndef KERNEL_CHECK_SELFTEST_H
#define KERNEL_CHECK_SELFTEST_H

/* selftest: do what boot argument crash=NAME asks for; nothing without it. */
void selftest(void);

/* selftest_demand: with PLANT=demand, when a program asks for the uptime. */
void selftest_demand(void);

#define CRASH(name, run, line) void run(void);
#include "kernel/check/crashes.def"
#undef CRASH

#endif
