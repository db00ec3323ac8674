/* SPDX-License-Identifier: MIT */
/*
 * page.c - page frames: who owns them, and who gets the next.
 *
 * References.  page.refs counts who names a frame: leaf PTEs (once for each
 * leaf table that has one) and kernel owners.  The protocol:
 *
 *   - Raise (page_get): only by someone who owns a reference, or holds the
 *     lock of the structure that owns one.  So the count is at least 1 and
 *     nobody can be freeing the frame.  Relaxed: the new owner learns of the
 *     frame by a path that orders memory anyway (a lock, the scheduler).
 *   - Drop (page_drop): a release, so that all that an owner did to the frame
 *     comes before the drop.  Whoever drops the last reference fences with
 *     acquire, and so has all of that behind it before the frame is reused.
 *   - Read (page_sole): an acquire, for the same reason.  The answer "only
 *     me" is stable, for nobody else has a reference to raise it with; "not
 *     only me" may be out of date at once, which costs a copy and no more.
 *
 * Free frames.  Each hart has a list, which its own calls use; its lock is
 * free but when another hart steals.  Frames move between harts, and from
 * and to the depot, in batches and only under depot.lock, from the list they
 * leave to the list they join: a hart that holds depot.lock and finds every
 * list empty has seen every free frame.  So an allocation fails only if there
 * is none.  Frames that were never used are not on any list: they are the
 * range [fresh, end), so that boot need not touch them.
 *
 * Nothing here is called from interrupt handlers.
 */
#include "kernel/check/asan.h"
#include "kernel/check/failnth.h"
#include "kernel/check/lockdep.h"
#include "kernel/check/owner.h"
#include "kernel/lib/string.h"
#include "kernel/lock/spinlock.h"
#include "kernel/mm/page.h"
#include "kernel/mm/pagecache.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/hart.h"

enum {
	BATCH = 32,         /* frames that move at a time */
	HOARD = 2 * BATCH,  /* frames a hart keeps before it gives some back */
	POISON_FREE = 0x5a, /* DEBUG: what free frames hold */
	POISON_NEW = 0xa5,  /* DEBUG: what kalloc() hands out */
};

/* DEBUG: the link of a frame that is on no list; faults if it is followed. */
#define NOT_LISTED ((struct page *)0x5a5a5a5a5a5a5a58UL)

/* A list of free frames.  All fields: lock; count is also read without. */
struct framelist {
	struct spinlock lock;
	struct page *head;
	u64 count;
} __aligned(64);

/* Fixed after boot. */
struct page *page_array;
static u64 *books;  /* for the audit, by frame number */
static paddr first; /* lowest managed frame */
static u64 npages;

static struct framelist frames[NCPU]; /* .lock: rank frames */
static struct framelist depot = {.lock = SPINLOCK(depot, "depot")};
static u64 fresh; /* [depot.lock] index of the lowest frame never used */

/* Something is wrong with pg: tell what, and in debug builds its history. */
static void __noreturn
frame_panic(const char *what, const struct page *pg)
{
	if (DEBUG)
		owner_blame(pg);
	panic(what, page_pa(pg));
}

bool
page_managed(paddr pa)
{
	return pa >= first && (pa - first) >> PGSHIFT < npages;
}

struct page *
page_of(paddr pa)
{
	ASSERT(page_managed(pa));
	return &page_array[(pa - first) >> PGSHIFT];
}

paddr
page_pa(const struct page *pg)
{
	return first + ((u64)(pg - page_array) << PGSHIFT);
}

void
page_init(paddr start, paddr end)
{
	u64 each = sizeof(struct page) + PAGE_BOOK + OWNER_BOOK;
	u64 slots = (end - start) / (PGSIZE + each);

	page_array = pa_to_kva(start);
	books = (u64 *)(page_array + slots);
	first = PGROUNDUP(start + slots * each);
	/* What is left may hold one more frame, which has no descriptor. */
	npages = MIN((end - first) >> PGSHIFT, slots);
	memset(page_array, 0, npages * sizeof(struct page));
	if (DEBUG)
		owner_init(books + slots, npages);
	for (int i = 0; i < NCPU; i++)
		spin_init(&frames[i].lock, RANK_frames, "frames");
}

/* ---- lists */

