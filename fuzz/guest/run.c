/* SPDX-License-Identifier: MIT */
/*
 * run.c - starting the lanes, and seeing the end of all that comes of them.
 *
 * Beneath the monitor two processes stand ready in the snapshot: the runner,
 * which becomes the program's first lane, so that most programs need no fork
 * but their own; and init, which waits for it and for all orphans.  Root
 * lanes besides the first are started as orphans.  How many others init has
 * to expect it learns from the statuses of those it reaps (STATUS_LEFT), so
 * it knows when the last is gone.  Without a monitor there is no snapshot, and
 * the first process is the parent of all root lanes; orphans are not its.
 *
 * A program can block itself: each of two lanes waits for what the other
 * would write.  That is no fault of the kernel's, and cannot be told before.
 * So there is a guard, which sleeps longer than any program has to wait.  If
 * it wakes, all that is left is stuck, and it kills that.  Under the monitor
 * time jumps when every hart is idle, so nobody waits for it; and it is part
 * of the snapshot, so that no program pays for its start.
 *
 * Of who was killed and cannot say what it left, nobody knows whether that is
 * all.  Then the guard is waited for, too.
 */
#include "fuzz/guest/lane.h"
#include "fuzz/guest/model.h"
#include "fuzz/guest/plan.h"
#include "fuzz/guest/report.h"
#include "fuzz/guest/run.h"
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "kernel/syscall.h"
#include "user/user.h"

enum {
	SWEEPS = 3, /* a fork may be under way at the first */
	SWEPT = INSTANCES_MAX + 16,
};

/* What the first process knows about the end of a program. */
struct account {
	int guard;       /* 0: it has ended, having killed all others */
	int pending;     /* orphans known of, less those that were reaped */
	bool unsure;     /* there may be more */
	bool fired;      /* the guard has */
	bool stranger;   /* somebody was killed who is none of pid[] */
	uint64_t seen;   /* instances that were reaped here */
	unsigned killed; /* root lanes that were */
	unsigned roots;  /* root lanes not reaped yet */
	unsigned strays; /* those that were started as orphans, not seen yet */
	int pid[LANES_MAX];
};

/* ---- what there is before */

void
run_prepare(void)
{
	uint64_t sp = (uint64_t)__builtin_frame_address(0);
	uint64_t brk = (uint64_t)sbrk(0);

	arena.guard = (sp & ~(uint64_t)(PAGE - 1)) - USERSTACK * PAGE;
	arena.start = (brk + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	sbrk((int)(arena.start - brk) + ARENA_PAGES * PAGE);
	model_start(ARENA_PAGES * PAGE);
}

static void
make_file(const char *path, unsigned size)
{
	int fd = open(path, O_CREATE | O_WRONLY);

	/* Like patterns: no byte of it is below 0x80, nor two in a row alike.
	 */
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(0x80 | i);

		write(fd, &byte, 1);
	}
	close(fd);
}

void
run_prepare_files(void)
{
	enum { BACKWARD = 2 };

	mkdir("/fuzz");
	chdir("/fuzz");
	/* What lies in a folder stands behind it: so from the end. */
	for (int round = 0; round < BACKWARD; round++)
		for (int i = 8; i >= 0; i--)
			unlink(prog_paths[i]);
	make_file("a", 100);
	mkdir("d");
}

/* ---- the guard */

/* Kill all from a process on; was there any? */
static bool
sweep(int first)
{
	bool any = false;

	for (int i = 0; i < SWEPT; i++)
		any |= kill(first + i) == 0;
	return any;
}

int
run_guard(int ticks)
{
	int pid = fork(), self_pid;

	if (pid != 0)
		return pid;
	close(verdict_fd);
	usercall(UC_HELLO, 0, 0, 0, 0);
	self_pid = getpid();
	pause(ticks);
	for (int i = 0; i < SWEEPS && sweep(self_pid + 1); i++)
		pause(1);
	exit(0);
}

/* ---- the beginning */

static void __attribute__((noreturn)) be_root(unsigned lane)
{
	model_become(plan.first[lane], lane, 0);
	model_seal();
	lane_run();
}

/* Start a root lane; the ones that follow know of it. */
static int
start_root(unsigned lane)
{
	int pid = fork();

	if (pid == 0)
		be_root(lane);
	if (pid < 0 && !plan.scarce)
		accuse(ORACLE_usable, 1, (uint64_t)pid);
	model.lane_pid[lane] = pid < 0 ? 0 : pid;
	return pid;
}

static void
start_roots(struct account *a, unsigned roots)
{
	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		if (!(roots & 1U << lane))
			continue;
		a->pid[lane] = start_root(lane);
		if (a->pid[lane] > 0)
			a->roots |= 1U << lane;
	}
}

static unsigned
lowest_lane(unsigned lanes)
{
	unsigned lane = 0;

	while (!(lanes & 1U << lane))
		lane++;
	return lane;
}

static unsigned
count_lanes(unsigned lanes)
{
	unsigned n = 0;

	for (; lanes != 0; lanes &= lanes - 1)
		n++;
	return n;
}

/* Start lanes as children of init, by a process that ends at once. */
static void
start_orphans(unsigned lanes)
{
	struct account unused = {0};
	int pid;

	if (lanes == 0)
		return;
	pid = fork();
	if (pid == 0) {
		start_roots(&unused, lanes);
		exit(0);
	}
	if (pid < 0 || wait(0) != pid)
		accuse(ORACLE_usable, 1, (uint64_t)pid);
}

void
run_lanes(uint64_t free_pages)
{
	unsigned roots = prog_roots(&prog);
	unsigned first = lowest_lane(roots);

	plan_make(free_pages);
	start_orphans(roots & ~(1U << first));
	be_root(first);
}

