/* SPDX-License-Identifier: MIT */
/*
 * fake_vm.c - a vm.h (and an elf.h) that needs neither QEMU nor a kernel, for
 * tests of what stands on them.
 *
 * The first byte of an input says what happens; that of a program is its S:
 *
 *	P panic   K the same panic with other numbers and another caller
 *	L a panic with much text, and the rest of the input at its end
 *	T trap    H hang, after a while    O oracle    U audit
 *	B is busy for longer than the usual budget
 *	D QEMU dies under it, each time    F QEMU dies the first time only
 *	W QEMU does nothing until it is killed
 *	C covers other edges each time     V fails every third time
 *	S by the program: an audit, if it has one, finds something; a seed of
 *	  13 is like C, 14 like D, 15 a failure every third time, 16 leaves
 *	  memory behind that only verifying finds
 *	other: passes
 *
 * Each byte of the input has an edge of its own for each value, so that there
 * is something to find; and "QEMU" is a child that waits to be killed.
 *
 * FAKE_VM=dead lets no VM come up; FAKE_VM=weak lets none come up again;
 * FAKE_VM=steady knows only P, T, H, O, U and B, so that it always does the
 *same. FAKE_VM_LOG names a file that gets a line for each start and each end.
 */
#define _GNU_SOURCE
#include "fuzz/host/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/host/elf.h"
#include "fuzz/monitor/usercall.h"
#include "fuzz/wire/prog.h"

/* --- a kernel of which only names are known: 0x1000 bytes each */

enum { TEXT = 0x80000000u, FUNCTION = 0x1000 };

static const char *const functions[] = {"panic", "kfree.part.0", "uvmunmap",
	"sys_exit", "sys_sbrk", "memmove", "piperead", "trap_kernel",
	"dispatch", "loop_in_here"};

enum {
	F_PANIC,
	F_KFREE,
	F_UVMUNMAP,
	F_SYS_EXIT,
	F_SYS_SBRK,
	F_MEMMOVE,
	F_PIPEREAD,
	F_TRAP,
	F_DISPATCH,
	F_LOOP,
	NFUNCTIONS
};

static uint64_t
in_function(unsigned which)
{
	return TEXT + which * FUNCTION + 0x10;
}

struct elf {
	int unused;
};

struct elf *
elf_open(const char *path, char *err, size_t size)
{
	(void)path;
	(void)err;
	(void)size;
	return calloc(1, sizeof(struct elf));
}

void
elf_close(struct elf *e)
{
	free(e);
}

const char *
elf_function(const struct elf *e, uint64_t addr, uint64_t *offset)
{
	(void)e;
	if (addr < TEXT || addr >= TEXT + NFUNCTIONS * FUNCTION)
		return NULL;
	*offset = addr % FUNCTION;
	return functions[(addr - TEXT) / FUNCTION];
}

/* --- the machine */

struct vm {
	struct mailbox box;
	uint8_t cover[COVER_SIZE];
	pid_t qemu;
	bool weak;
	bool steady;
	bool verify;
	unsigned budget_ms;
	unsigned long runs;
	unsigned long deaths;
	char console[256];
};

static void
tell(const char *what)
{
	const char *path = getenv("FAKE_VM_LOG");
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	dprintf(fd, "%s\n", what);
	close(fd);
}

static pid_t
start_qemu(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	for (;;)
		pause();
}

static void
wait_for_death(struct vm *vm)
{
	while (waitpid(vm->qemu, NULL, 0) < 0 && errno == EINTR)
		;
	vm->deaths++;
	vm->qemu = vm->weak ? -1 : start_qemu();
}

struct vm *
vm_open(const struct vm_config *config, char *err, size_t size)
{
	const char *mode = getenv("FAKE_VM");
	struct vm *vm;

	if (mode != NULL && strcmp(mode, "dead") == 0) {
		snprintf(err, size, "%s: no such kernel; make it",
			config->kernel);
		return NULL;
	}
	vm = aligned_alloc(_Alignof(struct vm), sizeof(*vm));
	if (vm == NULL)
		abort();
	memset(vm, 0, sizeof(*vm));
	vm->weak = mode != NULL && strcmp(mode, "weak") == 0;
	vm->steady = mode != NULL && strcmp(mode, "steady") == 0;
	vm->verify = config->verify;
	vm->qemu = start_qemu();
	tell("open");
	return vm;
}

static void
frames(struct vm *vm, const unsigned *which, unsigned n)
{
	vm->box.nframes[0] = n;
	for (unsigned i = 0; i < n; i++)
		vm->box.frames[0][i] = in_function(which[i]);
}

