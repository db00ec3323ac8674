/* SPDX-License-Identifier: MIT */
/*
 * lockdep.c - FLAVOR=lockdep: deadlocks found before they happen.
 *
 * Every lock belongs to a class: a spinlock to that of its row in
 * lock/ranks.def, a lock held across sleeps to that of its row in
 * lock/sleepranks.def.  Being in a transaction of the log counts as such a
 * lock, for others wait for its end.  Classes are numbered in the order in
 * which they may be taken, sleep locks before spinlocks.
 *
 * Whenever one is taken while others are held, the pairs of classes are edges
 * of a graph, each kept with the callers that first made it.  What closes a
 * circle in that graph is a deadlock for which only the timing is missing:
 * one hart that goes each way once, with nobody else around, is enough.  What
 * goes against the order of the rows is wrong even if nobody was ever seen to
 * go the right way.
 *
 * Interrupts.  A spinlock is only ever held with interrupts off, or a handler
 * that takes it waits for the code it interrupted.  So they may not be on when
 * a lock is let go, nor be switched on while one is held; whether a handler
 * has taken the class so far only makes a difference to the report.  Handlers
 * neither sleep nor allocate.
 *
 * Reports have the callers of then and, as every panic, those of now: where
 * the lock that should not be held was taken, where the other order was seen.
 * They are noted here and printed by panic(), when printing needs no locks.
 *
 * What keeps this right: held[] of a hart is touched by that hart alone, with
 * interrupts off; tasks[] of a process by that process alone.  The graph only
 * grows, under graph.lock, a word of its own that no check looks at; without
 * it an edge may be seen too late, which costs a second look under the lock.
 */
#include "kernel/check/lockdep.h"

#if LOCKDEP
#include "kernel/check/callers.h"
#include "kernel/lib/string.h"
#include "kernel/lock/spinlock.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/csr.h"

/* A class: see above; CLASS_spin + n is row n, from 1, of ranks.def. */
enum {
	CLASS_none,
#define SLEEP_RANK(id, name, most, what) CLASS_##id,
#include "kernel/lock/sleepranks.def"
#undef SLEEP_RANK
	CLASS_spin,
	NCLASS = CLASS_spin + 1
#define RANK(name, what) +1
#include "kernel/lock/ranks.def"
#undef RANK
};

_Static_assert(NCLASS <= 32, "a set of classes is a word");

#define SPIN_BIT(id) (1u << (CLASS_spin + RANK_##id))

/* Classes that handlers of interrupts must not take. */
#define NOT_IN_INTR                                                            \
	(SPIN_BIT(tree) | SPIN_BIT(pagecache) | SPIN_BIT(depot) |              \
		SPIN_BIT(frames))

static const struct {
	const char *name;
	u32 most; /* that one process or hart may hold */
} classes[NCLASS] = {
#define SLEEP_RANK(id, text, n, what) [CLASS_##id] = {text, n},
#include "kernel/lock/sleepranks.def"
#undef SLEEP_RANK
#define RANK(id, what) [CLASS_spin + RANK_##id] = {#id, 1},
#include "kernel/lock/ranks.def"
#undef RANK
};

/* What one hart has of spinlocks; its own. */
static struct {
	u32 n;
	u32 intr; /* handlers it is in */
	struct {
		const struct spinlock *lk;
		struct callers by;
	} held[HELD_MAX];
} spins[NCPU];

/* What one process has of sleep locks; its own. */
static struct task {
	u32 set; /* of classes */
	u32 count[CLASS_spin];
	struct callers by[CLASS_spin]; /* the last of each class */
} tasks[NPROC];

static struct {
	u32 lock;          /* [atomic] 1: taken */
	u32 under[NCLASS]; /* [atomic] classes seen held when it was taken */
	struct callers by[NCLASS][NCLASS]; /* [lock] held, taken */
	u32 in_intr;                    /* [atomic] classes taken by handlers */
	struct callers intr_by[NCLASS]; /* [lock] */
} graph;

/* What a hart has to tell when it has panicked; its own. */
enum { TOLD_MAX = 6 };
static struct {
	u32 n;
	struct {
		const char *what, *name, *other; /* other: or NULL */
		struct callers by;
	} told[TOLD_MAX];
} reports[NCPU];

/* ---- reports */

static void
tell(const char *what, u32 class, u32 other, const struct callers *by)
{
	u32 n = reports[hart_id()].n;

	if (n == TOLD_MAX)
		return;
	reports[hart_id()].n = n + 1;
	reports[hart_id()].told[n].what = what;
	reports[hart_id()].told[n].name = classes[class].name;
	reports[hart_id()].told[n].other = classes[other].name;
	reports[hart_id()].told[n].by = *by;
}

void
lockdep_explain(void)
{
	for (u32 i = 0; i < reports[hart_id()].n; i++) {
		printf("lockdep: %s", reports[hart_id()].told[i].name);
		if (reports[hart_id()].told[i].other != NULL)
			printf(" under %s", reports[hart_id()].told[i].other);
		printf(": %s\n", reports[hart_id()].told[i].what);
		callers_print(&reports[hart_id()].told[i].by);
	}
}

