/* SPDX-License-Identifier: MIT */
/*
 * verdict.c - from why the guest rang to a class and two lines of text.
 *
 * The text is constant for one bug, for signature.c names the failure by it;
 * all numbers go into the detail.
 *
 * The box is a copy that mailbox_take() has made safe to read, but what it
 * says is still the guest's word: a kernel that has spoiled the head has
 * failed, whatever else is in there.
 */
#include "fuzz/host/verdict.h"

#include <stdio.h>
#include <string.h>

#include "fuzz/host/mailbox.h"
#include "fuzz/monitor/usercall.h"

static const char *const oracle_text[NORACLES] = {
#define ORACLE(name, text) [ORACLE_##name] = text,
#include "fuzz/monitor/oracles.def"
#undef ORACLE
};

static void
judge_report(struct vm_result *r)
{
	const struct mailbox_report *first = &r->box->reports[0];
	unsigned oracle = first->oracle < NORACLES ? first->oracle : 0;

	r->class = VM_ORACLE;
	snprintf(r->what, sizeof(r->what), "%s", oracle_text[oracle]);
	snprintf(r->detail, sizeof(r->detail),
		"operation %d, expected %lx, found %lx", first->op, first->want,
		first->got);
}

/* The first finding is what the others follow from. */
static void
judge_audit(struct vm_result *r)
{
	const char *line = strstr(r->console, "audit: ");
	size_t n;

	r->class = VM_AUDIT;
	snprintf(r->what, sizeof(r->what), "audit failed");
	snprintf(r->detail, sizeof(r->detail), "%ld findings", r->box->audit);
	if (line == NULL)
		return;
	/* "audit: what: numbers" */
	n = strcspn(line + 7, ":\n");
	snprintf(r->what, sizeof(r->what), "%.*s", (int)(n + 7), line);
	n = strcspn(line, "\n");
	snprintf(r->detail, sizeof(r->detail), "%.*s", (int)n, line);
}

static void
judge_trap(struct vm_result *r, const char *what)
{
	r->class = VM_TRAP;
	snprintf(r->what, sizeof(r->what), "%s", what);
	snprintf(r->detail, sizeof(r->detail), "cause %lu, pc %lx, address %lx",
		r->box->trap_cause, r->box->trap_pc, r->box->trap_value);
}

void
verdict_reach(struct vm_result *r)
{
	r->what[0] = r->detail[0] = '\0';
	if (!mailbox_valid(r->box)) {
		judge_trap(r, "the kernel has spoiled the mailbox");
		return;
	}
	switch (r->box->event) {
	case EVENT_DONE:
		if (r->box->nreports > 0)
			judge_report(r);
		else if (r->box->audit != 0)
			judge_audit(r);
		else
			r->class = VM_PASS;
		return;
	case EVENT_PANIC:
		r->class = VM_PANIC;
		snprintf(r->what, sizeof(r->what), "panic: %s",
			r->box->panic_text);
		snprintf(r->detail, sizeof(r->detail), "0x%lx",
			r->box->panic_value);
		return;
	case EVENT_TRAP:
		judge_trap(r, "exception that nobody can serve");
		return;
	case EVENT_PROTECT:
		judge_trap(r, "access to memory that is not the kernel's");
		return;
	case EVENT_CANCEL:
		r->class = VM_HANG;
		snprintf(r->what, sizeof(r->what), "endless loop");
		return;
	case EVENT_DEADLOCK:
		r->class = VM_HANG;
		snprintf(r->what, sizeof(r->what), "all harts wait for ever");
		return;
	}
	r->class = VM_BROKEN;
	snprintf(r->what, sizeof(r->what), "the guest rang without a reason");
	snprintf(r->detail, sizeof(r->detail), "event %u", r->box->event);
}
