/* SPDX-License-Identifier: MIT */
/*
 * backtrace.c - who called whom.
 *
 * The kernel keeps frame pointers (RISC-V ELF psABI, "Frame Pointer
 * Convention"): below the address in s0 lie the return address and, below
 * that, the caller's s0.  We follow them only within one stack that is known
 * to be mapped, and only upwards, so that a broken chain ends the walk and
 * never faults.
 *
 * Names come from a table of the kernel's functions, which scripts/ksyms.py
 * makes from the first link of the kernel for the second one.  In the first
 * the table is missing: its symbols are weak, and the count's address NULL.
 */
#include "kernel/lib/print.h"

#include "kernel/boot/boot.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"

#define __weak __attribute__((weak))

extern const u64 ksyms_base __weak;     /* address of the first function */
extern const u64 ksyms_count __weak;    /* entries */
extern const u32 ksyms_addrs[] __weak;  /* their distances from it, rising */
extern const char ksyms_names[] __weak; /* their names, each with a NUL */

enum { FRAMES_MAX = 24, FRAME_RECORD = 2 * sizeof(u64) };

/* last_not_above: index of the last entry at or below the distance. */
static u64
last_not_above(u64 distance)
{
	u64 lo = 0, hi = ksyms_count;

	while (hi - lo > 1) {
		u64 mid = lo + (hi - lo) / 2;

		if (ksyms_addrs[mid] <= distance)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

const char *
ksym_find(unsigned long pc, unsigned long *offset)
{
	const char *name = ksyms_names;
	u64 index;

	if (&ksyms_count == NULL || ksyms_count == 0 || pc < ksyms_base)
		return NULL;
	index = last_not_above(pc - ksyms_base);
	*offset = pc - ksyms_base - ksyms_addrs[index];
	while (index-- > 0)
		name += strlen(name) + 1;

	/* The entry without a name is the end of the text. */
	return *name != '\0' ? name : NULL;
}

/*
 * stack_is_known: is [stack, stack + KSTACK_SIZE) mapped for certain?  It is
 * if we run on it, if it is the process's, or if it is a hart's.
 */
static bool
stack_is_known(u64 stack)
{
	const struct proc *p = hart_id() < NCPU ? myproc() : NULL;

	if (stack == (r_sp() & ~(KSTACK_SIZE - 1)))
		return true;
	if (p != NULL && stack == p->kstack)
		return true;
	/* Of a hart's stack the lower half is the guard. */
	return stack >= (u64)hart_stacks[0] && stack < (u64)hart_stacks[NCPU] &&
	       (stack & KSTACK_SIZE) != 0;
}

/* frame_is_sane: lies fp's record in the given stack? */
static bool
frame_is_sane(u64 fp, u64 stack)
{
	return fp % sizeof(u64) == 0 && fp >= stack + FRAME_RECORD &&
	       fp <= stack + KSTACK_SIZE;
}

void
print_frame(int n, unsigned long pc)
{
	u64 offset;
	/*
	 * A call that does not return may be its function's last
	 * instruction: look for the call, not for what comes behind it.
	 */
	const char *name = ksym_find(pc - 1, &offset);

	if (name == NULL)
		printf("  #%d %p\n", n, (void *)pc);
	else
		printf("  #%d %p %s+0x%lx\n", n, (void *)pc, name, offset + 1);
}

void
backtrace(unsigned long fp)
{
	/* fp may be the very end of its stack, hence - 1. */
	u64 stack = (fp - 1) & ~(KSTACK_SIZE - 1);

	if (!stack_is_known(stack)) {
		printf("  no stack at frame pointer %p\n", (void *)fp);
		return;
	}
	for (int n = 0; n < FRAMES_MAX && frame_is_sane(fp, stack); n++) {
		const u64 *record = (const u64 *)(fp - FRAME_RECORD);
		u64 caller = record[0];

		/* Nobody called the outermost function. */
		if (caller == 0)
			return;
		print_frame(n, record[1]);
		if (caller <= fp)
			return;
		fp = caller;
	}
}
