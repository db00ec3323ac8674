/* SPDX-License-Identifier: MIT */
/*
 * doorbell.c - the host's end of the pipes, and the clock beside them.
 *
 * The guest rings by a byte through a pipe, and waits for one to go on
 * (fuzz/monitor/ring.c).
 *
 * What ends by itself ends by the same verdict each time, however long it
 * takes on the wall.  What does not is given up when QEMU has used its budget
 * of CPU time, for machines are shared, and the budget is for one step of the
 * program, so that long ones have more.  We look at QEMU's CPU clock every few
 * milliseconds, set `cancel`, and the monitor sees it at its next tick.  If it
 * does not, it is lost, and QEMU has to be killed.
 */
#include "fuzz/host/doorbell.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "fuzz/host/clock.h"

enum {
	STEPS = 20,        /* all steps of an input, of one step's budget */
	GRACE_MS = 1000,   /* beyond it the monitor itself is lost */
	STUCK_MS = 300000, /* on the wall */
	LOOK_MS = 2,       /* how often the CPU clock is looked at */
};

bool
doorbell_ring(const struct qemu *q)
{
	char byte = 0;
	ssize_t n;

	do
		n = write(q->to_guest, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* ---- the budget */

/* What an input has used, in milliseconds of QEMU's CPU time. */
struct meter {
	clockid_t clock;
	struct mailbox *box;
	unsigned budget_ms;
	double begin;    /* of the input */
	double step;     /* the last one seen: time starts anew with each */
	uint64_t seen;   /* the trace's hash, which every step changes */
	double given_up; /* when cancel was set; 0: not yet */
	double wall;     /* the begin on the wall */
};

static void
meter_start(struct meter *m, const struct qemu *q, struct mailbox *box,
	unsigned budget_ms)
{
	*m = (struct meter){
		.clock = q->clock,
		.box = box,
		.budget_ms = budget_ms,
		.begin = clock_ms(q->clock),
		.wall = clock_ms(CLOCK_MONOTONIC),
	};
	m->step = m->begin;
}

/* Is the input out of its budget? */
static bool
overdrawn(struct meter *m)
{
	double now = clock_ms(m->clock);
	uint64_t hash = ((volatile struct mailbox *)m->box)->trace_hash;

	if (hash != m->seen) {
		m->seen = hash;
		m->step = now;
	}
	return now - m->step > m->budget_ms ||
	       now - m->begin > (double)m->budget_ms * STEPS;
}

/* Give the input up when it is time; false when that has not helped. */
static bool
meter_check(struct meter *m)
{
	if (m->budget_ms == DOORBELL_NO_LIMIT)
		return true;
	/* Without using time it can only be stuck by mistake. */
	if (clock_ms(CLOCK_MONOTONIC) - m->wall > STUCK_MS)
		return false;
	if (m->given_up == 0 && overdrawn(m)) {
		m->box->cancel = 1;
		m->given_up = clock_ms(m->clock);
	}
	return m->given_up == 0 || clock_ms(m->clock) - m->given_up <= GRACE_MS;
}

/* ---- waiting */

enum answer
doorbell_wait(const struct qemu *q, struct mailbox *box, unsigned budget_ms)
{
	struct pollfd p = {.fd = q->from_guest, .events = POLLIN};
	struct meter meter;
	char byte;

	meter_start(&meter, q, box, budget_ms);
	for (;;) {
		if (poll(&p, 1, LOOK_MS) > 0) {
			ssize_t got = read(q->from_guest, &byte, 1);

			if (got == 1)
				return ANSWER_RANG;
			if (got == 0 || errno != EINTR)
				return ANSWER_DEAD;
		}
		if (!meter_check(&meter))
			return ANSWER_LOST;
	}
}
