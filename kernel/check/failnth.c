/* SPDX-License-Identifier: MIT */
/*
 * failnth.c - make the n-th allocation of a process fail.
 *
 * Error paths are hardly ever taken, and what they forget to give back is
 * lost for good.  So a test has the first allocation of a system call fail,
 * then the second, and so on until there is none left, and looks after each
 * whether everything is as it was (user/tests/failnth.c).
 *
 * An allocation is whatever can be refused to a process because the machine
 * has no more of it.  Each kind has one function that hands it out, and that
 * function asks fail_here():
 *
 *   frames         page_alloc, page_alloc_zeroed, kalloc, page_alloc_list;
 *                  and by them page tables, pipes, and the pages of faults
 *   process slots  proc_alloc
 *   open files     file_alloc
 *   inodes         inode_get (a place in memory), inode_alloc (one on disk)
 *   disk blocks    block_alloc
 *
 * Two things that a kernel could run out of are not among them, since here
 * they cannot fail: buffers, of which there are more than can be in use at
 * one time (file/bio.c says why), and room in the log, for which log_begin()
 * waits before the call has done anything (file/log.c).
 *
 * The site of a fault is the return address of the function that was refused.
 * scripts/failnth.py finds all such calls in the kernel's code, and says
 * which of them no scenario has reached.
 *
 * What keeps it right: proc.fail_in is its process's own, and last is one
 * word, so that a report from any hart and any context finds pid and site
 * that belong together.
 */
#include "kernel/check/failnth.h"
#include "kernel/trap/trap.h"

extern char kernel_text[];

/* [atomic] The last fault: pid << 32 | site's distance from kernel_text. */
static u64 last;

bool
failnth_hit(struct proc *p, u64 site)
{
	if (--p->fail_in > 0)
		return false;
	__atomic_store_n(&last, (u64)p->pid << 32 | (site - (u64)kernel_text),
		__ATOMIC_RELAXED);
	return true;
}

/* Where the last fault was, if it was the process pid that met it; else 0. */
static u64
site_of(int pid)
{
	u64 fault = __atomic_load_n(&last, __ATOMIC_RELAXED);

	return fault >> 32 == (u64)pid ? (u32)fault : 0;
}

/*
 * failnth(n): let the n-th allocation fail that the calling process makes
 * from now on, once; 0 ends that.  A child does not inherit it.  init has to
 * live: it cannot ask for it.
 *
 * failnth(0) returns the site of the fault if there was one, else 0; and
 * failnth(-pid) tells the same of another process, also of one that it has
 * killed.  Only the last fault of the machine is known.
 */
i64
sys_failnth(const u64 *arg)
{
	struct proc *p = myproc();
	i32 n = (i32)arg[0];

	if (p == initproc)
		return -EINVAL;
	if (n < 0)
		return (i64)site_of(-n);
	p->fail_in = (u32)n;
	return n == 0 ? (i64)site_of(p->pid) : 0;
}

void
failnth_report(void)
{
	u64 fault = __atomic_load_n(&last, __ATOMIC_RELAXED);
	u64 site = (u64)kernel_text + (u32)fault, offset = 0;
	/* The call is what counts, not what comes behind it. */
	const char *name = ksym_find(site - 1, &offset);

	if (fault == 0)
		return;
	printf("failnth: a fault was injected into pid %d at %p %s+0x%lx\n",
		(int)(fault >> 32), (void *)site, name == NULL ? "?" : name,
		offset + 1);
}
