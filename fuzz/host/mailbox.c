/* SPDX-License-Identifier: MIT */
/*
 * mailbox.c - what goes into the mailbox, and what comes out of it.
 *
 * The kernel under test can write to all of it.  So the head is written anew
 * for each input, and what comes out is a copy in which every count fits its
 * array: whoever reads the copy need not think of that again.  Return
 * addresses are found by the host, which follows frame pointers through the
 * guest's memory: each is looked up in the hart's own page table, and each has
 * to be higher than the last, so that there is an end.
 */
#include "fuzz/host/mailbox.h"

#include <stdint.h>
#include <string.h>

#define LEAST(a, b) ((a) < (b) ? (a) : (b))

bool
mailbox_valid(const struct mailbox *box)
{
	return box->magic == MAILBOX_MAGIC && box->version == MAILBOX_VERSION &&
	       box->size == sizeof(*box);
}

/* ---- in */

/* The program's head says on how many harts it runs, and in what order. */
static void
fill_schedule(struct mailbox *box, const uint8_t *input, size_t n)
{
	box->harts = n > 3 ? input[3] : 1;
	box->seed = 0;
	if (n >= 8)
		box->seed = (uint32_t)input[4] | (uint32_t)input[5] << 8 |
			    (uint32_t)input[6] << 16 | (uint32_t)input[7] << 24;
}

void
mailbox_fill(struct mailbox *box, const void *input, size_t n)
{
	/* The last input may have spoiled the head. */
	box->magic = MAILBOX_MAGIC;
	box->version = MAILBOX_VERSION;
	box->size = sizeof(*box);
	box->event = EVENT_NONE;
	box->cancel = 0;
	box->input_size = (uint32_t)n;
	fill_schedule(box, input, n);
	memcpy(box->input, input, n);
	box->trace_hash = 0;
	box->audit = 0;
	box->clock_start = box->clock_audit = box->clock_end = 0;
	box->nreports = box->ntrace = box->nconsole = 0;
	box->panic_text[0] = '\0';
	box->panic_value = 0;
	box->trap_cause = box->trap_value = box->trap_pc = 0;
}

/* ---- out: the console */

static bool
is_text(char c)
{
	return (c >= ' ' && c <= '~') || c == '\n' || c == '\t';
}

/* From the ring of a copy. */
static void
take_console(const struct mailbox *copy, char *text)
{
	uint32_t n = copy->nconsole, from = 0, kept = n;

	if (n > CONSOLE_MAX) {
		from = n % CONSOLE_MAX;
		kept = CONSOLE_MAX;
	}
	for (uint32_t i = 0; i < kept; i++) {
		char c = copy->console[(from + i) % CONSOLE_MAX];

		text[i] = is_text(c) ? c : '?';
	}
	text[kept] = '\0';
}

/* ---- out: return addresses */

/* Of one hart; returns how many. */
static uint32_t
walk_frames(const struct ram *ram, const struct vhart *vh,
	uint64_t frames[FRAMES_MAX])
{
	uint64_t fp = vh->regs[REG_S0];
	uint32_t n = 0;

	frames[n++] = vh->pc;
	if (vh->priv == 0)
		return n;
	while (n < FRAMES_MAX && fp % 8 == 0 && fp >= 16) {
		uint64_t pa = ram_walk(ram, vh->satp, fp - 16);
		const uint64_t *record = ram_at(ram, pa, 16);

		if (record == NULL || pa % RAM_PAGE > RAM_PAGE - 16)
			return n;
		if (record[1] == 0)
			return n;
		frames[n++] = record[1];
		if (record[0] <= fp)
			return n; /* stacks grow down: no way back */
		fp = record[0];
	}
	return n;
}

/* ---- out */

static void
take_fields(struct mailbox *to, const struct mailbox *box)
{
	memcpy(to, box, offsetof(struct mailbox, reports));
	memcpy(to->reports, box->reports, sizeof(to->reports));
	memcpy(to->panic_text, box->panic_text,
		offsetof(struct mailbox, nframes) -
			offsetof(struct mailbox, panic_text));
	to->panic_text[PANIC_TEXT - 1] = '\0';
	to->nreports = LEAST(to->nreports, REPORTS_MAX);
	to->ntrace = LEAST(to->ntrace, TRACE_MAX);
	to->hart = LEAST(to->hart, VHARTS_MAX - 1);
	memcpy(to->trace, box->trace, to->ntrace * sizeof(to->trace[0]));
	memset(to->nframes, 0, sizeof(to->nframes));
}

void
mailbox_take(struct mailbox *to, char console[CONSOLE_MAX + 1],
	const struct guest *g, bool everything)
{
	const struct mailbox *box = g->box;
	bool failed = box->event != EVENT_DONE || box->nreports || box->audit;

	take_fields(to, box);
	console[0] = '\0';
	if (!failed && !everything)
		return;
	memcpy(to->console, box->console, sizeof(to->console));
	take_console(to, console);
	for (unsigned i = 0; i < VHARTS_MAX; i++)
		to->nframes[i] = walk_frames(
			g->ram, &g->state->vharts[i], to->frames[i]);
}
