/* SPDX-License-Identifier: MIT */
/*
 * vm.c - one QEMU, from its start to its snapshot, and one input after the
 * other from there.
 *
 * A run is: fill the mailbox (mailbox.c), ring and wait (doorbell.c), take the
 * mailbox, reach a verdict (verdict.c), put the snapshot back (ram.c).
 *
 * What keeps it right: the guest waits at its ring whenever we are not in
 * doorbell_wait(), so its memory is ours; each run begins from the same bytes;
 * and where one of these cannot be had - QEMU is gone, or its monitor is lost -
 * QEMU is started anew, and the result is that the harness is broken, never
 * that the kernel is.
 */
#include "fuzz/host/vm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/host/clock.h"
#include "fuzz/host/doorbell.h"
#include "fuzz/host/guest.h"
#include "fuzz/host/mailbox.h"
#include "fuzz/host/qemu.h"
#include "fuzz/host/ram.h"
#include "fuzz/host/verdict.h"

enum {
	BOOT_MS = 60000, /* CPU time until the snapshot */
	BUDGET_MS = 12,  /* CPU time of one step, if nobody says otherwise */
	WARM_UP = 64,    /* so many inputs first, while QEMU translates, */
	PATIENCE = 10,   /* have so many times as much */
};

struct vm {
	struct vm_config config;
	struct guest guest;
	struct qemu qemu;
	struct mailbox copy; /* of the last run, checked */
	char console[CONSOLE_MAX + 1];
	uint8_t no_cover[COVER_SIZE]; /* of what has not run to a verdict */
	unsigned budget_ms;
	unsigned warm; /* inputs since QEMU was started, up to WARM_UP */
	bool trace;
	bool clock_on;
};

static enum answer
wait_for_guest(struct vm *vm, unsigned budget_ms)
{
	if (vm->config.gdb_port)
		budget_ms = DOORBELL_NO_LIMIT;
	return doorbell_wait(&vm->qemu, vm->guest.box, budget_ms);
}

/* ---- the way to the snapshot */

/* It came to another end than the executor's first input. */
static void
say_failed_boot(struct vm *vm, char *err, size_t size)
{
	const struct mailbox *box = &vm->copy;

	mailbox_take(&vm->copy, vm->console, &vm->guest, true);
	snprintf(err, size,
		"%s fails while it boots: event %u, %s, cause "
		"%lu, pc %lx, value %lx; console: %.300s",
		vm->config.kernel, box->event, box->panic_text, box->trap_cause,
		box->trap_pc, box->trap_value, vm->console);
}

/* Wait until the executor asks for its first input. */
static bool
boot(struct vm *vm, char *err, size_t size)
{
	enum answer answer = wait_for_guest(vm, BOOT_MS);
	char line[256];

	if (answer == ANSWER_DEAD) {
		qemu_said(&vm->qemu, line, sizeof(line));
		snprintf(err, size, "QEMU ended before the kernel was up: %s",
			line[0] ? line : "it said nothing");
		return false;
	}
	if (answer == ANSWER_LOST) {
		snprintf(err, size,
			"%s does not come to its executor's first input",
			vm->config.kernel);
		return false;
	}
	if (!guest_check(&vm->guest, err, size))
		return false;
	if (vm->guest.box->event != EVENT_READY) {
		say_failed_boot(vm, err, size);
		return false;
	}
	return true;
}

static bool
start(struct vm *vm, char *err, size_t size)
{
	vm->warm = 0;
	return guest_renew(&vm->guest, err, size) &&
	       qemu_start(&vm->qemu, &vm->config, vm->guest.ram, err, size) &&
	       boot(vm, err, size) && guest_snapshot(&vm->guest, err, size);
}

struct vm *
vm_open(const struct vm_config *config, char *err, size_t size)
{
	/* calloc() does not align as the mailbox wants it. */
	struct vm *vm = aligned_alloc(_Alignof(struct vm), sizeof(*vm));

	if (vm == NULL) {
		snprintf(err, size, "out of memory");
		return NULL;
	}
	memset(vm, 0, sizeof(*vm));
	vm->config = *config;
	vm->budget_ms = config->budget_ms ? config->budget_ms : BUDGET_MS;
	qemu_init(&vm->qemu);
	if (!guest_open(
		    &vm->guest, config->kernel, config->monitor, err, size) ||
		!start(vm, err, size)) {
		vm_close(vm);
		return NULL;
	}
	/* A QEMU that has died is noticed by what write() returns. */
	signal(SIGPIPE, SIG_IGN);
	return vm;
}

void
vm_close(struct vm *vm)
{
	if (vm == NULL)
		return;
	qemu_close(&vm->qemu);
	guest_close(&vm->guest);
	free(vm);
}

/* ---- one input */

static void
prepare(struct vm *vm, const void *input, size_t n)
{
	struct mailbox *box = vm->guest.box;

	mailbox_fill(box, input, n);
	box->trace_on = vm->trace;
	box->clock_on = vm->clock_on;
	memset(vm->guest.cover, 0, sizeof(*vm->guest.cover));
}

