/* SPDX-License-Identifier: MIT */
/*
 * sched.c - which process runs where.
 *
 * One queue, first in first out, serves all harts: taking from it is a few
 * instructions, and no process can wait behind a busy hart while another is
 * idle.  A process on the queue has its lock held by its last hart until it
 * is off that hart's stack; whoever takes it from the queue waits for that.
 *
 * Waking harts.  A hart that finds the queue empty sets its bit in idle under
 * the queue's lock, and waits for an interrupt.  ready() only notes that
 * somebody should be woken, and the interrupt is sent when this hart goes back
 * to user mode, or when it takes one process and leaves others: if it
 * sleeps itself it takes the process over, and no hart is woken for nothing.
 */
#include "kernel/check/lockdep.h"
#include "kernel/check/park.h"
#include "kernel/check/plant.h"
#include "kernel/dev/dev.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/csr.h"
#include "kernel/trap/trap.h"

/* All fields: lock. */
static struct {
	struct spinlock lock;
	struct list queue;
	u32 idle; /* a bit for each hart that waits for work */
} runq = {
	.lock = SPINLOCK(runq, "runq"),
	.queue = LIST_INIT(runq.queue),
};

/* An idle hart that should wake, now claimed; or -1. runq.lock held. */
static int
claim_idle(void)
{
	int hart = 0;

	if (runq.idle == 0 || list_empty(&runq.queue))
		return -1;
	while (!(runq.idle & 1u << hart))
		hart++;
	runq.idle &= ~(1u << hart);
	return hart;
}

void
sched_kick(void)
{
	int hart;

	hart_self()->kick = false;
	acquire(&runq.lock);
	hart = claim_idle();
	release(&runq.lock);
	if (hart >= 0)
		ipi_send(hart);
}

void
ready(struct proc *p)
{
	ASSERT(holding(&p->lock));
	DEBUG_ASSERT(p->state == PROC_RUNNING || p->state == PROC_SLEEPING ||
		     p->state == PROC_EMBRYO);
	p->state = PROC_RUNNABLE;
	acquire(&runq.lock);
	list_push(&runq.queue, &p->queue);
	if (runq.idle != 0)
		hart_self()->kick = true;
	release(&runq.lock);
}

/* The next process, or NULL and this hart counts as idle. */
static struct proc *
take_next(void)
{
	struct proc *p = NULL;
	u32 me = 1u << hart_id();
	int hart = -1;

	acquire(&runq.lock);
	if (list_empty(&runq.queue)) {
		runq.idle |= me;
	} else {
		p = list_first(&runq.queue, struct proc, queue);
		list_remove(&p->queue);
		runq.idle &= ~me;
		hart = claim_idle();
	}
	release(&runq.lock);
	if (hart >= 0)
		ipi_send(hart);
	return p;
}

/* Until an interrupt; it is served here, on the scheduler's stack. */
static void
idle(void)
{
	timer_arm(true);
	/* wfi ends when one is pending, though none is taken yet. */
	asm volatile("wfi" ::: "memory");
	intr_on();
	intr_off();
}

/* Is p on no hart, and its stack pointer on its stack?  For DEBUG_ASSERT. */
static bool
is_off(const struct proc *p)
{
	for (int i = 0; i < nharts; i++)
		if (harts[i].proc == p)
			return false;
	return p->ctx.sp > p->kstack && p->ctx.sp <= p->kstack + KSTACK_SIZE;
}

/*
 * After p: the process to run next, if there is one, and this hart is on its
 * tables; else the hart is on the kernel's.  Going there first would cost one
 * more flush of the TLB.
 *
 * p->lock is held: until it is released nobody can free p's tables, which we
 * are on.  The next one's stay, for it cannot end before it runs.  A process
 * that we hold is in no queue, so none is taken while somebody audits.
 */
static struct proc *
change_tables(void)
{
	struct proc *next = park_wanted() ? NULL : take_next();

	if (next == NULL || MISTAKEN(switch_missed))
		vm_switch(NULL);
	else
		vm_switch(next->vm);
	return next;
}

/*
 * Run p, whose tables this hart is on, until it gives up the hart; returns who
 * is next, if that is known, and the hart is on that one's tables.
 */
static struct proc *
run(struct hart *h, struct proc *p)
{
	struct proc *next;

	acquire(&p->lock);
	ASSERT(p->state == PROC_RUNNABLE);
	DEBUG_ASSERT(is_off(p));
	p->state = PROC_RUNNING;
	h->proc = p;
	h->kick = false;
	h->resched = false; /* that slice was another's */
	STAT(switches);
	timer_arm(false);
	swtch(&h->ctx, &p->ctx);
	h->proc = NULL;
	next = change_tables();
	vm_let_go(p->vm); /* which we are off, and p->lock keeps */
	/*
	 * The process's interrupts may have been on; the scheduler's are off
	 * between finding nothing to run and wfi, or it would miss a wake-up.
	 */
	h->intena = false;
	release(&p->lock);
	return next;
}

void
scheduler(void)
{
	struct hart *h = hart_self();

	intr_off();
	for (;;) {
		struct proc *p;

		DEBUG_ASSERT(h->proc == NULL && h->noff == 0 && !intr_get());
		park_point();
		p = take_next();
		if (p != NULL && !MISTAKEN(switch_missed))
			vm_switch(p->vm);
		if (p == NULL)
			idle();
		while (p != NULL)
			p = run(h, p);
	}
}

void
sched(void)
{
	struct proc *p = myproc();
	bool intena;

	ASSERT(holding(&p->lock));
	ASSERT(hart_self()->noff == 1);
	ASSERT(p->state != PROC_RUNNING);
	/* intena belongs to the code of this process, not to the hart. */
	intena = hart_self()->intena;
	swtch(&p->ctx, &hart_self()->ctx);
	hart_self()->intena = intena;
}

void
yield(void)
{
	struct proc *p = myproc();

	if (LOCKDEP)
		lockdep_sleep(NULL);
	acquire(&p->lock);
	ready(p);
	sched();
	release(&p->lock);
}

bool
sched_each(void (*visit)(const struct proc *p))
{
	const struct proc *p;

	if (!list_ends(&runq.queue, NPROC))
		return false;
	list_for_each(p, &runq.queue, queue) visit(p);
	return true;
}
