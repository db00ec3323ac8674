/* SPDX-License-Identifier: MIT */
/*
 * procs.c - each process has a parent that can wait for it, and whoever
 * sleeps sleeps for something that can still happen and has not yet.
 */
#include "kernel/check/audit.h"
#include "kernel/file/file.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"

/* On which lists each process was found; the auditor's. */
enum { AS_CHILD = 1, AS_ZOMBIE = 2, AS_SLEEPER = 4, AS_RUNNABLE = 8 };

static u8 found[NPROC];

static void
note_sleeper(const struct proc *p)
{
	found[p - procs] |= AS_SLEEPER;
}

static void
note_runnable(const struct proc *p)
{
	found[p - procs] |= AS_RUNNABLE;
}

/* A list that does not come back to its head cannot be followed. */
static void
report_circle(const char *list, int pid)
{
	audit_report(
		"list of processes runs in a circle", "%s, pid %d", list, pid);
}

/* Those on one of parent's lists that say it is their parent. */
static void
note_family(const struct proc *parent, struct list *l, u8 as)
{
	const struct proc *p;

	if (!list_ends(l, NPROC)) {
		report_circle(as == AS_CHILD ? "children" : "dead children",
			parent->pid);
		return;
	}
	list_for_each(p, l, sibling) if (p->parent == parent)
		found[p - procs] |= as;
}

static void
note_lists(void)
{
	memset(found, 0, sizeof(found));
	for (struct proc *p = procs; p < &procs[NPROC]; p++) {
		if (p->state == PROC_FREE)
			continue;
		note_family(p, &p->children, AS_CHILD);
		note_family(p, &p->zombies, AS_ZOMBIE);
	}
	if (!sleep_each(note_sleeper))
		report_circle("sleepers", 0);
	if (!sched_each(note_runnable))
		report_circle("the run queue", 0);
}

static void
check_family(struct proc *p)
{
	bool zombie = p->state == PROC_ZOMBIE;
	struct proc *parent = p->parent;

	if (p == initproc)
		return;
	if (parent == NULL || parent->state == PROC_FREE ||
		parent->state == PROC_ZOMBIE)
		audit_report("process has no living parent", "pid %d (%s)",
			p->pid, p->name);
	else if (!(found[p - procs] & (zombie ? AS_ZOMBIE : AS_CHILD)))
		audit_report("parent does not know its child",
			"pid %d (%s), parent %d, dead %d", p->pid, p->name,
			parent->pid, zombie);
}

static void
check_pipe_sleeper(const struct proc *p)
{
	const struct pipe *pipe = (void *)PGROUNDDOWN((u64)p->chan);

	if (frame_use(page_of(kva_to_pa(pipe))) != USE_PIPE)
		audit_report("process sleeps for what is gone",
			"pid %d (%s), channel %lx", p->pid, p->name,
			(u64)p->chan);
	else if (pipe_missed(pipe, p->chan))
		audit_report("process missed its wake-up",
			"pid %d (%s), pipe %lx", p->pid, p->name, (u64)pipe);
}

static void
check_sleeper(struct proc *p)
{
	if (p->chan == NULL) {
		audit_report("process sleeps for nothing", "pid %d (%s)",
			p->pid, p->name);
		return;
	}
	if (!(found[p - procs] & AS_SLEEPER))
		audit_report("process sleeps where nobody looks",
			"pid %d (%s), channel %lx", p->pid, p->name,
			(u64)p->chan);
	if (killed(p))
		audit_report("process sleeps though it was killed",
			"pid %d (%s), channel %lx", p->pid, p->name,
			(u64)p->chan);
	if (p->chan == &p->zombies) {
		if (!list_empty(&p->zombies) || list_empty(&p->children))
			audit_report("process missed the end of a child",
				"pid %d (%s)", p->pid, p->name);
	} else if (page_managed(kva_to_pa(p->chan))) {
		check_pipe_sleeper(p);
	}
}

void
check_procs(void)
{
	u64 used = 0;

	note_lists();
	for (struct proc *p = procs; p < &procs[NPROC]; p++) {
		if (p->state == PROC_FREE)
			continue;
		used++;
		check_family(p);
		if (p->state == PROC_SLEEPING)
			check_sleeper(p);
		if (p->state == PROC_RUNNABLE &&
			!(found[p - procs] & AS_RUNNABLE))
			audit_report("runnable process is not queued",
				"pid %d (%s)", p->pid, p->name);
	}
	if (used != proc_count())
		audit_report("process table has another count",
			"counted %lu, found %lu", proc_count(), used);
}