/* ---- the end */

/* The root lane that has that id, or LANES_MAX. */
static unsigned
root_of(const struct account *a, int pid)
{
	unsigned lane = 0;

	while (lane < LANES_MAX &&
		!((a->roots & 1U << lane) && a->pid[lane] == pid))
		lane++;
	return lane;
}

/* May one of the lanes in the mask have children? */
static bool
any_parent(unsigned lanes)
{
	return (plan.parents & lanes) != 0;
}

/* May an instance end so? */
static bool
ends_rightly(unsigned instance, int own)
{
	int op;
	unsigned lane = plan_lane_of(instance, &op);

	if (lane == LANES_MAX)
		return false;
	return op == NO_OP ? plan_lane_ends(lane, own)
			   : plan_deputy_ends((unsigned)op, own);
}

/* May any of them be killed? */
static bool
any_mortal(void)
{
	for (unsigned instance = 0; instance < plan.total; instance++)
		if (ends_rightly(instance, KILLED))
			return true;
	return false;
}

/* Somebody ended by itself, and says who it was. */
static void
reaped_orderly(struct account *a, unsigned root, int status)
{
	unsigned instance = ((unsigned)status >> STATUS_INSTANCE_SHIFT &
				    STATUS_INSTANCE_MASK) -
			    1;
	bool expected = instance < plan.total && !(a->seen & 1UL << instance);

	for (unsigned lane = 0; lane < LANES_MAX; lane++)
		if (plan.first[lane] == instance)
			a->strays &= ~(1U << lane);
	if (monitored)
		a->pending += (unsigned)status >> STATUS_LEFT_SHIFT &
			      STATUS_LEFT_MASK;
	a->unsure |= (status & STATUS_UNSURE) != 0;
	if (status & STATUS_GUILTY)
		return;
	if (root < LANES_MAX && instance != plan.first[root])
		expected = false;
	if (!expected || !ends_rightly(instance, status & STATUS_OWN))
		accuse(ORACLE_status, 0, (uint64_t)(int64_t)status);
	if (expected)
		a->seen |= 1UL << instance;
}

static void
reaped(struct account *a, int pid, int status)
{
	unsigned root = root_of(a, pid);

	if (root < LANES_MAX)
		a->roots &= ~(1U << root);
	else
		a->pending--;
	if (status != KILLED) {
		reaped_orderly(a, root, status);
		return;
	}
	if (root < LANES_MAX)
		a->killed |= 1U << root;
	else
		a->stranger = true;
	a->unsure |= any_parent(root < LANES_MAX ? 1U << root : ~0U);
}

/* Was somebody killed that nothing in the program can have killed? */
static bool
any_unexplained(const struct account *a)
{
	if (a->fired)
		return false;
	for (unsigned lane = 0; lane < LANES_MAX; lane++)
		if ((a->killed & 1U << lane) && !plan_lane_ends(lane, KILLED))
			return true;
	return a->stranger && !any_mortal();
}

/* Somebody has ended. */
static void
account_for(struct account *a, int pid, int status)
{
	if (pid != a->guard) {
		reaped(a, pid, status);
		return;
	}
	a->guard = 0;
	a->fired = a->unsure = true;
}

/*
 * What an orphan leaves behind may be reaped before it is itself, so that none
 * seems to be pending: but it has not been seen.  Who was killed cannot say
 * who it was.
 */
static bool
any_stray(const struct account *a)
{
	return a->strays != 0 && !a->stranger;
}

static void
reap_all(struct account *a)
{
	while (a->roots != 0 || a->pending > 0 || (a->unsure && monitored) ||
		any_stray(a) || any_unexplained(a)) {
		int status = 0;
		int pid = wait(&status);

		if (pid < 0)
			break;
		account_for(a, pid, status);
	}
	if (a->roots != 0 || a->pending > 0)
		accuse(ORACLE_reap, a->roots, (uint64_t)a->pending);
	if (any_unexplained(a))
		accuse(ORACLE_status, 0, (uint64_t)KILLED);
}

/* After errors and violent ends: does a round trip still work? */
static void
check_usable(void)
{
	enum { STATUS = 7 };
	int ends[2], pid, reaped_pid, status = -1;
	char byte = 0;

	if (pipe(ends) != 0) {
		accuse(ORACLE_usable, SYS_pipe, 0);
		return;
	}
	pid = fork();
	if (pid == 0) {
		write(ends[1], "!", 1);
		exit(STATUS);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], &byte, 1) != 1 || byte != '!')
		accuse(ORACLE_usable, SYS_read, (uint64_t)pid);
	close(ends[0]);
	do /* whatever else there may be left */
		reaped_pid = wait(&status);
	while (reaped_pid > 0 && reaped_pid != pid);
	if (reaped_pid != pid || status != STATUS)
		accuse(ORACLE_usable, SYS_wait, (uint64_t)status);
}

void
run_program(int guard, uint64_t free_pages)
{
	struct account a = {.guard = guard};

	plan_make(free_pages);
	start_roots(&a, prog_roots(&prog));
	reap_all(&a);
}

void
run_watch(int guard, int runner, uint64_t free_pages, bool (*load)(void))
{
	struct account a = {.guard = guard};
	int status = 0, pid = wait(&status);
	unsigned roots, first;

	if (!load()) {
		while (pid > 0 && pid != guard)
			pid = wait(0);
		return;
	}
	roots = prog_roots(&prog);
	first = lowest_lane(roots);
	plan_make(free_pages);
	a.roots = 1U << first;
	a.pid[first] = runner;
	a.strays = roots & ~a.roots;
	a.pending = (int)count_lanes(a.strays);
	account_for(&a, pid, status);
	reap_all(&a);
	if (plan.failing || a.fired)
		check_usable();
}
