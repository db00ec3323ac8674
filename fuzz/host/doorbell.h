/* SPDX-License-Identifier: MIT */
/*
 * doorbell.h - ringing the guest, and waiting until it rings back, but not for
 * ever.
 */
#ifndef FUZZ_HOST_DOORBELL_H
#define FUZZ_HOST_DOORBELL_H

#include <limits.h>
#include <stdbool.h>

#include "fuzz/host/qemu.h"
#include "fuzz/monitor/mailbox.h"

/* As a budget: wait for ever, for somebody debugs it. */
#define DOORBELL_NO_LIMIT UINT_MAX

enum answer {
	ANSWER_RANG, /* until it is rung, its memory is ours */
	ANSWER_DEAD, /* there is no QEMU any more */
	ANSWER_LOST, /* the monitor does not see `cancel` */
};

/* doorbell_ring: let the guest go on.  False if there is no QEMU any more. */
bool doorbell_ring(const struct qemu *q);

/*
 * doorbell_wait: until the guest rings.  budget_ms of QEMU's CPU time are for
 * one step of its program; when they are used up, cancel is set in box.
 */
enum answer doorbell_wait(
	const struct qemu *q, struct mailbox *box, unsigned budget_ms);

#endif
