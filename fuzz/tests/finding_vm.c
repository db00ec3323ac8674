/* SPDX-License-Identifier: MIT */
/*
 * finding_vm.c - a vm.h that needs neither QEMU nor a kernel that runs: bugs
 * that depend on what operations a program has.  For finding_test.py.
 *
 *	fork, and behind it exec     panic
 *	open, and behind it audit    the audit finds something
 *	load in a lane but 0         oracle
 *	mknod                        trap
 *	uptime                       a panic in every other run only
 *	getpid and nothing else      QEMU dies
 *
 * FAKE_MS=N makes each run take so long.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/host/elf.h"
#include "fuzz/host/vm.h"
#include "fuzz/monitor/usercall.h"
#include "fuzz/wire/prog.h"

struct vm {
	struct mailbox box;
	uint8_t cover[COVER_SIZE];
	char console[CONSOLE_MAX];
	struct elf *kernel;
	unsigned runs;
	unsigned ms;
};

struct vm *
vm_open(const struct vm_config *config, char *err, size_t size)
{
	struct vm *vm = aligned_alloc(_Alignof(struct vm), sizeof(*vm));
	const char *ms = getenv("FAKE_MS");

	if (vm == NULL)
		abort();
	memset(vm, 0, sizeof(*vm));
	vm->kernel = elf_open(config->kernel, err, size);
	vm->ms = ms != NULL ? (unsigned)atoi(ms) : 0;
	if (vm->kernel != NULL)
		return vm;
	free(vm);
	return NULL;
}

void
vm_close(struct vm *vm)
{
	elf_close(vm->kernel);
	free(vm);
}

void
vm_trace(struct vm *vm, bool on)
{
	vm->box.trace_on = on;
}

void
vm_budget(struct vm *vm, unsigned ms)
{
	(void)vm;
	(void)ms;
}

int
vm_pid(const struct vm *vm)
{
	(void)vm;
	return getpid();
}

/* Where an operation of this call is, from `from` on; nops if there is none. */
static unsigned
find(const struct prog *p, unsigned from, unsigned call)
{
	while (from < p->nops && p->ops[from].call != call)
		from++;
	return from;
}

static unsigned
find_load(const struct prog *p)
{
	unsigned i = find(p, 0, CALL_load);

	while (i < p->nops && p->ops[i].lane == 0)
		i = find(p, i + 1, CALL_load);
	return i;
}

static void
stand_in(struct vm *vm, unsigned hart, const char *function, unsigned n)
{
	uint64_t addr;

	if (!elf_symbol(vm->kernel, function, &addr))
		abort();
	vm->box.frames[hart][n] = addr + 4;
	vm->box.nframes[hart] = n + 1;
}

static enum vm_class
panic_in(struct vm *vm, struct vm_result *r, const char *what)
{
	stand_in(vm, 0, "panic", 0);
	stand_in(vm, 0, "kfree", 1);
	stand_in(vm, 0, "sys_exit", 2);
	stand_in(vm, 1, "scheduler", 0);
	snprintf(vm->console, sizeof(vm->console),
		"boot\n%0700d\n\x1b[31mred\n# no title\npanic: %s: 0x%x\n", 0,
		what, vm->runs);
	snprintf(r->what, sizeof(r->what), "panic: %s", what);
	snprintf(r->detail, sizeof(r->detail), "0x%x", vm->runs);
	return VM_PANIC;
}

static enum vm_class
audit(struct vm *vm, struct vm_result *r)
{
	snprintf(vm->console, sizeof(vm->console),
		"audit: frame is lost: 0x87654000, 2 of 3\n");
	snprintf(r->what, sizeof(r->what), "audit: frame is lost");
	return VM_AUDIT;
}

/* More reports than there is room for, and one that is nonsense. */
static enum vm_class
accuse(struct vm *vm, struct vm_result *r, unsigned op)
{
	vm->box.nreports = 1000000;
	vm->box.reports[0] = (struct mailbox_report){.oracle = ORACLE_foreign,
		.op = (int16_t)op,
		.want = 1,
		.got = 2};
	vm->box.reports[1] =
		(struct mailbox_report){.oracle = 999, .op = 32000};
	snprintf(r->what, sizeof(r->what),
		"memory holds what another process wrote");
	return VM_ORACLE;
}

static enum vm_class
trap(struct vm *vm, struct vm_result *r)
{
	stand_in(vm, 0, "kfree", 0);
	vm->box.trap_pc = vm->box.frames[0][0];
	vm->box.nframes[7] = 4000000000u;
	vm->box.hart = 77;
	snprintf(r->what, sizeof(r->what), "exception that nobody can serve");
	return VM_TRAP;
}

static enum vm_class
act(struct vm *vm, struct vm_result *r, const struct prog *p)
{
	unsigned fork_at = find(p, 0, CALL_fork);

	if (p->nops == 1 && p->ops[0].call == CALL_getpid)
		return VM_BROKEN;
	if (find(p, fork_at, CALL_exec) < p->nops)
		return panic_in(vm, r, "kfree: frame is free already");
	if (find(p, find(p, 0, CALL_open), CALL_audit) < p->nops)
		return audit(vm, r);
	if (find_load(p) < p->nops)
		return accuse(vm, r, find_load(p));
	if (find(p, 0, CALL_mknod) < p->nops)
		return trap(vm, r);
	if (find(p, 0, CALL_uptime) < p->nops && vm->runs % 2 == 0)
		return panic_in(vm, r, "now and then");
	return VM_PASS;
}

enum vm_class
vm_run(struct vm *vm, const void *input, size_t n, struct vm_result *r)
{
	struct timespec t = {.tv_nsec = vm->ms * 1000000L};
	struct prog p;

	memset(r, 0, sizeof(*r));
	memset(&vm->box, 0, sizeof(vm->box));
	vm->console[0] = '\0';
	vm->runs++;
	if (vm->ms > 0)
		nanosleep(&t, NULL);
	r->box = &vm->box;
	r->cover = vm->cover;
	r->console = vm->console;
	memcpy(vm->box.input, input, n < INPUT_MAX ? n : INPUT_MAX);
	vm->box.input_size = (uint32_t)n;
	if (n > INPUT_MAX || prog_decode(&p, input, n) != PROG_OK)
		return r->class = VM_SKIPPED;
	for (unsigned i = 0; i < p.nops; i++)
		vm->box.trace[i] = (struct mailbox_trace){
			.what = 'S', .op = (int16_t)i, .value = 7};
	vm->box.ntrace = p.nops;
	vm->box.trace_hash = p.nops;
	r->class = act(vm, r, &p);
	r->console_size = strlen(vm->console);
	return r->class;
}
