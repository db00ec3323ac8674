/* SPDX-License-Identifier: MIT */
/*
 * usercall.h - what the executor asks of the monitor.
 *
 * An ebreak in user mode with USERCALL in a7 and one of these in a0 traps to
 * the monitor and not to the kernel; a1 to a5 are arguments, a0 the result.
 * Any other ebreak is the kernel's business.  Nothing that comes in these
 * registers is believed: addresses are looked up in the caller's own page
 * table, and a bad one gives UC_BAD.
 */
#ifndef FUZZ_MONITOR_USERCALL_H
#define FUZZ_MONITOR_USERCALL_H

#define USERCALL 0x53544d50 /* "STMP" */
#define UC_BAD   (-1L)

enum usercall {
	/*
	 * () -> the version of this interface.  Each process that is there at
	 * the snapshot, asleep or not, must have said so before: so its memory
	 * is put back as well.
	 */
	UC_HELLO = 1,
	/*
	 * (buffer, size) -> length of the next input, at most size.  The buffer
	 * must be present and writable.  The first call is the point that
	 * all later inputs start from: it returns once for each of them.
	 */
	UC_GET,
	/* (oracle, operation or -1, expected, found): something is wrong. */
	UC_REPORT,
	/* (operation, result): a step is done; harts may change here. */
	UC_STEP,
	/* (point, lanes, lane) -> 1 if all of them have come to the point. */
	UC_MEET,
	/* (lane): it has ended and will come to no point any more. */
	UC_LEAVE,
	/* (findings of the audit, or 0): the input has come to its end. */
	UC_DONE,
	/* (buffer, size) -> length: the input that is being run, once more. */
	UC_INPUT,
};

/* What UC_REPORT can accuse the kernel of. */
enum {
#define ORACLE(name, text) ORACLE_##name,
#include "fuzz/monitor/oracles.def"
#undef ORACLE
	NORACLES,
};

#endif
