/* SPDX-License-Identifier: MIT */
/*
 * fork.c - new processes.
 */
#include "kernel/check/plant.h"
#include "kernel/file/file.h"
#include "kernel/file/inode.h"
#include "kernel/lib/string.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/trap.h"

void
proc_begin(void)
{
	struct proc *p = myproc();

	release(&p->lock);
	if (p == initproc)
		exec_init(); /* needs a process to sleep in */
	user_return(p->tf);
}

static void
copy_files(struct proc *child, struct proc *parent)
{
	for (int fd = 0; fd < NOFILE; fd++) {
		struct file *f = parent->files[fd];

		child->files[fd] = f == NULL ? NULL : file_dup(f);
	}
	child->cwd = inode_hold(parent->cwd);
}

static void
start(struct proc *p)
{
	acquire(&p->lock);
	ready(p);
	release(&p->lock);
}

/*
 * fork(): a copy of the calling process; its id.  The two share all user
 * memory until one of them writes to it (mm/vm.c).  On error nothing is left
 * behind.
 */
i64
sys_fork(const u64 *arg)
{
	struct proc *parent = myproc(), *child = proc_alloc();
	int err, pid;

	if (child == NULL)
		return -EAGAIN;
	err = vm_init(child->vm);
	if (err)
		goto free_child;
	err = uvmcopy(child->vm, parent->vm); /* clears child's vm on error */
	if (err)
		goto free_child;

	/* Nothing below can fail. */
	copy_files(child, parent);
	*child->tf = *parent->tf;
	child->tf->regs[TF_A0] = 0;
	strlcpy(child->name, parent->name, sizeof(child->name));
	pid = child->pid;
	family_add(parent, child);
	start(child);
	STAT(forks);
	return pid;

free_child:
	if (!PLANTED(failnth))
		proc_free(child);
	return err;
}

void
proc_start_init(void)
{
	struct proc *p = proc_alloc();

	if (p == NULL || vm_init(p->vm) != 0)
		panic("init: no memory for the first process", 0);
	initproc = p;
	memset(p->tf, 0, sizeof(*p->tf));
	strlcpy(p->name, "init", sizeof(p->name));
	start(p);
}
