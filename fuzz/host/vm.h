/* SPDX-License-Identifier: MIT */
/*
 * vm.h - one QEMU with a kernel, a monitor and an executor in it, standing at
 * its snapshot and ready for inputs.
 *
 * Not safe for threads; several of them may live in several processes.
 */
#ifndef FUZZ_HOST_VM_H
#define FUZZ_HOST_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/monitor/mailbox.h"

struct vm;

struct vm_config {
	const char *kernel;  /* ELF: kernel and shim, as built by make */
	const char *monitor; /* ELF */
	const char *qemu;    /* NULL: qemu-system-riscv64 */
	const char *append;  /* more boot arguments, or NULL */
	unsigned budget_ms;  /* CPU time of QEMU for one step; 0: default */
	bool verify;         /* compare all of RAM after each restore */
	bool keep_cpu;       /* QEMU inherits the caller's CPU mask */
	int gdb_port;        /* 0: none; else gdb stub on 127.0.0.1 */
};

/*
 * Classes of outcomes.  What is larger than VM_SKIPPED is a failure; its
 * number is the signal that AFL++ is told of, so that it names files by it.
 */
enum vm_class {
	VM_PASS,
	VM_BROKEN,     /* the harness failed, not the kernel */
	VM_SKIPPED,    /* not a program */
	VM_PANIC = 6,  /* SIGABRT: panic() */
	VM_TRAP = 11,  /* SIGSEGV: exception in the kernel, wild store */
	VM_HANG = 14,  /* SIGALRM: budget, cancel or deadlock */
	VM_ORACLE = 5, /* SIGTRAP: the executor's model was contradicted */
	VM_AUDIT = 8,  /* SIGFPE: the audit found something */
};

static inline bool
vm_failed(enum vm_class c)
{
	return c > VM_SKIPPED;
}

/* What one input did.  Everything points into memory of the vm's, and is
 * good until its next run. */
struct vm_result {
	enum vm_class class;
	const struct mailbox *box; /* a private copy: checked */
	uint8_t *cover;            /* COVER_SIZE bytes of the guest's map */
	const char *console;       /* text, NUL-terminated, in order */
	size_t console_size;
	double ms;         /* wall clock, for people only */
	double restore_us; /* of it, with vm_clock() on */
	char what[160];    /* one line: the constant text, no numbers */
	char detail[256];  /* the numbers that belong to it */
};

/*
 * vm_open: start QEMU and let it come to its snapshot.  NULL on failure, with
 * one line that says what to do in err (size bytes).
 */
struct vm *vm_open(const struct vm_config *config, char *err, size_t size);

/*
 * vm_run: run one input (at most INPUT_MAX bytes, else VM_SKIPPED) and put
 * the machine back to its snapshot.  If QEMU itself dies it is started again
 * and the result is VM_BROKEN.  Returns r->class.
 */
enum vm_class vm_run(
	struct vm *vm, const void *input, size_t n, struct vm_result *r);

/* For the trace in the mailbox: off at first, for it costs time. */
void vm_trace(struct vm *vm, bool on);
/* For measurements: restore_us, and the mailbox's clock_ fields. */
void vm_clock(struct vm *vm, bool on);
/* The budget from now on, in milliseconds of CPU time. */
void vm_budget(struct vm *vm, unsigned ms);
/*
 * vm_blocks: of a kernel built with FUZZ=exact, a byte for each two of its
 * text, from address *text on, that is not 0 if a block of code whose call of
 * the coverage hook returns there has run since vm_open(); *n of them.  NULL
 * for other kernels.
 */
const uint8_t *vm_blocks(const struct vm *vm, uint64_t *text, size_t *n);
/* The process id of QEMU. */
int vm_pid(const struct vm *vm);
void vm_close(struct vm *vm);

#endif
