/* SPDX-License-Identifier: MIT */
/*
 * plant_audit.c - PLANT=audit: whatever the audit can find, done on purpose.
 * In every other build this file is empty.
 *
 * The program `scene` sets up one of everything: shared and private page
 * tables, a pipe with a sleeping reader, a dead child, an open file.  When it
 * calls audit(), one detail of that is spoiled while the machine is parked,
 * the checks run, and then it is mended: POKE() remembers what was there.  So
 * the kernel survives, and the next audit, which spoils nothing, must be clean.
 */
#include "kernel/check/audit.h"
#include "kernel/check/plant.h"

#define CHOSEN_PLANT_audit 1
#define CHOSEN_(plant)     CHOSEN_##plant
#define CHOSEN(plant)      CHOSEN_(plant)

#if CHOSEN(PLANT)

#include "kernel/dev/fdt.h"
#include "kernel/file/bio.h"
#include "kernel/file/file.h"
#include "kernel/file/inode.h"
#include "kernel/file/itable.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/zero.h"
#include "kernel/proc/proc.h"

enum mistake mistake;

/* ---- what is spoiled, and mending it; nothing else runs meanwhile */

enum { POKES_MAX = 8 };

static struct poke {
	void *at;
	u64 size;
	u64 old;
} pokes[POKES_MAX];
static u32 npokes;

static void
remember(void *at, u64 size)
{
	struct poke *k = &pokes[npokes++];

	ASSERT(npokes <= POKES_MAX && size <= sizeof(k->old));
	k->at = at;
	k->size = size;
	memmove(&k->old, at, size);
}

static void
mend(void)
{
	while (npokes > 0) {
		struct poke *k = &pokes[--npokes];

		memmove(k->at, &k->old, k->size);
	}
}

#define POKE(place, value)                                                     \
	do {                                                                   \
		remember(&(place), sizeof(place));                             \
		(place) = (value);                                             \
	} while (0)

/* What is taken to be spoiled, and given back when all is mended. */
static struct page *spare;
static struct buf *held;
static bool in_log;

static void
give_back(void)
{
	if (spare != NULL)
		page_put(spare);
	if (held != NULL)
		buf_put(held);
	if (in_log)
		log_end();
	spare = NULL;
	held = NULL;
	in_log = false;
}

/* ---- the scene */

static struct proc *
child_in(struct list *children, enum proc_state state)
{
	struct proc *p;

	list_for_each(p, children, sibling) if (p->state == state) return p;
	panic("plant: the scene lacks a child", state);
}

/* The child that sleeps for an empty pipe. */
static struct proc *
reader(void)
{
	return child_in(&myproc()->children, PROC_SLEEPING);
}

static struct proc *
dead_child(void)
{
	return child_in(&myproc()->zombies, PROC_ZOMBIE);
}

/* The last file that the process opened of a type. */
static struct file *
open_file(enum file_type type)
{
	for (int fd = NOFILE; fd-- > 0;) {
		struct file *f = myproc()->files[fd];

		if (f != NULL && f->type == type)
			return f;
	}
	panic("plant: the scene lacks a file", type);
}

/* A free list with something on it. */
static struct page *
free_list(u64 least)
{
	u64 count;

	for (int n = 0; n < PAGE_LISTS; n++) {
		struct page *head = page_list(n, &count);

		if (count >= least)
			return head;
	}
	panic("plant: the scene lacks free frames", least);
}

/* The frame before this one on the free list; NULL: the last on it. */
static struct page *
free_before(const struct page *next)
{
	struct page *pg = free_list(2);

	while (pg->next != next)
		pg = pg->next;
	return pg;
}

/* --- entries of page tables */

static struct page *
table_with(const pte_t *pte)
{
	return page_of(kva_to_pa((void *)PGROUNDDOWN((u64)pte)));
}

static struct page *
frame_in(pte_t pte)
{
	return page_of(PTE_PA(pte));
}

static bool
names_frame(pte_t pte)
{
	return (pte & PTE_V) && page_managed(PTE_PA(pte));
}

typedef bool fits(const struct page *table, pte_t pte);

struct search {
	fits *fits;
	pte_t *found;
};

static void
search_table(struct page *table, int level, uaddr va, void *ctx)
{
	struct search *s = ctx;
	pte_t *pte = page_kva(table);

	if (level > 0)
		return;
	for (int i = 0; i < PT_ENTRIES && s->found == NULL; i++)
		if (s->fits(table, pte[i]))
			s->found = &pte[i];
}

