/* SPDX-License-Identifier: MIT */
/*
 * lane.h - running one lane, and the operations it is made of.
 */
#ifndef FUZZ_GUEST_LANE_H
#define FUZZ_GUEST_LANE_H

#include <stdbool.h>

#include "fuzz/wire/prog.h"

/*
 * What a process leaves as its status, unless it is killed: the program's
 * own, and for whoever reaps it, who it was and what it leaves behind.
 */
enum {
	STATUS_OWN = 0xff,
	STATUS_LEFT_SHIFT = 8, /* children that init has to reap */
	STATUS_LEFT_MASK = 0x3f,
	STATUS_INSTANCE_SHIFT = 14, /* number + 1 */
	STATUS_INSTANCE_MASK = 0x7f,
	STATUS_UNSURE = 1 << 21, /* there may be more children left */
	STATUS_GUILTY = 1 << 22, /* it has accused the kernel */
};

/* An operation's result in the child that it has made. */
enum { BORN = -2 };

/* lane_run: all operations of the model's lane; does not come back. */
void lane_run(void) __attribute__((noreturn));

/* lane_end: leave with that status, checking memory first if all is well. */
void lane_end(unsigned status, bool guilty) __attribute__((noreturn));

/* The status that says all this process leaves behind. */
int lane_status(unsigned status, bool guilty);

/* May it fail though nothing is wrong with it? */
bool may_fail(void);

/* A child that op i made has ended so: accuse, and count what it left; or
 * nobody asked how. */
void lane_reaped(unsigned i, int status);
void lane_lost_status(unsigned i);

/* Have this process killed. */
void lane_die(void);

/* Split off a process; BORN in the child, which is that instance by then. */
long lane_fork(unsigned instance, unsigned lane, unsigned index);

/* The operations: one function for each row of calls.def. */
#define CALL(name, ...) long do_##name(const uint16_t *arg);
#include "fuzz/wire/calls.def"
#undef CALL

#endif
