/* SPDX-License-Identifier: MIT */
/*
 * selftest.c - the boot argument crash=NAME breaks the kernel in a known
 * way, so that tests can see the reports: a panic, a kernel stack overflow,
 * a lock-up with interrupts off, a store to read-only kernel text.
 */
#include "kernel/check/selftest.h"
#include "kernel/dev/fdt.h"
#include "kernel/lib/string.h"
#include "kernel/proc/hart.h"
#include "kernel/trap/csr.h"

static void
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

static void
crash_stack(void)
{
	volatile u64 depth = 0, limit = 0;

	recurse(&depth, &limit);
}

static void
crash_hang(void)
{
	intr_off();
	for (;;)
		asm volatile("");
}

static void
crash_text(void)
{
	*(volatile u32 *)crash_text = 0;
}

static const struct {
	const char *name;
	void (*run)(void);
} crashes[] = {
	{"panic", crash_panic},
	{"stack", crash_stack},
	{"hang", crash_hang},
	{"text", crash_text},
};

/* So that the report shows all harts; a second is enough for any of them. */
static void
wait_for_harts(void)
{
	u64 end = rdtime() + machine.timebase;

	for (int i = 1; i < nharts; i++)
		while (!__atomic_load_n(&harts[i].online, __ATOMIC_ACQUIRE) &&
			rdtime() < end)
			;
}

void
selftest(void)
{
	char name[16];

	if (!bootarg("crash", name, sizeof(name)))
		return;
	wait_for_harts();
	for (u64 i = 0; i < ARRAY_SIZE(crashes); i++)
		if (strcmp(name, crashes[i].name) == 0)
			crashes[i].run();
	printf("selftest: no crash=%s; know panic, stack, hang, text\n", name);
}
