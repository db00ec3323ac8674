/* SPDX-License-Identifier: MIT */
/*
 * child.c - what programs of the fuzzer exec: it uses a little of each kind of
 * memory, sees that what has no contents yet is zero, and ends with the status
 * it is told.
 */
#include "fuzz/guest/report.h"
#include "kernel/types.h"
#include "user/user.h"

enum {
	PAGE = 4096,
	LAST = PAGE / sizeof(uint64_t) - 1,
	FRAMES = 512, /* bytes below main()'s frame that calls have used */
};

static volatile int data = 1; /* copied from the file when written to */
/* It begins behind data, on the same page, and ends on the next. */
static volatile uint64_t bss[LAST + 1];

/* Accuse the kernel if a word of [from, to) is not zero. */
static void
check_zero(const volatile uint64_t *from, const volatile uint64_t *to)
{
	while (from < to && *from == 0)
		from++;
	if (from < to)
		monitor_call(UC_REPORT, ORACLE_unzeroed, NO_OP, 0, (long)*from);
}

int
main(int argc, char **argv)
{
	uint64_t top = (uint64_t)__builtin_frame_address(0);
	uint64_t page = top & ~(PAGE - 1UL);

	/* A page that is read first would be the one that all share. */
	bss[LAST] = 1;
	check_zero(bss, bss + LAST);
	check_zero((uint64_t *)page, (uint64_t *)(top - FRAMES));
	data += argc;
	bss[LAST] += (uint64_t)data;
	exit(argc < 2 ? 0 : atoi(argv[1]));
}