/* ---- what is held */

static u32
class_of(const struct spinlock *lk)
{
	return CLASS_spin + lk->rank;
}

static u32
sleep_class(const char *name)
{
	for (u32 c = 1; c < CLASS_spin; c++)
		if (strcmp(classes[c].name, name) == 0)
			return c;
	panic("lockdep: lock is in no row of sleepranks.def", (u64)name);
}

/* NULL where no process runs, or its locks are not what counts. */
static struct task *
task_self(void)
{
	struct proc *p = myproc();

	if (p == NULL || spins[hart_id()].intr > 0)
		return NULL;
	return &tasks[p - procs];
}

/* The set of classes that a new lock would be under. */
static u32
held_set(void)
{
	const struct task *t = task_self();
	u32 set = t == NULL ? 0 : t->set;

	for (u32 i = 0; i < spins[hart_id()].n; i++)
		set |= 1u << class_of(spins[hart_id()].held[i].lk);
	return set;
}

/* Where the lock of this class that is held was taken. */
static const struct callers *
taken_by(u32 class)
{
	u32 i = 0;

	if (class < CLASS_spin)
		return &tasks[myproc() - procs].by[class];
	while (class_of(spins[hart_id()].held[i].lk) != class)
		i++;
	return &spins[hart_id()].held[i].by;
}

static void
tell_held(u32 class)
{
	tell("held since", class, CLASS_none, taken_by(class));
}

static u32
lowest(u32 set)
{
	u32 class = 0;

	while (!(set & 1u << class))
		class ++;
	return class;
}

/* Panic if any spinlock but lk is held. */
static void
check_none_held(const struct spinlock *lk, const char *what)
{
	for (u32 i = 0; i < spins[hart_id()].n; i++) {
		const struct spinlock *held = spins[hart_id()].held[i].lk;

		if (held == lk)
			continue;
		tell_held(class_of(held));
		panic(what, class_of(held));
	}
}

/* ---- the graph */

static void
graph_lock(void)
{
	push_off();
	/* Pairs with the release in graph_unlock(). */
	while (__atomic_exchange_n(&graph.lock, 1, __ATOMIC_ACQUIRE) != 0)
		if (panicked)
			panic_stop(false);
}

static void
graph_unlock(void)
{
	__atomic_store_n(&graph.lock, 0, __ATOMIC_RELEASE);
	pop_off();
}

/*
 * Is there a way from class `from` down to class `to`, each taken under the
 * one before?  Then step[] has, for every class on it, the next one.
 */
static bool
find_way(u32 from, u32 to, u32 *step)
{
	u32 seen = 1u << to, todo = seen;

	while (todo != 0) {
		u32 class = lowest(todo);
		u32 above = graph.under[class] & ~seen;

		todo &= ~(1u << class);
		seen |= above;
		todo |= above;
		for (; above != 0; above &= above - 1)
			step[lowest(above)] = class;
	}
	return seen & 1u << from;
}

/* Would taking class while held is held close a circle? */
static void
check_circle(u32 class, u32 held)
{
	u32 step[NCLASS];

	if (!find_way(class, held, step))
		return;
	for (u32 at = class; at != held; at = step[at])
		tell("first seen", step[at], at, &graph.by[at][step[at]]);
	tell_held(held);
	panic("lockdep: order inversion", class << 16 | held);
}

/* Note that class was taken with the classes of the set held. */
static void
graph_add(u32 class, u32 set, const struct callers *by)
{
	graph_lock();
	for (; set != 0; set &= set - 1) {
		u32 held = lowest(set);

		if (held != class)
			check_circle(class, held);
		if (held > class) {
			tell_held(held);
			panic("lockdep: order against the ranks",
				class << 16 | held);
		}
		graph.by[held][class] = *by;
		__atomic_fetch_or(
			&graph.under[class], 1u << held, __ATOMIC_RELAXED);
	}
	graph_unlock();
}

static void
graph_note(u32 class, const struct callers *by)
{
	u32 seen = __atomic_load_n(&graph.under[class], __ATOMIC_RELAXED);
	u32 set = held_set() & ~seen;

	if (set != 0)
		graph_add(class, set, by);
}

/* ---- spinlocks */

static void
check_interrupts(const char *what)
{
	u32 class, i;

	for (i = 0; i < spins[hart_id()].n; i++) {
		class = class_of(spins[hart_id()].held[i].lk);
		tell_held(class);
		if (!(graph.in_intr & 1u << class))
			continue;
		tell("taken by an interrupt", class, CLASS_none,
			&graph.intr_by[class]);
		panic("lockdep: lock of interrupts held with them on", class);
	}
	if (i > 0)
		panic(what, i);
}

static void
note_interrupt(u32 class, const struct callers *by)
{
	if (spins[hart_id()].intr == 0 || (graph.in_intr & 1u << class))
		return;
	if (1u << class & NOT_IN_INTR)
		panic("lockdep: lock is not for interrupts", class);
	graph_lock();
	graph.intr_by[class] = *by;
	__atomic_fetch_or(&graph.in_intr, 1u << class, __ATOMIC_RELAXED);
	graph_unlock();
}

