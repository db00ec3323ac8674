/* SPDX-License-Identifier: MIT */
/*
 * owner.c - FLAVOR=debug: what happened to each page frame, and who did it.
 *
 * A frame has a ring of its last events, and the last allocation besides, for
 * a page that many share has more events than a ring can hold.  The audit
 * prints them for each frame with which something is wrong, and panics about
 * a frame print them too.
 *
 * Free frames are filled with junk.  That the junk is still there when a
 * frame is allocated again proves that nobody wrote to it meanwhile.
 *
 * What keeps it right: events of one frame may come from many harts at once;
 * each takes a place in the ring by an atomic addition and fills it.  So who
 * prints while others run may see a line that is half written, and no more.
 * born and junk belong to whoever the frame belongs to.
 */
#include "kernel/check/owner.h"

#if DEBUG
#include "kernel/check/asan.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"

enum { EVENTS = 16, DEPTH = 5 };

struct event {
	u32 pc[DEPTH]; /* lower halves; the innermost first */
	int pid;       /* 0: no process */
	u16 refs;      /* references afterwards */
	u8 kind;       /* enum owner_kind */
	u8 hart;
};

struct history {
	u32 next; /* [atomic] events so far */
	u32 junk; /* what it was filled with, or NO_JUNK */
	struct event born;
	struct event ring[EVENTS];
};

enum { NO_JUNK = 0x100 };

_Static_assert(sizeof(struct history) <= OWNER_BOOK, "room for it");

static struct history *histories;       /* by frame number; fixed after boot */
static const struct page *blamed[NCPU]; /* each hart's own */

void
owner_init(void *book, u64 n)
{
	histories = book;
	memset(histories, 0, n * sizeof(*histories));
	for (u64 i = 0; i < n; i++)
		histories[i].junk = NO_JUNK;
}

static struct history *
history_of(const struct page *pg)
{
	return &histories[page_number(pg)];
}

/* ---- taking notes */

void
owner_note(const struct page *pg, enum owner_kind kind, u64 fp)
{
	struct history *h = history_of(pg);
	u32 at = __atomic_fetch_add(&h->next, 1, __ATOMIC_RELAXED);
	struct event *e = &h->ring[at % EVENTS];
	const struct proc *p = myproc();
	u64 pc[DEPTH];

	callers_save(fp, pc, DEPTH);
	for (int i = 0; i < DEPTH; i++)
		e->pc[i] = (u32)pc[i];
	e->pid = p == NULL ? 0 : p->pid;
	e->refs = (u16)__atomic_load_n(&pg->refs, __ATOMIC_RELAXED);
	e->kind = kind;
	e->hart = (u8)hart_id();
	if (kind == OWNER_ALLOC)
		h->born = *e;
}

__attribute__((noinline)) void
owner_share(const struct page *pg)
{
	owner_note(pg, OWNER_SHARE, FRAME_HERE());
}

/* ---- junk */

void
owner_filled(const struct page *pg, u8 junk)
{
	/* Its last owner may have used a part only. */
	asan_unpoison(page_kva(pg), PGSIZE);
	memset(page_kva(pg), junk, PGSIZE);
	history_of(pg)->junk = junk;
}

/* Looks at memory that is nobody's: not for the address sanitizer to judge. */
__attribute__((no_sanitize_address)) void
owner_verify(const struct page *pg)
{
	struct history *h = history_of(pg);
	const u64 *word = page_kva(pg);
	u64 want = h->junk * 0x0101010101010101UL;

	if (h->junk == NO_JUNK)
		return;
	h->junk = NO_JUNK;
	for (u64 i = 0; i < PGSIZE / sizeof(*word); i++) {
		if (word[i] == want)
			continue;
		printf("kalloc: %lx in free frame %lx at offset %lx\n", word[i],
			page_pa(pg), i * sizeof(*word));
		owner_blame(pg);
		panic("kalloc: free frame was written to", page_pa(pg));
	}
}

/* ---- reports */

static bool
is_allocator(const char *name)
{
	return name != NULL && (strncmp(name, "page_", 5) == 0 ||
				       strncmp(name, "take_", 5) == 0 ||
				       strcmp(name, "kalloc") == 0 ||
				       strcmp(name, "kfree") == 0);
}

/* Innermost first, without the allocator's own functions. */
static void
print_callers(const struct event *e)
{
	const char *between = "";

	for (int i = 0; i < DEPTH && e->pc[i] != 0; i++) {
		u64 offset, pc = KVBASE | e->pc[i];
		const char *name = ksym_find(pc - 1, &offset);

		if (is_allocator(name))
			continue;
		if (name == NULL)
			printf("%s%lx", between, pc);
		else
			printf("%s%s+0x%lx", between, name, offset + 1);
		between = " < ";
	}
	printf("\n");
}

static void
print_event(const struct event *e)
{
	static const char *const names[] = {
		[OWNER_NONE] = "nothing",
		[OWNER_ALLOC] = "alloc",
		[OWNER_SHARE] = "share",
		[OWNER_DROP] = "drop",
		[OWNER_COPY] = "copy",
		[OWNER_FREE] = "free",
	};

	printf("owner:   %-5s refs %u hart %u pid %d by ", names[e->kind],
		e->refs, e->hart, e->pid);
	print_callers(e);
}

void
owner_print(const struct page *pg)
{
	const struct history *h = history_of(pg);
	u32 i = h->next > EVENTS ? h->next - EVENTS : 0;

	if (h->born.kind == OWNER_NONE) {
		printf("owner: frame %lx was never allocated\n", page_pa(pg));
		return;
	}
	printf("owner: frame %lx, allocated by pid %d in ", page_pa(pg),
		h->born.pid);
	print_callers(&h->born);
	for (; i < h->next; i++)
		print_event(&h->ring[i % EVENTS]);
}

void
owner_blame(const struct page *pg)
{
	blamed[hart_id()] = pg;
}

void
owner_explain(void)
{
	if (blamed[hart_id()] != NULL)
		owner_print(blamed[hart_id()]);
}
#endif
