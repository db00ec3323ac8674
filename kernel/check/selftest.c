/* SPDX-License-Identifier: MIT */
/*
 * selftest.c - the boot argument crash=NAME breaks the kernel in a known
 * way, so that tests can see the reports (crashes.def).
 */
#include "kernel/check/plant.h"
#include "kernel/check/selftest.h"
#include "kernel/dev/fdt.h"
#include "kernel/lib/string.h"
#include "kernel/proc/hart.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/csr.h"

void
crash_panic(void)
{
	panic("selftest: asked for by crash=panic", 42);
}

/* Ends only if limit does, which nobody sets. */
static u64
recurse(volatile u64 *above, volatile u64 *limit)
{
	volatile u64 frame[16] = {*above + 1};

	if (*limit != 0)
		return frame[0];
	return recurse(frame, limit) + frame[0];
}

void
crash_stack(void)
{
	volatile u64 depth = 0, limit = 0;

	recurse(&depth, &limit);
}

void
crash_hang(void)
{
	intr_off();
	for (;;)
		asm volatile("");
}

void
crash_text(void)
{
	*(volatile u32 *)crash_text = 0;
}

static const struct {
	const char *name;
	void (*run)(void);
} crashes[] = {
#define CRASH(name, run, line) {name, run},
#include "kernel/check/crashes.def"
#undef CRASH
};

/* So that the report shows all harts; as long as a panic waits for them. */
static void
wait_for_harts(void)
{
	u64 end = rdtime() + 4 * machine.timebase;

	for (int i = 1; i < nharts; i++)
		while (!__atomic_load_n(&harts[i].online, __ATOMIC_ACQUIRE) &&
			rdtime() < end)
			;
}

static void
crash(void)
{
	char name[24];

	if (!bootarg("crash", name, sizeof(name)))
		return;
	for (u64 i = 0; i < ARRAY_SIZE(crashes); i++) {
		if (strcmp(name, crashes[i].name) != 0)
			continue;
		crashes[i].run();
		return;
	}
	printf("selftest: no crash=%s; this kernel has:", name);
	for (u64 i = 0; i < ARRAY_SIZE(crashes); i++)
		printf(" %s", crashes[i].name);
	printf("\n");
}

void
selftest(void)
{
	if (PLANTED(demand) || !bootarg("crash", NULL, 0))
		return;
	wait_for_harts();
	crash();
}

void
selftest_demand(void)
{
	if (PLANTED(demand) && myproc() != initproc)
		crash();
}