/* The first entry of the process that fits. */
static pte_t *
entry(fits *wanted)
{
	struct search s = {.fits = wanted};

	vm_each_table(myproc()->vm, search_table, &s);
	if (s.found == NULL)
		panic("plant: the scene lacks a page", 0);
	return s.found;
}

static bool
is_own(const struct page *table, pte_t pte)
{
	return page_sole(table) && names_frame(pte) && (pte & PTE_W) &&
	       page_sole(frame_in(pte));
}

static bool
is_gap(const struct page *table, pte_t pte)
{
	return page_sole(table) && !table->sealed && pte == 0;
}

static bool
is_cow_alone(const struct page *table, pte_t pte)
{
	return page_sole(table) && !table->sealed && names_frame(pte) &&
	       (pte & PTE_COW) && !page_sole(frame_in(pte));
}

static bool
is_cow_in_shared(const struct page *table, pte_t pte)
{
	return !page_sole(table) && names_frame(pte) && (pte & PTE_COW);
}

static void
put_entry(pte_t *at, pte_t value)
{
	struct page *table = table_with(at);

	POKE(*at, value);
	POKE(table->used, table->used + 1);
}

static void
take_entry(pte_t *at)
{
	struct page *table = table_with(at);

	POKE(*at, 0);
	POKE(table->used, table->used - 1);
}

/* ---- free lists */

static void
spoil_list_link(void)
{
	POKE(free_before(NULL)->next, (void *)8);
}

static void
spoil_list_circle(void)
{
	POKE(free_before(NULL)->next, free_list(2));
}

/* One is taken off, and nobody counts it. */
static void
spoil_list_length(void)
{
	struct page *pg = free_list(2), *taken = pg->next;

	POKE(pg->next, taken->next);
	POKE(taken->kept, true);
	POKE(taken->refs, 1);
}

/* A list goes on where nothing was ever handed out. */
static void
spoil_list_fresh(void)
{
	struct page *last = free_before(NULL);

	/* In its place, so that the length is right. */
	POKE(last->kept, true);
	POKE(last->refs, 1);
	POKE(free_before(last)->next, page_at(page_fresh()));
}

/* ---- counts */

static void
spoil_lost_drop(void)
{
	struct page *pg = frame_in(*entry(is_own));

	POKE(pg->refs, pg->refs + 1);
}

static void
spoil_lost_get(void)
{
	struct page *pg = frame_in(*entry(is_cow_alone));

	POKE(pg->refs, pg->refs - 1);
}

static void
spoil_lost_frame(void)
{
	take_entry(entry(is_own));
}

static void
spoil_lost_free_frame(void)
{
	pte_t *pte = entry(is_own);
	struct page *pg = frame_in(*pte);

	take_entry(pte);
	POKE(pg->refs, 0);
}

static void
spoil_free_with_refs(void)
{
	POKE(free_list(1)->refs, 1);
}

static void
spoil_free_and_kept(void)
{
	POKE(free_list(1)->kept, true);
}

/* ---- entries */

static void
spoil_free_while_mapped(void)
{
	put_entry(entry(is_gap),
		PTE_MAKE(page_pa(free_list(1)), PTE_R | PTE_USER));
}

static void
spoil_beyond_end(void)
{
	const struct vm *vm = myproc()->vm;

	put_entry(walk(vm, PGROUNDUP(vm->brk)),
		PTE_MAKE(kva_to_pa(zero_page), PTE_R | PTE_USER));
}

static void
spoil_cow_writable(void)
{
	pte_t *pte = entry(is_own);

	POKE(*pte, *pte | PTE_COW);
}

static void
spoil_present_promise(void)
{
	pte_t *pte = entry(is_own);

	POKE(*pte, *pte | PTE_FRESH);
}

static void
spoil_withdrawn_half(void)
{
	pte_t *pte = entry(is_own);

	POKE(*pte, *pte & ~PTE_V);
}

static void
spoil_promise_kept(void)
{
	pte_t *pte = entry(is_own);

	POKE(*pte, (*pte & ~PTE_V) | PTE_FRESH);
}

static void
spoil_not_dirty(void)
{
	pte_t *pte = entry(is_own);

	POKE(*pte, *pte & ~PTE_D);
}

static void
spoil_kernel_half(void)
{
	POKE(myproc()->vm->root[PT_ENTRIES - 1], 1);
}