static void
restore(struct vm *vm, struct vm_result *r)
{
	struct mailbox *box = vm->guest.box;
	uint64_t pa;

	box->ndirty = ram_restore(
		vm->guest.ram, vm_failed(r->class), box->dirty, DIRTY_MAX);
	if (box->ndirty == DIRTY_MAX) /* more code than we can tell of */
		qemu_stop(&vm->qemu);
	if (!vm->config.verify)
		return;
	pa = ram_verify(vm->guest.ram);
	if (pa == 0)
		return;
	r->class = VM_BROKEN;
	snprintf(r->what, sizeof(r->what), "restored memory differs");
	snprintf(r->detail, sizeof(r->detail), "first at physical %lx", pa);
}

/* What QEMU said, or else what the monitor wrote before it ended QEMU. */
static void
why_dead(const struct vm *vm, char *line, size_t size)
{
	const struct mailbox *box = vm->guest.box;

	qemu_said(&vm->qemu, line, size);
	if (line[0] == '\0' && vm->qemu.pid != 0 && box->event == EVENT_TRAP)
		snprintf(line, size,
			"the monitor failed: cause %lu, pc %lx, address %lx",
			box->trap_cause, box->trap_pc, box->trap_value);
}

/* QEMU is gone, or does not answer: start again, and say so. */
static enum vm_class
begin_anew(struct vm *vm, struct vm_result *r, const char *why)
{
	char err[512];

	r->class = VM_BROKEN;
	snprintf(r->what, sizeof(r->what), "%s", why);
	why_dead(vm, r->detail, sizeof(r->detail));
	memset(&vm->copy, 0, sizeof(vm->copy)); /* was the last run's */
	qemu_stop(&vm->qemu);
	if (vm->config.gdb_port)
		return r->class; /* who debugs it has ended it */
	if (!start(vm, err, sizeof(err))) {
		qemu_stop(&vm->qemu);
		snprintf(r->detail, sizeof(r->detail), "%.250s", err);
	}
	return r->class;
}

static unsigned
budget(struct vm *vm)
{
	if (vm->warm == WARM_UP)
		return vm->budget_ms;
	vm->warm++;
	return vm->budget_ms * PATIENCE;
}

/* Nothing has run yet. */
static void
clear(struct vm *vm, struct vm_result *r)
{
	memset(r, 0, offsetof(struct vm_result, what));
	r->what[0] = r->detail[0] = '\0';
	r->box = &vm->copy;
	r->cover = vm->no_cover; /* the guest's may have no place */
	r->console = vm->console;
	vm->console[0] = '\0';
}

/* The guest stands still: say what it did, and put it back. */
static void
finish(struct vm *vm, struct vm_result *r)
{
	double ended_ms;

	mailbox_take(&vm->copy, vm->console, &vm->guest, vm->trace);
	r->cover = vm->guest.cover->map;
	r->console_size = strlen(vm->console);
	verdict_reach(r);
	ended_ms = vm->clock_on ? clock_ms(CLOCK_MONOTONIC) : 0;
	restore(vm, r);
	if (vm->clock_on)
		r->restore_us = 1e3 * (clock_ms(CLOCK_MONOTONIC) - ended_ms);
}

enum vm_class
vm_run(struct vm *vm, const void *input, size_t n, struct vm_result *r)
{
	double start_ms = clock_ms(CLOCK_MONOTONIC);
	enum answer answer;

	clear(vm, r);
	if (n > INPUT_MAX) {
		r->class = VM_SKIPPED;
		snprintf(r->what, sizeof(r->what), "input too long");
		return r->class;
	}
	if (vm->qemu.pid == 0)
		return begin_anew(vm, r, "QEMU is not there");
	prepare(vm, input, n);
	if (!doorbell_ring(&vm->qemu))
		return begin_anew(vm, r, "QEMU has died");
	answer = wait_for_guest(vm, budget(vm));
	if (answer == ANSWER_DEAD)
		return begin_anew(vm, r, "QEMU has died");
	if (answer == ANSWER_LOST)
		return begin_anew(vm, r, "the monitor does not answer");
	finish(vm, r);
	r->ms = clock_ms(CLOCK_MONOTONIC) - start_ms;
	return r->class;
}

/* ---- settings */

void
vm_trace(struct vm *vm, bool on)
{
	vm->trace = on;
}

void
vm_clock(struct vm *vm, bool on)
{
	vm->clock_on = on;
}

void
vm_budget(struct vm *vm, unsigned ms)
{
	vm->budget_ms = ms;
}

const uint8_t *
vm_blocks(const struct vm *vm, uint64_t *text, size_t *n)
{
	return guest_blocks(&vm->guest, text, n);
}

int
vm_pid(const struct vm *vm)
{
	return (int)vm->qemu.pid;
}
