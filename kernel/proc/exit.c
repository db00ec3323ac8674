/* SPDX-License-Identifier: MIT */
/*
 * exit.c - the family of processes: exit, wait, kill.
 *
 * tree.lock guards all parent, children, zombies and sibling links and the
 * exit status.  A process is on its parent's children while it lives and on
 * its zombies from its exit until it is reaped, so wait() looks at one list
 * head.  Who exits hands its children, living and dead, to init.
 */
#include "kernel/check/lockdep.h"
#include "kernel/dev/dev.h"
#include "kernel/file/file.h"
#include "kernel/file/inode.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/trap.h"

static struct {
	struct spinlock lock;
} tree = {.lock = SPINLOCK(tree, "tree")};

void
family_add(struct proc *parent, struct proc *child)
{
	acquire(&tree.lock);
	child->parent = parent;
	list_push(&parent->children, &child->sibling);
	release(&tree.lock);
}

static void
adopt(struct list *to, struct list *from)
{
	struct proc *p;

	list_for_each(p, from, sibling)
	{
		list_remove(&p->sibling);
		p->parent = initproc;
		list_push(to, &p->sibling);
	}
}

/* Give p's children to init; tree.lock held. */
static void
orphan_children(struct proc *p)
{
	bool dead = !list_empty(&p->zombies);

	adopt(&initproc->children, &p->children);
	adopt(&initproc->zombies, &p->zombies);
	if (dead)
		wakeup(&initproc->zombies);
}

static void
close_files(struct proc *p)
{
	for (int fd = 0; fd < NOFILE; fd++) {
		struct file *f = p->files[fd];

		p->files[fd] = NULL;
		if (f != NULL)
			file_close(f);
	}
	inode_close(p->cwd);
	p->cwd = NULL;
}

/*
 * exit: memory and files go at once; the slot and the kernel stack stay for
 * the parent to reap.
 */
void
exit(int status)
{
	struct proc *p = myproc();

	if (p == initproc)
		panic("init: exited", status);
	close_files(p);
	vm_switch(NULL); /* off the tables that go now */
	vm_clear(p->vm);
	if (LOCKDEP)
		lockdep_exit();

	acquire(&tree.lock);
	orphan_children(p);
	DEBUG_ASSERT(list_empty(&p->children) && list_empty(&p->zombies));
	p->status = status;
	list_remove(&p->sibling);
	list_push(&p->parent->zombies, &p->sibling);
	wakeup(&p->parent->zombies);
	acquire(&p->lock);
	p->state = PROC_ZOMBIE;
	release(&tree.lock);
	sched();
	panic("exit: a zombie runs", p->pid);
}

i64
sys_exit(const u64 *arg)
{
	exit((i32)arg[0]);
}

/* A dead child, off its parent's list; NULL if none is dead. tree held. */
static struct proc *
take_zombie(struct proc *p)
{
	struct proc *child;

	if (list_empty(&p->zombies))
		return NULL;
	child = list_first(&p->zombies, struct proc, sibling);
	DEBUG_ASSERT(child->parent == p && child->state == PROC_ZOMBIE);
	list_remove(&child->sibling);
	child->parent = NULL;
	return child;
}

/* Sleep until a child is dead, and take it: 0, -ECHILD or -EINTR. */
static int
await_zombie(struct proc *p, struct proc **child)
{
	int err = 0;

	acquire(&tree.lock);
	for (;;) {
		*child = take_zombie(p);
		if (*child != NULL)
			break;
		if (list_empty(&p->children))
			err = -ECHILD;
		if (err != 0)
			break;
		err = sleep_killable(&p->zombies, &tree.lock);
	}
	release(&tree.lock);
	return *child != NULL ? 0 : err;
}

/*
 * wait(status): reap a dead child; its id.  The status word is made writable
 * first: no child is lost to a bad pointer or for want of memory.
 */
i64
sys_wait(const u64 *arg)
{
	struct proc *p = myproc(), *child;
	uaddr ustatus = arg[0];
	int err, pid;

	if (ustatus != 0) {
		err = user_prefault(p->vm, ustatus, sizeof(int), true);
		if (err)
			return err;
	}
	err = await_zombie(p, &child);
	if (err)
		return err;
	pid = child->pid;
	if (ustatus != 0)
		copyout_nofail(p->vm, ustatus, &child->status, sizeof(int));
	proc_free(child);
	return pid;
}

void
proc_kill(struct proc *p)
{
	__atomic_store_n(&p->killed, 1, __ATOMIC_SEQ_CST);
	sleep_kill(p);
}

/* kill(pid): the process ends with status -1 when it next could. */
i64
sys_kill(const u64 *arg)
{
	struct proc *p;
	int err = proc_mark_killed((i32)arg[0], &p);

	if (err)
		return err;
	/* By now it may be another process: then this wakes it for nothing. */
	sleep_kill(p);
	return 0;
}