static void
spoil_kernel_only(void)
{
	pte_t *pte = entry(is_own);

	POKE(*pte, *pte & ~PTE_U);
}

static void
spoil_zero_writable(void)
{
	put_entry(entry(is_gap), PTE_MAKE(kva_to_pa(zero_page),
					 PTE_R | PTE_W | PTE_D | PTE_USER));
}

static void
spoil_device_mapped(void)
{
	put_entry(entry(is_gap), PTE_MAKE(machine.uart, PTE_R | PTE_USER));
}

/* ---- tables */

static void
spoil_sealed_early(void)
{
	POKE(table_with(entry(is_own))->sealed, true);
}

static void
spoil_table_used(void)
{
	struct page *table = table_with(entry(is_own));

	POKE(table->used, table->used + 1);
}

static void
spoil_middle_twice(void)
{
	pte_t *root = myproc()->vm->root;

	spare = page_alloc_zeroed();
	if (spare == NULL)
		panic("plant: no memory for a table", 0);
	POKE(spare->refs, 2);
	POKE(root[100], PTE_MAKE(page_pa(spare), PTE_V));
	POKE(root[101], PTE_MAKE(page_pa(spare), PTE_V));
}

static void
spoil_table_open(void)
{
	pte_t *pte = entry(is_cow_in_shared);

	POKE(*pte, (*pte & ~PTE_COW) | PTE_W);
	POKE(table_with(pte)->sealed, false);
}

static void
spoil_frame_open(void)
{
	pte_t *pte = entry(is_cow_alone);

	POKE(*pte, (*pte & ~PTE_COW) | PTE_W);
}

/* ---- files */

static void
spoil_file_refs(void)
{
	struct file *f = open_file(FILE_INODE);

	POKE(f->refs, f->refs + 1);
}

/* An open file is forgotten, and nobody counts it. */
static void
spoil_file_slots(void)
{
	struct proc *p = myproc();
	struct file *f = open_file(FILE_INODE);

	POKE(f->ip->refs, f->ip->refs - 1);
	POKE(f->refs, 0);
	for (int fd = 0; fd < NOFILE; fd++)
		if (p->files[fd] == f)
			POKE(p->files[fd], NULL);
}

static void
spoil_inode_refs(void)
{
	struct inode *ip = open_file(FILE_INODE)->ip;

	POKE(ip->refs, ip->refs + 1);
}

/* The last pipe of the scene has lost its reader. */
static void
spoil_pipe_end(void)
{
	POKE(open_file(FILE_PIPE)->readable, true);
}

static void
spoil_buffer_held(void)
{
	held = buf_get(1);
}

static void
spoil_log_entered(void)
{
	log_begin();
	in_log = true;
}

/* ---- processes */

static void
spoil_orphan(void)
{
	POKE(dead_child()->parent, NULL);
}

static void
spoil_changeling(void)
{
	POKE(reader()->parent, initproc);
}

static void
spoil_sleep_freed(void)
{
	POKE(reader()->chan, page_kva(frame_in(*entry(is_own))));
}

/* The reader of an empty pipe looks like a writer: that one has room. */
static void
spoil_sleep_missed(void)
{
	struct proc *p = reader();

	POKE(p->chan, (u64 *)p->chan + 1);
}

static void
spoil_sleep_nothing(void)
{
	POKE(reader()->chan, NULL);
}

/* As if it had been put to sleep in the bucket of something else. */
static void
spoil_sleep_elsewhere(void)
{
	struct proc *p = reader();

	POKE(p->queue.prev->next, p->queue.next);
	POKE(p->queue.next->prev, p->queue.prev);
}

static void
spoil_run_nowhere(void)
{
	POKE(reader()->state, PROC_RUNNABLE);
}

static void
spoil_sleep_killed(void)
{
	POKE(reader()->killed, 1);
}

static void
spoil_child_missed(void)
{
	static struct list nobody;

	nobody = (struct list){&initproc->zombies, &initproc->zombies};
	POKE(initproc->zombies.next, &nobody);
}

static void
spoil_proc_slots(void)
{
	POKE(dead_child()->state, PROC_FREE);
}

/* A dead child follows itself. */
static void
spoil_family_circle(void)
{
	struct list *node = &dead_child()->sibling;

	POKE(node->next, node);
}

static void
spoil_sleep_circle(void)
{
	struct list *node = &reader()->queue;

	POKE(node->next, node);
}

