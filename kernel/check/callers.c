/* SPDX-License-Identifier: MIT */
/*
 * callers.c - the walk up the stack of lib/backtrace.c, but into memory: what
 * once was is printed when it turns out to matter.
 */
#include "kernel/check/callers.h"

#if DEBUG || LOCKDEP || ASAN
#include "kernel/mm/vm.h"

/* Below the address in the frame pointer: the caller's, and the return. */
struct frame_record {
	u64 fp;
	u64 ra;
};

void
callers_save(u64 fp, u64 *pc, u32 n)
{
	/* fp may be the very end of the stack, hence - 1. */
	u64 end = ((fp - 1) & ~(KSTACK_SIZE - 1)) + KSTACK_SIZE;

	for (u32 i = 0; i < n; i++) {
		const struct frame_record *r = (void *)(fp - sizeof(*r));

		/* Nobody called the outermost function. */
		pc[i] = fp != 0 && r->fp != 0 ? r->ra : 0;
		/* Only upwards on the same stack; 0: no more. */
		fp = fp != 0 && r->fp > fp && r->fp <= end ? r->fp : 0;
	}
}

void
callers_print(const struct callers *c)
{
	for (int i = 0; i < CALLERS && c->pc[i] != 0; i++)
		print_frame(i, c->pc[i]);
}
#endif