static void
list_put(struct framelist *l, struct page *pg)
{
	pg->next = l->head;
	l->head = pg;
	__atomic_store_n(&l->count, l->count + 1, __ATOMIC_RELAXED);
}

static struct page *
list_take(struct framelist *l)
{
	struct page *pg = l->head;

	if (pg == NULL)
		return NULL;
	l->head = pg->next;
	if (DEBUG && l->head != NULL && !page_valid(l->head))
		frame_panic("kalloc: free list is broken", pg);
	if (DEBUG)
		pg->next = NOT_LISTED;
	__atomic_store_n(&l->count, l->count - 1, __ATOMIC_RELAXED);
	return pg;
}

/* Move up to n frames; the locks of both lists are held. */
static void
list_move(struct framelist *to, struct framelist *from, u64 n)
{
	struct page *pg;

	while (n-- > 0 && (pg = list_take(from)) != NULL)
		list_put(to, pg);
}

/* ---- the depot */

/* A frame out of the depot or the fresh range; depot.lock held. */
static struct page *
depot_take(void)
{
	if (depot.head != NULL)
		return list_take(&depot);
	if (fresh < npages)
		return &page_array[fresh++];
	return NULL;
}

/*
 * A frame from any other hart, and up to half of the rest of that hart's for
 * this one.  depot.lock held, so no frame is on its way between lists.
 */
static struct page *
steal(struct framelist *mine)
{
	struct page *pg = NULL;
	struct framelist loot = {0};

	for (int i = 0; i < nharts && pg == NULL; i++) {
		acquire(&frames[i].lock);
		pg = list_take(&frames[i]);
		list_move(&loot, &frames[i], frames[i].count / 2);
		release(&frames[i].lock);
	}
	if (pg == NULL)
		return NULL;
	STAT(page_steal);
	acquire(&mine->lock);
	list_move(mine, &loot, loot.count);
	release(&mine->lock);
	return pg;
}

/* The slow path of an allocation: refill this hart's list and take one. */
static struct page *
refill(struct framelist *mine)
{
	struct page *pg, *more;

	acquire(&depot.lock);
	pg = depot_take();
	if (pg == NULL) {
		pg = steal(mine);
	} else {
		acquire(&mine->lock);
		for (int i = 1; i < BATCH; i++) {
			more = depot_take();
			if (more == NULL)
				break;
			list_put(mine, more);
		}
		release(&mine->lock);
	}
	release(&depot.lock);
	return pg;
}

static void
spill(struct framelist *mine)
{
	acquire(&depot.lock);
	acquire(&mine->lock);
	list_move(&depot, mine, BATCH);
	release(&mine->lock);
	release(&depot.lock);
}

/* ---- allocation */

static struct page *
take_ready(struct framelist *mine)
{
	struct page *pg;

	acquire(&mine->lock);
	pg = list_take(mine);
	release(&mine->lock);
	return pg;
}

/* Make a frame that was free the caller's. */
static void
claim(struct page *pg)
{
	if (pg->refs != 0)
		frame_panic("kalloc: free frame has references", pg);
	asan_unpoison(page_kva(pg), PGSIZE);
	if (DEBUG)
		owner_verify(pg);
	__atomic_store_n(&pg->refs, 1, __ATOMIC_RELAXED);
	if (DEBUG)
		owner_note(pg, OWNER_ALLOC, FRAME_HERE());
	STAT(pages_alloc);
}

static struct page *
take_frame(void)
{
	struct framelist *mine = &frames[hart_id()];
	struct page *pg;

	do {
		pg = take_ready(mine);
		if (pg == NULL)
			pg = refill(mine);
	} while (pg == NULL && pagecache_shrink() > 0);
	if (pg != NULL)
		claim(pg);
	return pg;
}

struct page *
page_alloc_for(u64 site)
{
	struct page *pg = fail_here(site) ? NULL : take_frame();

	if (DEBUG && pg != NULL)
		memset(page_kva(pg), POISON_NEW, PGSIZE);
	return pg;
}

__injectable struct page *
page_alloc(void)
{
	return page_alloc_for(ALLOC_SITE());
}

__injectable struct page *
page_alloc_zeroed(void)
{
	struct page *pg = fail_here(ALLOC_SITE()) ? NULL : take_frame();

	if (pg != NULL)
		page_zero(page_kva(pg));
	return pg;
}