#define FRAMES(vm, ...)                                                        \
	frames(vm, (unsigned[]){__VA_ARGS__},                                  \
		sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static enum vm_class
say(struct vm_result *r, enum vm_class class, const char *what,
	const char *detail)
{
	snprintf(r->what, sizeof(r->what), "%s", what);
	snprintf(r->detail, sizeof(r->detail), "%s", detail);
	return class;
}

static enum vm_class
broken(struct vm *vm, struct vm_result *r)
{
	wait_for_death(vm);
	return say(r, VM_BROKEN, "QEMU died", "killed by signal 9");
}

static void
accuse(struct vm *vm, unsigned oracle, int op)
{
	vm->box.nreports = 1;
	vm->box.reports[0] = (struct mailbox_report){
		.oracle = (uint16_t)oracle, .op = (int16_t)op, .want = 1};
}

/* A program passes, and leaves the trace of a lane after the other. */
static enum vm_class
run_program(struct vm *vm, struct vm_result *r)
{
	enum vm_class class = VM_PASS;
	struct prog p;

	if (prog_decode(&p, vm->box.input, vm->box.input_size) != PROG_OK)
		return say(r, VM_SKIPPED, "not a program", "");
	for (int i = 0; i < p.nops; i++) {
		vm->box.trace[i].what = 'S';
		vm->box.trace[i].op = (int16_t)i;
		vm->box.trace_hash = (vm->box.trace_hash + p.ops[i].call) * 31;
		if (p.ops[i].call == CALL_audit)
			class = say(r, VM_AUDIT, "the audit found something",
				"2 findings");
	}
	vm->box.ntrace = p.nops;
	if (p.seed == 13)
		vm->cover[1000 + vm->runs % 1000] = 1;
	if (p.seed == 14) {
		kill(vm->qemu, SIGKILL);
		return broken(vm, r);
	}
	if (p.seed == 15 && vm->runs % 3 == 0)
		return say(r, VM_PANIC, "now and then", "");
	if (p.seed == 16 && vm->verify)
		return say(r, VM_BROKEN, "restored memory differs", "");
	return class;
}

static enum vm_class
act(struct vm *vm, struct vm_result *r)
{
	const struct timespec while_ = {.tv_nsec = 5000000};
	int letter = vm->box.input_size > 0 ? vm->box.input[0] : 0;

	if (vm->steady && strchr("PTHOUB", letter) == NULL)
		return VM_PASS;
	switch (letter) {
	case 'P':
		FRAMES(vm, F_PANIC, F_KFREE, F_UVMUNMAP, F_SYS_EXIT);
		return say(r, VM_PANIC, "kfree: frame is free already",
			"0x87654000");
	case 'K':
		FRAMES(vm, F_PANIC, F_KFREE, F_UVMUNMAP, F_SYS_SBRK);
		return say(r, VM_PANIC, "kfree: frame is free already", "0x1");
	case 'L':
		say(r, VM_PANIC, "", "");
		snprintf(r->what, sizeof(r->what),
			"panic: Inode 12 of 0x7fee "
			"at 0xBEEF (3rd) has 4k too many: words, and no end of "
			"them: %.20s",
			(const char *)vm->box.input + 1);
		return VM_PANIC;
	case 'T':
		vm->box.trap_pc = in_function(F_MEMMOVE);
		FRAMES(vm, F_MEMMOVE, F_PIPEREAD, F_DISPATCH);
		return say(r, VM_TRAP, "load page fault", "at 0x0");
	case 'B':
		if (vm->budget_ms >= 100)
			return VM_PASS;
		vm->box.event = EVENT_CANCEL;
		return say(r, VM_HANG, "endless loop", "");
	case 'H':
		nanosleep(&while_, NULL);
		tell("hang");
		vm->box.event = EVENT_CANCEL;
		FRAMES(vm, F_LOOP, F_SYS_SBRK, F_DISPATCH, F_TRAP);
		return say(r, VM_HANG, "no end in 3000000 hooks", "");
	case 'O':
		accuse(vm, ORACLE_foreign, 3);
		return say(r, VM_ORACLE,
			"memory holds what another process wrote", "1, not 2");
	case 'U':
		snprintf(vm->console, sizeof(vm->console),
			"boot\naudit: frame is lost: 0x87654000, 2 of 3\n"
			"audit: frame is lost: 0x87655000, 3 of 3\n");
		return say(r, VM_AUDIT, "the audit found something", "2");
	case 'F':
		if (vm->deaths > 0)
			return VM_PASS;
		/* fallthrough */
	case 'D':
		kill(vm->qemu, SIGKILL);
		/* fallthrough */
	case 'W':
		return broken(vm, r);
	case 'C':
		vm->cover[1000 + vm->runs % 1000] = 1;
		return VM_PASS;
	case 'V':
		if (vm->runs % 3 == 0)
			return say(r, VM_PANIC, "now and then", "");
		return VM_PASS;
	case 'S':
		return run_program(vm, r);
	default:
		return VM_PASS;
	}
}

enum vm_class
vm_run(struct vm *vm, const void *input, size_t n, struct vm_result *r)
{
	const uint8_t *bytes = input;

	memset(r, 0, sizeof(*r));
	memset(vm->cover, 0, COVER_SIZE);
	memset(&vm->box, 0, offsetof(struct mailbox, trace));
	vm->console[0] = '\0';
	r->box = &vm->box;
	r->cover = vm->cover;
	r->console = vm->console;
	vm->runs++;
	if (vm->qemu < 0)
		return r->class = say(r, VM_BROKEN, "QEMU does not start", "");
	if (n > INPUT_MAX)
		return r->class = say(r, VM_SKIPPED, "too long", "");
	memcpy(vm->box.input, input, n);
	vm->box.input_size = (uint32_t)n;
	for (size_t i = 0; i < n && i < 32; i++)
		vm->cover[2000 + i * 256 + bytes[i]] = 1;
	r->class = act(vm, r);
	r->console_size = strlen(vm->console);
	return r->class;
}

void
vm_trace(struct vm *vm, bool on)
{
	vm->box.trace_on = on;
}

void
vm_budget(struct vm *vm, unsigned ms)
{
	vm->budget_ms = ms;
}

int
vm_pid(const struct vm *vm)
{
	return vm->qemu;
}

void
vm_close(struct vm *vm)
{
	if (vm->qemu > 0) {
		kill(vm->qemu, SIGKILL);
		waitpid(vm->qemu, NULL, 0);
	}
	tell("close");
	free(vm);
}
