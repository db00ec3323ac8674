/* SPDX-License-Identifier: MIT */
/*
 * procs.c - each process has a parent that can wait for it, and whoever
 * sleeps sleeps for something that can still happen and has not yet.
 */
#include "kernel/check/audit.h"
#include "kernel/file/file.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"

static bool
is_on(struct list *l, const struct proc *p)
{
	struct proc *child;

	list_for_each(child, l, sibling) if (child == p) return true;
	return false;
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
	else if (!is_on(zombie ? &parent->zombies : &parent->children, p))
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

	for (struct proc *p = procs; p < &procs[NPROC]; p++) {
		if (p->state == PROC_FREE)
			continue;
		used++;
		check_family(p);
		if (p->state == PROC_SLEEPING)
			check_sleeper(p);
	}
	if (used != proc_count())
		audit_report("process table has another count",
			"counted %lu, found %lu", proc_count(), used);
}