void
lockdep_acquire(const struct spinlock *lk)
{
	u32 n = spins[hart_id()].n, class = class_of(lk);
	struct callers by;

	if (panicked)
		return;
	if (lk->rank == RANK_none || class >= NCLASS)
		panic("lockdep: not a lock", (u64)lk);
	for (u32 i = 0; i < n; i++) {
		if (class_of(spins[hart_id()].held[i].lk) != class)
			continue;
		tell_held(class);
		if (spins[hart_id()].held[i].lk == lk)
			panic("lockdep: double acquire", (u64)lk);
		panic("lockdep: too many locks of a class", class);
	}
	if (n == HELD_MAX)
		panic("lockdep: too many spinlocks held", n);
	callers_save(FRAME_HERE(), by.pc, CALLERS);
	graph_note(class, &by);
	note_interrupt(class, &by);
	spins[hart_id()].held[n].lk = lk;
	spins[hart_id()].held[n].by = by;
	spins[hart_id()].n = n + 1;
}

/* Tell where the hart that has lk took it: a look at what is another's. */
static void
tell_holder(const struct spinlock *lk)
{
	u32 hart = lk->holder == NULL ? NCPU : (u32)(lk->holder - harts);

	for (u32 i = 0; hart < NCPU && i < spins[hart].n; i++)
		if (spins[hart].held[i].lk == lk)
			tell("taken on another hart", class_of(lk), CLASS_none,
				&spins[hart].held[i].by);
}

void
lockdep_release(const struct spinlock *lk)
{
	u32 i = 0, n = spins[hart_id()].n;

	if (panicked)
		return;
	while (i < n && spins[hart_id()].held[i].lk != lk)
		i++;
	if (i == n) {
		tell_holder(lk);
		panic(lk->locked ? "lockdep: release by another hart"
				 : "lockdep: release of a free lock",
			class_of(lk));
	}
	if (intr_get())
		check_interrupts("lockdep: spinlock held with interrupts on");
	spins[hart_id()].held[i] = spins[hart_id()].held[n - 1];
	spins[hart_id()].n = n - 1;
}

void
lockdep_free(const void *kva)
{
	for (u32 i = 0; i < spins[hart_id()].n; i++) {
		const struct spinlock *lk = spins[hart_id()].held[i].lk;

		if (PGROUNDDOWN((u64)lk) != (u64)kva)
			continue;
		tell_held(class_of(lk));
		panic("lockdep: lock is freed while held", (u64)lk);
	}
}

/* ---- sleep locks */

void
lockdep_enter(const char *name, const struct proc *holder)
{
	u32 class = sleep_class(name);
	struct task *t = task_self();
	struct callers by;

	if (panicked)
		return;
	lockdep_sleep(NULL);
	if (t == NULL)
		panic("lockdep: sleep lock without a process", class);
	if (holder == myproc() || t->count[class] == classes[class].most) {
		tell_held(class);
		panic(holder == myproc() ? "lockdep: double acquire"
					 : "lockdep: too many locks of a class",
			class);
	}
	callers_save(FRAME_HERE(), by.pc, CALLERS);
	graph_note(class, &by);
	t->by[class] = by;
	t->count[class]++;
	t->set |= 1u << class;
}

void
lockdep_leave(const char *name, const struct proc *holder)
{
	u32 class = sleep_class(name);
	struct task *t = task_self();

	if (panicked)
		return;
	if (t == NULL || holder != myproc() || t->count[class] == 0)
		panic("lockdep: release by another process", class);
	if (--t->count[class] == 0)
		t->set &= ~(1u << class);
}

void
lockdep_sleep(const struct spinlock *lk)
{
	if (panicked)
		return;
	if (spins[hart_id()].intr > 0)
		panic("lockdep: sleep in an interrupt", spins[hart_id()].intr);
	push_off();
	check_none_held(lk, "lockdep: sleep with a spinlock held");
	pop_off();
}

/* ---- interrupts */

void
lockdep_intr_on(void)
{
	if (!panicked)
		check_interrupts("lockdep: interrupts on with a spinlock held");
}

void
lockdep_intr_begin(void)
{
	spins[hart_id()].intr++;
	if (!panicked)
		check_interrupts("lockdep: interrupt with a spinlock held");
}

void
lockdep_intr_end(void)
{
	spins[hart_id()].intr--;
	if (!panicked)
		check_none_held(NULL, "lockdep: interrupt keeps a spinlock");
}

/* ---- nothing may be left */

static void
check_no_sleep_lock(const char *what)
{
	const struct task *t = task_self();

	if (panicked || t == NULL || t->set == 0)
		return;
	tell_held(lowest(t->set));
	panic(what, lowest(t->set));
}

void
lockdep_user(void)
{
	if (panicked)
		return;
	check_none_held(NULL, "lockdep: lock held at return to user mode");
	check_no_sleep_lock("lockdep: sleep lock held at return to user mode");
}

void
lockdep_exit(void)
{
	check_no_sleep_lock("lockdep: sleep lock held at exit");
}
#endif
