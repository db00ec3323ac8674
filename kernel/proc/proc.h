/* SPDX-License-Identifier: MIT */
/* proc.h - processes. */
#ifndef KERNEL_PROC_PROC_H
#define KERNEL_PROC_PROC_H

#include "kernel/lib/base.h"
#include "kernel/lib/list.h"
#include "kernel/lock/spinlock.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/hart.h"

/* The registers of user mode, at the top of the kernel stack. */
struct trapframe {
	u64 epc;
	u64 hart;     /* tp of the kernel, put back at the next trap */
	u64 regs[31]; /* x1 to x31 */
	u64 spare;    /* keeps the size a multiple of 16 */
};

/* x1..x31 are regs[0..30]. */
#define TF_RA 0
#define TF_SP 1
#define TF_A0 9
#define TF_A1 10
#define TF_A7 16

enum proc_state {
	PROC_FREE,     /* on the list of free slots */
	PROC_EMBRYO,   /* being made by fork() */
	PROC_RUNNABLE, /* on the run queue */
	PROC_RUNNING,  /* on a hart */
	PROC_SLEEPING, /* on a wait queue */
	PROC_ZOMBIE,   /* dead, waits to be reaped */
};

/*
 *   [p] lock
 *   [t] tree.lock (proc/exit.c)
 *   [q] ptable.lock (proc/proc.c)
 *   [w] the lock of the wait-queue bucket of chan (proc/sleep.c)
 *   [a] atomic
 *   [o] only the process itself
 */
struct proc {
	struct spinlock lock;
	enum proc_state state; /* [p] */
	int pid;               /* [q] written; fixed while in use */
	u32 killed;            /* [a] */
	u32 killable;          /* [o] written: the sleep ends when killed */
	bool midway;           /* [p] sleeps with something half done */
	int status;            /* [t] exit status, for wait() */

	void *chan;          /* [w] written, [a]: what it sleeps for */
	struct list queue;   /* [w] or run queue's lock: where it waits */
	struct list pidlink; /* [q] hash chain or free list */

	struct proc *parent;  /* [t] */
	struct list children; /* [t] living */
	struct list zombies;  /* [t] dead and not reaped */
	struct list sibling;  /* [t] on parent's children or zombies */

	u64 kstack;           /* fixed: lowest address of its kernel stack */
	struct trapframe *tf; /* fixed: at the top of it; [o] what is there */
	struct context ctx;   /* [p] while it does not run */
	struct vm *vm;        /* [o] the one in use of vms */
	struct vm vms[2];     /* [o] exec() builds the next in the other */
	struct file *files[NOFILE]; /* [o] */
	struct inode *cwd;          /* [o] */
	u32 fail_in;                /* [o] allocations to go; 0: off */
	char name[16];              /* [o] for messages */
};

extern struct proc procs[NPROC];
extern struct proc *initproc;

/*
 * proc_alloc: a new process in state PROC_EMBRYO with an id and nothing else;
 * NULL if there is no free slot.
 */
struct proc *proc_alloc(void);

/* proc_free: give back what proc_alloc gave; vm and files must be gone. */
void proc_free(struct proc *p);

void proc_init(void);       /* at boot, on one hart */
void proc_start_init(void); /* make the first process */

/*
 * proc_mark_killed: set p->killed of the process pid and tell which it was.
 * 0, -ESRCH, or -EINVAL for init, which has to live.
 */
int proc_mark_killed(int pid, struct proc **found);

/* proc_begin: where a new process starts, in the kernel. */
void proc_begin(void) __noreturn;

u64 proc_count(void);

/* proc_dump: a line about each process, for ^P and panics; takes no lock. */
void proc_dump(void);

/* --- scheduling (proc/sched.c) */

/* scheduler: never returns; each hart ends up here after its set-up. */
void scheduler(void) __noreturn;

/* sched: leave the processor; p->lock held, and no other lock. */
void sched(void);

/* yield: let others run. */
void yield(void);

/* ready: put a process on the run queue; p->lock held. */
void ready(struct proc *p);

/*
 * sched_each, sleep_each: visit who is on the run queue, and who is in the
 * bucket that belongs to what it sleeps for.  False if a list does not end.
 * For the audit.
 */
bool sched_each(void (*visit)(const struct proc *p));
bool sleep_each(void (*visit)(const struct proc *p));

void swtch(struct context *from, struct context *to);

/* sched_kick: wake an idle hart if work waits.  Before going to user mode. */
void sched_kick(void);

/* --- sleeping (proc/sleep.c) */

/*
 * sleep: release lk and sleep until wakeup(chan), then take lk again.  Only
 * lk may be held.  Wakes without reason are possible: test in a loop.
 */
void sleep(void *chan, struct spinlock *lk);

/*
 * sleep_killable: the same, but ends with -EINTR when the process is or
 * gets killed; else 0.
 */
int sleep_killable(void *chan, struct spinlock *lk);

/* wakeup: wake all that sleep on chan.  From interrupts too. */
void wakeup(void *chan);

void sleep_init(void);

/* sleep_kill: wake p if it sleeps killably; p->killed is set already. */
void sleep_kill(struct proc *p);

/* killed: has somebody asked p to die? */
static inline bool
killed(const struct proc *p)
{
	return __atomic_load_n(&p->killed, __ATOMIC_RELAXED) != 0;
}

/* proc_kill: mark p to die; by another, or by itself after a fault. */
void proc_kill(struct proc *p);

/* exit: end the calling process. */
void exit(int status) __noreturn;

/* family_add: make child a child of parent (proc/exit.c). */
void family_add(struct proc *parent, struct proc *child);

/* exec_init: turn the first process into /init (proc/exec.c). */
void exec_init(void);

#endif
