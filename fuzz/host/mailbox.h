/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h - the host's use of the mailbox (fuzz/monitor/mailbox.h): filling
 * it, and taking out what an input did.
 */
#ifndef FUZZ_HOST_MAILBOX_H
#define FUZZ_HOST_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "fuzz/host/guest.h"
#include "fuzz/monitor/mailbox.h"

/* mailbox_valid: has it the head of our version? */
bool mailbox_valid(const struct mailbox *box);

/*
 * mailbox_fill: an input of at most INPUT_MAX bytes, and nothing of the last
 * one but ndirty, which the last restore has left for the guest to do.  What
 * is asked for besides (trace_on, clock_on) is the caller's to set.
 */
void mailbox_fill(struct mailbox *box, const void *input, size_t n);

/*
 * mailbox_take: a copy of all but the input and the dirty pages, with every
 * count in its range; and the console as text, oldest first, with no more in
 * it than people may see.  Console and return addresses cost time: they are
 * only taken after a failure, or if everything is wanted.
 */
void mailbox_take(struct mailbox *to, char console[CONSOLE_MAX + 1],
	const struct guest *g, bool everything);

#endif
