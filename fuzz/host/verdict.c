/* SPDX-License-Identifier: MIT */
/*
 * verdict.c - from why the guest rang to a class and two lines of text.
 *
 * Each event has a row: its class, its text, and what there is to add.  The
 * text is constant for one bug, for signature.c names the failure by it; all
 * numbers go into the detail.
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

#define WHAT(r, ...)   snprintf((r)->what, sizeof((r)->what), __VA_ARGS__)
#define DETAIL(r, ...) snprintf((r)->detail, sizeof((r)->detail), __VA_ARGS__)

static const char *const oracle_text[NORACLES] = {
#define ORACLE(name, text) [ORACLE_##name] = text,
#include "fuzz/monitor/oracles.def"
#undef ORACLE
};

/* The first report is what the others follow from. */
static void
add_report(struct vm_result *r)
{
	const struct mailbox_report *first = &r->box->reports[0];
	unsigned oracle = first->oracle < NORACLES ? first->oracle : 0;

	r->class = VM_ORACLE;
	WHAT(r, "%s", oracle_text[oracle]);
	DETAIL(r, "operation %d, expected %lx, found %lx", first->op,
		first->want, first->got);
}

/* The first finding, likewise; its line is "audit: what: numbers". */
static void
add_audit(struct vm_result *r)
{
	const char *line = strstr(r->console, "audit: ");
	size_t n;

	r->class = VM_AUDIT;
	WHAT(r, "audit failed");
	DETAIL(r, "%ld findings", r->box->audit);
	if (line == NULL)
		return;
	n = strcspn(line + 7, ":\n");
	WHAT(r, "%.*s", (int)(n + 7), line);
	n = strcspn(line, "\n");
	DETAIL(r, "%.*s", (int)n, line);
}

/* It came to its end; but the oracles and the audit have a word to say. */
static void
add_done(struct vm_result *r)
{
	if (r->box->nreports > 0)
		add_report(r);
	else if (r->box->audit != 0)
		add_audit(r);
}

static void
add_panic(struct vm_result *r)
{
	WHAT(r, "panic: %s", r->box->panic_text);
	DETAIL(r, "0x%lx", r->box->panic_value);
}

static void
add_trap(struct vm_result *r)
{
	DETAIL(r, "cause %lu, pc %lx, address %lx", r->box->trap_cause,
		r->box->trap_pc, r->box->trap_value);
}

static void
add_event(struct vm_result *r)
{
	DETAIL(r, "event %u", r->box->event);
}

struct ruling {
	enum vm_class class;
	const char *what;
	void (*add)(struct vm_result *r); /* NULL: nothing */
};

static const struct ruling by_event[] = {
	[EVENT_DONE] = {VM_PASS, "", add_done},
	[EVENT_PANIC] = {VM_PANIC, "panic", add_panic},
	[EVENT_TRAP] = {VM_TRAP, "exception that nobody can serve", add_trap},
	[EVENT_PROTECT] = {VM_TRAP, "access to memory that is not the kernel's",
		add_trap},
	[EVENT_CANCEL] = {VM_HANG, "endless loop", NULL},
	[EVENT_DEADLOCK] = {VM_HANG, "all harts wait for ever", NULL},
};
enum { NEVENTS = sizeof(by_event) / sizeof(by_event[0]) };

static const struct ruling spoiled = {
	VM_TRAP, "the kernel has spoiled the mailbox", add_trap};
static const struct ruling no_reason = {
	VM_BROKEN, "the guest rang without a reason", add_event};

static const struct ruling *
find_ruling(const struct mailbox *box)
{
	if (!mailbox_valid(box))
		return &spoiled;
	if (box->event >= NEVENTS || by_event[box->event].what == NULL)
		return &no_reason;
	return &by_event[box->event];
}

void
verdict_reach(struct vm_result *r)
{
	const struct ruling *ruling = find_ruling(r->box);

	r->class = ruling->class;
	WHAT(r, "%s", ruling->what);
	r->detail[0] = '\0';
	if (ruling->add != NULL)
		ruling->add(r);
}