/* ---- translations */

static void
spoil_tlb_behind(void)
{
	struct vm *vm = myproc()->vm;

	POKE(vm->stale, false);
	POKE(hart_self()->tlb.withdrawn, vm->withdrawn - 1);
}

static void
spoil_tlb_elsewhere(void)
{
	POKE(hart_self()->tlb.vm, initproc->vm);
}

/* ---- what ends in a panic */

static struct page *
some_frame(void)
{
	struct page *pg = page_alloc();

	if (pg == NULL)
		panic("plant: no memory for a frame", 0);
	return pg;
}

static void
crash_double_drop(void)
{
	struct page *pg = some_frame();

	page_put(pg);
	page_put(pg);
}

static void
crash_free_middle(void)
{
	kfree((char *)page_kva(some_frame()) + 8);
}

static void
crash_get_free(void)
{
	struct page *pg = some_frame();

	page_put(pg);
	page_get(pg);
}

static void
crash_alloc_used(void)
{
	struct page *pg = some_frame();

	page_put(pg);
	pg->refs = 1;
	some_frame();
}

static void
crash_lock_twice(void)
{
	static struct spinlock lk = SPINLOCK(tree, "plant");

	acquire(&lk);
	acquire(&lk);
}

static void
crash_unlock_free(void)
{
	static struct spinlock lk = SPINLOCK(tree, "plant");

	release(&lk);
}

/* The panic finds a process halfway through something. */
static void
crash_die_asleep(void)
{
	POKE(reader()->midway, true);
	panic("plant: die_asleep", 0);
}

/* A hart with interrupts off, as with a lock, though none is listed. */
static void
crash_die_locked(void)
{
	POKE(harts[0].noff, 1);
	panic("plant: die_locked", 0);
}

/* A hart that nobody has heard of since; the machine has three. */
static void
crash_die_busy(void)
{
	POKE(nharts, 4);
	POKE(harts[3].online, 1);
	panic("plant: die_busy", 0);
}

/* An audit meets a pointer to nowhere. */
static void
crash_die_auditing(void)
{
	POKE(reader()->sibling.next, (struct list *)8);
}

/* The same, but it is the audit of the panic. */
static void
crash_die_wild(void)
{
	crash_die_auditing();
	panic("plant: die_wild", 0);
}

/* ---- the choice */

static const struct row {
	const char *name;
	void (*spoil)(void);
} rows[] = {
#define SPOILED(name, finding, also)    {#name, spoil_##name},
#define CRASH(name, panic, audit, also) {#name, crash_##name},
#define MISTAKE(name, run, line, also)  /* in its own place */
#include "kernel/check/audit_plants.def"
#undef SPOILED
#undef CRASH
#undef MISTAKE
};

enum {
#define SPOILED(name, finding, also) ROW_##name,
#define CRASH(name, panic, audit, also)
#define MISTAKE(name, run, line, also)
#include "kernel/check/audit_plants.def"
	NSPOILED, /* those come first */
#undef SPOILED
#undef CRASH
#undef MISTAKE
};

static const char *const mistakes[] = {
	"none",
#define SPOILED(name, finding, also)
#define CRASH(name, panic, audit, also)
#define MISTAKE(name, run, line, also) #name,
#include "kernel/check/audit_plants.def"
#undef SPOILED
#undef CRASH
#undef MISTAKE
};

/* The rows that the audits to come will spoil. */
static const struct row *next, *end;

void
plant_init(void)
{
	char name[24];

	if (!bootarg("plant", name, sizeof(name)))
		return;
	if (strcmp(name, "all") == 0) {
		next = rows;
		end = &rows[NSPOILED];
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(name, rows[i].name) != 0)
			continue;
		next = &rows[i];
		end = next + 1;
	}
	for (u32 i = 0; i < ARRAY_SIZE(mistakes); i++)
		if (strcmp(name, mistakes[i]) == 0)
			mistake = (enum mistake)i;
	if (next == end && mistake == MISTAKE_none)
		panic("plant: plant= names no row of audit_plants.def", 0);
}

void
plant_spoil(void)
{
	static bool clean = true;

	/* Between two of them comes an audit of what was mended. */
	clean = !clean;
	if (clean || next == end)
		return;
	printf("plant: %s\n", next->name);
	next++->spoil();
}

void
plant_mend(void)
{
	mend();
	give_back();
}

#endif