/* Prepend up to n frames of the depot to *list; returns how many. */
static u64
take_bulk(struct page **list, u64 n)
{
	struct page *pg;
	u64 got = 0;

	acquire(&depot.lock);
	while (got < n && (pg = depot_take()) != NULL) {
		claim(pg);
		pg->next = *list;
		*list = pg;
		got++;
	}
	release(&depot.lock);
	return got;
}

/*
 * To failnth it is one allocation: all of the frames but the last are there.
 * So what was taken has to be put back.
 */
__injectable struct page *
page_alloc_list(u64 n)
{
	bool fail = fail_here(ALLOC_SITE());
	struct page *list = NULL, *pg;
	u64 got = 0, bulk;

	/* From the depot in stretches, so that others get at it too. */
	n -= fail;
	do {
		bulk = take_bulk(&list, MIN(n - got, (u64)4 * BATCH));
		got += bulk;
	} while (bulk > 0 && got < n);

	for (; got < n || fail; got++) {
		pg = got < n ? take_frame() : NULL;
		if (pg == NULL) {
			page_put_list(list);
			return NULL;
		}
		pg->next = list;
		list = pg;
	}
	return list;
}

/* ---- release */

/* page_drop: drop a reference; true if it was the last (see page_release). */
bool
page_drop(struct page *pg)
{
	u32 old = __atomic_fetch_sub(&pg->refs, 1, __ATOMIC_RELEASE);

	if (old == 0)
		frame_panic("kfree: frame is free already", pg);
	if (DEBUG && old > 1)
		owner_note(pg, OWNER_DROP, FRAME_HERE());
	if (old > 1)
		return false;
	/* Pairs with the release of every earlier drop. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return true;
}

/* page_release: put a frame without references on the free list. */
void
page_release(struct page *pg)
{
	struct framelist *mine = &frames[hart_id()];
	bool full;

	if (LOCKDEP)
		lockdep_free(page_kva(pg));
	DEBUG_ASSERT(pg->refs == 0 && !pg->kept);
	if (DEBUG)
		owner_note(pg, OWNER_FREE, FRAME_HERE());
	if (DEBUG)
		owner_filled(pg, POISON_FREE);
	asan_free(page_kva(pg), PGSIZE, SHADOW_FRAME);
	STAT(pages_freed);
	acquire(&mine->lock);
	list_put(mine, pg);
	full = mine->count > HOARD;
	release(&mine->lock);
	if (full)
		spill(mine);
}

void
page_put(struct page *pg)
{
	if (page_drop(pg))
		page_release(pg);
}

void
page_put_list(struct page *list)
{
	struct page *next;

	for (; list != NULL; list = next) {
		next = list->next;
		page_put(list);
	}
}

/* ---- counts */

/* With depot.lock held no frame moves between lists: none counts twice. */
u64
page_count_free(void)
{
	u64 n;

	acquire(&depot.lock);
	n = depot.count + npages - fresh;
	for (int i = 0; i < NCPU; i++)
		n += __atomic_load_n(&frames[i].count, __ATOMIC_RELAXED);
	release(&depot.lock);
	return n;
}

u64
page_count_total(void)
{
	return npages;
}

/* Those never used come last. */
u64
page_count_peak(void)
{
	u64 n;

	acquire(&depot.lock);
	n = fresh;
	release(&depot.lock);
	return n;
}

/* ---- for the audit */

void
page_keep(void *kva)
{
	struct page *pg = page_of(kva_to_pa(kva));

	ASSERT(page_sole(pg));
	pg->kept = true;
}

void
page_keep_all(void)
{
	for (u64 i = 0; i < fresh; i++)
		if (page_array[i].refs != 0)
			page_array[i].kept = true;
}

void *
page_books(void)
{
	return books;
}

struct page *
page_list(int n, u64 *count)
{
	struct framelist *l = n < NCPU ? &frames[n] : &depot;

	*count = l->count;
	return l->head;
}

bool
page_valid(const struct page *pg)
{
	u64 at = (u64)pg - (u64)page_array;

	return at % sizeof(*pg) == 0 && at / sizeof(*pg) < npages;
}

u64
page_fresh(void)
{
	return fresh;
}
