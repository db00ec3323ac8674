/* SPDX-License-Identifier: MIT */
/*
 * trap.c - what happens at a trap, and what must have happened before user
 * mode runs again.
 *
 * The kernel is not preempted.  A time slice that ends in the kernel sets
 * hart.resched, and the process yields on its way back to user mode.  System
 * calls, and the exit of a killed process, run with interrupts on; faults and
 * all else with interrupts off.
 */
#include "kernel/check/lockdep.h"
#include "kernel/check/park.h"
#include "kernel/check/plant.h"
#include "kernel/dev/dev.h"
#include "kernel/dev/fdt.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/csr.h"
#include "kernel/trap/frame.h"
#include "kernel/trap/trap.h"

_Static_assert(offsetof(struct trapframe, epc) == TF_EPC, "trapframe");
_Static_assert(offsetof(struct trapframe, hart) == TF_HART, "trapframe");
_Static_assert(offsetof(struct trapframe, regs) == TF_REG(1), "trapframe");
_Static_assert(KF_STACK_SHIFT == KSTACK_SHIFT, "the guard's address bit");

void trap_entry(void);
void user_resume(struct trapframe *tf) __noreturn;
void trap_user(struct trapframe *tf, u64 cause, u64 value);
void trap_kernel(u64 cause, u64 value, u64 epc);
void trap_overflow(u64 sp, u64 fp) __noreturn;

u8 overflow_stack[OVERFLOW_STACK] __aligned(16);

void
trap_init_hart(void)
{
	csr_write(sscratch, 0);
	csr_write(stvec, trap_entry);
}

/* at_rest: nothing was interrupted but user mode, or an idle hart. */
static bool
serve(u64 cause, bool at_rest)
{
	switch (cause) {
	case CAUSE_STIMER:
		timer_intr();
		return true;
	case CAUSE_SEXT:
		plic_intr();
		return true;
	case CAUSE_SSOFT:
		/* Another hart wants this one awake, or stopped. */
		csr_clear(sip, INT_SSOFT);
		if (panicked)
			panic_stop(at_rest);
		return true;
	}
	return false;
}

/* Serve an interrupt; false if cause is none that we know. */
static bool
interrupt(u64 cause, bool at_rest)
{
	bool known;

	if (!LOCKDEP || !(cause & CAUSE_INTERRUPT))
		return serve(cause, at_rest);
	lockdep_intr_begin();
	known = serve(cause, at_rest);
	lockdep_intr_end();
	return known;
}

/* Say why a process dies, unless a script is reading along. */
static void
report_kill(const struct proc *p, const char *why, u64 value)
{
	char word[4];

	if (!bootarg("batch", word, sizeof(word)))
		printf("%s (pid %d): %s at %lx, pc %lx: killed\n", p->name,
			p->pid, why, value, p->tf->epc);
}

static const char *
fault_name(enum fault_kind kind)
{
	if (kind == FAULT_WRITE)
		return "bad store";
	return kind == FAULT_EXEC ? "bad jump" : "bad load";
}

/*
 * The process touched what it cannot: make it present, or kill the process.
 * init has to live, so it waits for memory instead.
 */
static void
page_fault(struct proc *p, enum fault_kind kind, uaddr va)
{
	int err = vm_fault(p->vm, va, kind, false);

	while (err == -ENOMEM && p == initproc) {
		yield();
		err = vm_fault(p->vm, va, kind, false);
	}
	if (err == 0)
		return;
	if (err == -ENOMEM)
		STAT(fault_nomem);
	STAT(fault_kill);
	report_kill(p,
		err == -ENOMEM ? "no memory for a page" : fault_name(kind), va);
	proc_kill(p);
}

static void
system_call(struct proc *p, struct trapframe *tf)
{
	/* A killed process has no business in there. */
	if (killed(p))
		return;
	tf->epc += 4;
	intr_on();
	syscall(tf);
	intr_off();
}

static void
dispatch(struct proc *p, struct trapframe *tf, u64 cause, u64 value)
{
	switch (cause) {
	case CAUSE_ECALL_U:
		system_call(p, tf);
		return;
	case CAUSE_LOAD_FAULT:
		page_fault(p, FAULT_READ, value);
		return;
	case CAUSE_STORE_FAULT:
		page_fault(p, FAULT_WRITE, value);
		return;
	case CAUSE_FETCH_FAULT:
		page_fault(p, FAULT_EXEC, value);
		return;
	}
	if (interrupt(cause, true))
		return;
	if (cause & CAUSE_INTERRUPT)
		panic("trap: interrupt of unknown cause", cause);
	report_kill(p, "exception", value);
	proc_kill(p);
}

/* What a process owes before it runs in user mode; interrupts are off. */
static void
leave_kernel(struct proc *p, struct trapframe *tf)
{
	struct hart *h;

	if (LOCKDEP)
		lockdep_user();
	if (hart_self()->resched) {
		hart_self()->resched = false;
		yield();
	}
	if (killed(p)) {
		intr_on();
		exit(-1);
	}
	/* Before we park, so that an audit meets no table that is outgoing. */
	if (p->vm->stale && !MISTAKEN(flush_missed))
		vm_flush(p->vm);
	park_point();
	h = hart_self();
	ASSERT(h->noff == 0);
	if (h->kick)
		sched_kick();
	if (TLB_BOOKS)
		vm_check_flushed(p->vm);
	tf->hart = hart_id();
	csr_write(sstatus, (csr_read(sstatus) & ~SSTATUS_SPP) | SSTATUS_SPIE);
}

/* Called by vector.S with interrupts off; returns to user mode. */
void
trap_user(struct trapframe *tf, u64 cause, u64 value)
{
	struct proc *p = myproc();

	dispatch(p, tf, cause, value);
	leave_kernel(p, tf);
}

void
user_return(struct trapframe *tf)
{
	intr_off();
	leave_kernel(myproc(), tf);
	user_resume(tf);
}

/* Called by vector.S: an interrupt, or else a bug of the kernel's. */
void
trap_kernel(u64 cause, u64 value, u64 epc)
{
	if (interrupt(cause, myproc() == NULL)) {
		/* A long system call shall not keep others waiting. */
		if (hart_self()->kick && myproc() != NULL)
			sched_kick();
		return;
	}
	printf("trap: cause %lu, address %lx, pc %lx\n", cause, value, epc);
	panic("trap: exception in the kernel", cause);
}

/* Called by vector.S on a stack of its own; sp and fp are the victim's. */
void
trap_overflow(u64 sp, u64 fp)
{
	backtrace(fp);
	panic("trap: kernel stack overflow", sp);
}
