/* SPDX-License-Identifier: MIT */
/*
 * proc.c - process slots and process ids.
 *
 * Free slots are on a list, processes in use in a hash by their id, so
 * nothing scans the table.
 */
#include "kernel/check/asan.h"
#include "kernel/check/failnth.h"
#include "kernel/file/inode.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/trap.h"

enum { NPIDHASH = 128 };

/* What nobody may touch while the slot is free. */
#define PROC_BODY(p)  FROM_MEMBER(p, parent)
#define PROC_STACK(p) (void *)(p)->kstack, KSTACK_SIZE

struct proc procs[NPROC];
struct proc *initproc;

/* All fields: lock; count is also read without. */
static struct {
	struct spinlock lock;
	struct list free;
	struct list hash[NPIDHASH];
	int lastpid;
	u64 count;
} ptable = {.lock = SPINLOCK(ptable, "ptable")};

void
proc_init(void)
{
	list_init(&ptable.free);
	for (int i = 0; i < NPIDHASH; i++)
		list_init(&ptable.hash[i]);
	for (int i = 0; i < NPROC; i++) {
		struct proc *p = &procs[i];

		spin_init(&p->lock, RANK_proc, "proc");
		list_init(&p->queue);
		list_init(&p->children);
		list_init(&p->zombies);
		list_init(&p->sibling);
		p->kstack = kstack_base(i);
		p->tf = (struct trapframe *)(p->kstack + KSTACK_SIZE) - 1;
		list_push(&ptable.free, &p->pidlink);
		asan_poison(PROC_STACK(p), SHADOW_STACK);
		asan_poison(PROC_BODY(p), SHADOW_OBJECT);
	}
}

static struct proc *
look_up(int pid)
{
	struct proc *p;

	list_for_each(p, &ptable.hash[pid % NPIDHASH],
		pidlink) if (p->pid == pid) return p;
	return NULL;
}

/* The next id that is not in use; ids wrap around, to 1. */
static int
next_pid(void)
{
	do {
		ptable.lastpid = ptable.lastpid % 0x7fffffff + 1;
	} while (look_up(ptable.lastpid) != NULL);
	return ptable.lastpid;
}

/* Take a slot and give it an id, or NULL. */
static struct proc *
slot_take(void)
{
	struct proc *p = NULL;

	acquire(&ptable.lock);
	if (!list_empty(&ptable.free)) {
		p = list_first(&ptable.free, struct proc, pidlink);
		list_remove(&p->pidlink);
		p->pid = next_pid();
		p->killed = 0;
		list_push(&ptable.hash[p->pid % NPIDHASH], &p->pidlink);
		ptable.count++;
	}
	release(&ptable.lock);
	return p;
}

static void
slot_give(struct proc *p)
{
	acquire(&ptable.lock);
	list_remove(&p->pidlink);
	list_push_front(&ptable.free, &p->pidlink);
	p->pid = 0;
	ptable.count--;
	release(&ptable.lock);
}

__injectable struct proc *
proc_alloc(void)
{
	struct proc *p = fail_here(ALLOC_SITE()) ? NULL : slot_take();

	if (p == NULL)
		return NULL;
	asan_unpoison(PROC_BODY(p));
	asan_unpoison(PROC_STACK(p));
	p->state = PROC_EMBRYO;
	p->vm = &p->vms[0];
	p->ctx = (struct context){.ra = (u64)proc_begin, .sp = (u64)p->tf};
	p->killable = false;
	p->fail_in = 0;
	return p;
}

void
proc_free(struct proc *p)
{
	/* Its last hart holds the lock until it is off the stack. */
	acquire(&p->lock);
	p->state = PROC_FREE;
	release(&p->lock);
	DEBUG_ASSERT(p->cwd == NULL);
	DEBUG_ASSERT(list_empty(&p->queue) && list_empty(&p->sibling));
	DEBUG_ASSERT(p->vms[0].root == NULL && p->vms[1].root == NULL);
	asan_free(PROC_STACK(p), SHADOW_STACK);
	asan_free(PROC_BODY(p), SHADOW_OBJECT);
	slot_give(p);
}

int
proc_mark_killed(int pid, struct proc **found)
{
	struct proc *p;

	acquire(&ptable.lock);
	p = pid > 0 ? look_up(pid) : NULL;
	if (p != NULL && p != initproc)
		__atomic_store_n(&p->killed, 1, __ATOMIC_SEQ_CST);
	release(&ptable.lock);
	*found = p;
	if (p == NULL)
		return -ESRCH;
	return p == initproc ? -EINVAL : 0;
}

u64
proc_count(void)
{
	return __atomic_load_n(&ptable.count, __ATOMIC_RELAXED);
}

void
proc_dump(void)
{
	static const char *const names[] = {
		[PROC_FREE] = "free",
		[PROC_EMBRYO] = "embryo",
		[PROC_RUNNABLE] = "runnable",
		[PROC_RUNNING] = "running",
		[PROC_SLEEPING] = "sleeping",
		[PROC_ZOMBIE] = "zombie",
	};

	printf("\n  pid  parent  state     pages to  name\n");
	for (struct proc *p = procs; p < &procs[NPROC]; p++) {
		const struct proc *parent;

		if (p->state == PROC_FREE)
			continue;
		parent = p->parent;
		printf("%5d  %6d  %-8s  %8lx  %s\n", p->pid,
			parent == NULL ? 0 : parent->pid, names[p->state],
			p->vm == NULL ? 0 : p->vm->brk, p->name);
	}
}
