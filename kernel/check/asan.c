/* SPDX-License-Identifier: MIT */
/*
 * asan.c - FLAVOR=asan: every load and store of the kernel is looked up in a
 * shadow of its memory before it is made.
 *
 * The compiler puts a call in front of each access (-fsanitize=kernel-address;
 * the functions named __asan_ below are its contract).  One byte of shadow
 * stands for eight of memory.  It exists for all of RAM and for the window of
 * the kernel stacks; other addresses are devices', or fault by themselves.
 *
 * What may not be touched, and who says so:
 *
 *   free page frames                  mm/page.c
 *   around global variables           the compiler: they register at boot
 *   around variables on the stack,    the compiler, in the shadow itself
 *     and those whose block has ended
 *   free process slots, their stacks  proc/proc.c
 *   open files that are free          file/file.c
 *   inodes without references         file/inode.c
 *   data of buffers nobody uses       file/bio.c
 *   behind a pipe, in its page        file/pipe.c
 *
 * Whole ranges are checked where memset() and the like begin (lib/string.c),
 * which are not watched themselves, for they would take eight times as long.
 * Nor is this file, nor what runs before translation.
 *
 * What keeps it right: the shadow of an object is written only by who owns
 * the object, under the locks by which it does so: after it was taken from
 * its free list, or before it is put there.
 */
#include "kernel/check/asan.h"

#if ASAN
#include "kernel/check/callers.h"
#include "kernel/dev/fdt.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"

enum {
	GRANULE = 8,      /* bytes per byte of shadow */
	KEPT = 4,         /* callers of who freed something */
	OBJECTS = 1024,   /* freed objects that are remembered */
	MODULES_MAX = 256 /* object files whose globals are remembered */
};

typedef signed char i8;

/* The compiler adds this to an address by 8: see Makefile. */
#define SHADOW_OFFSET (ASAN_SHADOW - (KVBASE >> 3))
_Static_assert(SHADOW_OFFSET == 0xdfffffe800000000, "as the Makefile has it");

#define STACKS_SIZE (NPROC * 2 * KSTACK_SIZE)

/* Who freed something. */
struct freed {
	u64 at;
	u64 pc[KEPT];
	int pid; /* 0: no process */
	int hart;
};

/* One for each frame of RAM, in a window behind the shadow. */
#define FREED_FRAMES ((struct freed *)(ASAN_SHADOW + (1UL << 35)))

/* The last objects that were freed, in a ring. */
static struct freed freed_objects[OBJECTS];
static u64 nfreed; /* atomic: ever */

/* What the compiler says of a global variable. */
struct global {
	u64 at;
	u64 size;
	u64 size_with_redzone;
	const char *name;
	const char *module;
	u64 constructor;
	const void *place;
	u64 indicator;
};

/* Fixed after boot: the globals of each object file. */
static struct {
	const struct global *first;
	u64 count;
} modules[MODULES_MAX];
static u64 nmodules;

/*
 * What is watched: nothing before asan_init(), and nothing once something is
 * reported.  Written by one hart; others may see it late.
 */
static u64 ram_at;
static u64 ram_size;
static u64 stacks_size;

static u32 reported; /* atomic */

/* Made by the compiler for each file that has global variables. */
typedef void register_globals(void);
extern register_globals *const asan_ctors[], *const asan_ctors_end[];

static inline i8 *
shadow_of(u64 at)
{
	return (i8 *)(at / GRANULE + SHADOW_OFFSET);
}

static inline bool
is_watched(u64 at)
{
	return at - ram_at < ram_size || at - KSTACKS < stacks_size;
}

/* ---- set-up */

void
asan_map(void (*map)(u64 va, u64 size))
{
	u64 ram = machine.ram_base + KVBASE;

	map((u64)shadow_of(ram), machine.ram_size / GRANULE);
	map((u64)shadow_of(KSTACKS), STACKS_SIZE / GRANULE);
	map((u64)FREED_FRAMES,
		machine.ram_size / PGSIZE * sizeof(struct freed));
}

void
asan_init(void)
{
	u64 ram = machine.ram_base + KVBASE;

	memset(shadow_of(ram), 0, machine.ram_size / GRANULE);
	memset(shadow_of(KSTACKS), 0, STACKS_SIZE / GRANULE);
	memset(FREED_FRAMES, 0,
		machine.ram_size / PGSIZE * sizeof(struct freed));
	ram_at = ram;
	ram_size = machine.ram_size;
	stacks_size = STACKS_SIZE;
	for (u64 i = 0; i < page_count_total(); i++)
		if (page_at(i)->refs == 0)
			asan_poison(page_kva(page_at(i)), PGSIZE, SHADOW_FRAME);
	for (register_globals *const *f = asan_ctors; f < asan_ctors_end; f++)
		(*f)();
}

/* ---- what may be touched */

static void
set_shadow(u64 at, u64 size, u8 value)
{
	if (is_watched(at))
		memset(shadow_of(at), value, size / GRANULE);
}

void
asan_poison(const void *at, u64 size, enum shadow why)
{
	set_shadow((u64)at, size, why);
}

void
asan_unpoison(const void *at, u64 size)
{
	set_shadow((u64)at, size, 0);
	if (size % GRANULE != 0 && is_watched((u64)at))
		*shadow_of((u64)at + size) = size % GRANULE;
}

/* Where what is known of the end of `at` goes. */
static struct freed *
freed_slot(u64 at, enum shadow why)
{
	u64 n;

	if (why == SHADOW_FRAME)
		return &FREED_FRAMES[(at - ram_at) / PGSIZE];
	n = __atomic_fetch_add(&nfreed, 1, __ATOMIC_RELAXED);
	return &freed_objects[n % OBJECTS];
}

void
asan_free(const void *at, u64 size, enum shadow why)
{
	struct freed *slot = freed_slot((u64)at, why);
	const struct proc *p = myproc();

	if (!is_watched((u64)at))
		return;
	slot->at = (u64)at;
	slot->pid = p != NULL ? p->pid : 0;
	slot->hart = hart_id();
	callers_save(FRAME_HERE(), slot->pc, KEPT);
	asan_poison(at, size, why);
}

/* ---- reports */

static void
print_pc(const char *what, u64 pc)
{
	u64 offset;
	const char *name = ksym_find(pc - 1, &offset);

	printf("asan:   %s %lx %s+0x%lx\n", what, pc, name != NULL ? name : "?",
		name != NULL ? offset + 1 : 0);
}

static void
print_freed(const struct freed *slot)
{
	printf("asan: freed by pid %d on hart %d:\n", slot->pid, slot->hart);
	for (int i = 0; i < KEPT && slot->pc[i] != 0; i++)
		print_frame(i, slot->pc[i]);
}

static void
describe_frame(u64 at)
{
	const struct freed *slot = &FREED_FRAMES[(at - ram_at) / PGSIZE];

	printf("asan: byte %lu of frame %lx\n", at % PGSIZE,
		PGROUNDDOWN(at) - KVBASE);
	if (slot->at != 0)
		print_freed(slot);
	else
		printf("asan: never used since boot\n");
}

/* The latest object freed that may contain `at`: the nearest one below. */
static void
describe_object(u64 at)
{
	const struct freed *best = NULL;
	u64 n = MIN(nfreed, (u64)OBJECTS);

	for (u64 i = 1; i <= n; i++) {
		const struct freed *slot =
			&freed_objects[(nfreed - i) % OBJECTS];

		if (slot->at <= at && (best == NULL || slot->at > best->at))
			best = slot;
	}
	if (best == NULL || at - best->at > 2 * KSTACK_SIZE) {
		printf("asan: freed at boot, or long ago\n");
		return;
	}
	printf("asan: byte %lu behind the start of %lx\n", at - best->at,
		best->at);
	print_freed(best);
}

static void
print_global(const struct global *g, u64 at)
{
	printf("asan: byte %lu of `%s`, which has %lu, of %s\n", at - g->at,
		g->name, g->size, g->module);
}

static void
describe_global(u64 at)
{
	for (u64 i = 0; i < nmodules; i++) {
		const struct global *g = modules[i].first;
		const struct global *end = g + modules[i].count;

		for (; g < end; g++)
			if (at - g->at < g->size_with_redzone)
				print_global(g, at);
	}
}

/* What a function with watched variables leaves at the bottom of its frame. */
struct stack_frame {
	u64 magic;
	const char *variables;
	u64 pc;
};

enum { FRAME_MAGIC = 0x41b58ab3 };

/* Look for it below `at`, on the same stack; NULL if it is not there. */
static const struct stack_frame *
find_frame(u64 at)
{
	u64 bottom = at & ~(KSTACK_SIZE - 1);

	for (at &= ~(u64)(GRANULE - 1); at > bottom; at -= GRANULE) {
		const struct stack_frame *frame = (const void *)at;

		if ((u8)*shadow_of(at) == SHADOW_STACK_LEFT &&
			frame->magic == FRAME_MAGIC)
			return frame;
	}
	return NULL;
}

/*
 * The variables are told as a text: their number, then for each its distance
 * from the frame, its size, the length of its name, and that.
 */
static void
describe_stack(u64 at)
{
	const struct stack_frame *frame = find_frame(at);

	if (frame == NULL)
		return;
	print_pc("variable of", frame->pc + 1);
	printf("asan: byte %lu of a frame with: %s\n", at - (u64)frame,
		frame->variables);
}

static void
describe_beyond(u64 at)
{
	printf("asan: byte %lu of frame %lx\n", at % PGSIZE,
		PGROUNDDOWN(at) - KVBASE);
}

static const struct kind {
	enum shadow shadow;
	const char *what; /* constant, so that reports group */
	void (*describe)(u64 at);
} kinds[] = {
	{SHADOW_FRAME, "asan: use after free of a frame", describe_frame},
	{SHADOW_OBJECT, "asan: use after free of an object", describe_object},
	{SHADOW_STACK, "asan: use after free of a stack", describe_object},
	{SHADOW_SCOPE, "asan: use after scope", describe_stack},
	{SHADOW_GLOBAL, "asan: out of bounds of a global", describe_global},
	{SHADOW_STACK_LEFT, "asan: out of bounds on the stack", describe_stack},
	{SHADOW_STACK_MIDDLE, "asan: out of bounds on the stack",
		describe_stack},
	{SHADOW_STACK_RIGHT, "asan: out of bounds on the stack",
		describe_stack},
	{SHADOW_BEYOND, "asan: out of bounds of an object", describe_beyond},
};

/* Why `at` may not be touched; NULL if the shadow is none of ours. */
static const struct kind *
kind_of(u64 at)
{
	i8 shadow = *shadow_of(at);

	/* Only the first few may: it is what follows that cannot. */
	if (shadow > 0)
		shadow = *shadow_of(at + GRANULE);
	for (u64 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].shadow == (u8)shadow)
			return &kinds[i];
	return NULL;
}

/* The first report is the last: from here on nothing is watched. */
static void
report(u64 bad, u64 at, u64 size, bool write, u64 pc)
{
	const struct kind *kind = kind_of(bad);

	if (panicked || __atomic_exchange_n(&reported, 1, __ATOMIC_RELAXED))
		return;
	ram_size = 0;
	stacks_size = 0;
	printf("\nasan: %s of %lu bytes at %lx, bad from %lx on\n",
		write ? "store" : "load", size, at, bad);
	print_pc("by", pc);
	if (kind == NULL)
		panic("asan: broken shadow", (u8)*shadow_of(bad));
	kind->describe(bad);
	panic(kind->what, bad);
}

/* ---- checks */

/* How many bytes from `at` on, in its granule, may be touched. */
static u64
good_bytes(u64 at)
{
	i8 shadow = *shadow_of(at);
	u64 into = at % GRANULE;

	if (shadow == 0)
		return GRANULE - into;
	return shadow > 0 && into < (u64)shadow ? (u64)shadow - into : 0;
}

/* The first byte of [at, end) that may not be touched, or end. */
static u64
first_bad(u64 at, u64 end)
{
	enum { STRIDE = GRANULE * sizeof(u64) };

	while (at < end) {
		u64 good = good_bytes(at);

		if (at % STRIDE == 0 && *(const u64 *)shadow_of(at) == 0) {
			at += STRIDE;
			continue;
		}
		at += good;
		if (at < end && at % GRANULE != 0)
			return at;
		if (good == 0)
			return at;
	}
	return end;
}

static void
check_range(u64 at, u64 size, bool write, u64 pc)
{
	u64 end = at + size, bad;

	if (size == 0 || !is_watched(at) || !is_watched(end - 1))
		return;
	bad = first_bad(at, end);
	if (bad != end)
		report(bad, at, size, write, pc);
}

void
asan_check(const void *at, u64 size, bool write)
{
	check_range((u64)at, size, write, (u64)__builtin_return_address(0));
}

/* ---- what the compiler calls */

static inline void
check_small(u64 at, u64 size, bool write, u64 pc)
{
	if (!is_watched(at))
		return;
	/* Most often all eight bytes of its granule may be touched. */
	if (*shadow_of(at) == 0 && at % GRANULE + size <= GRANULE)
		return;
	check_range(at, size, write, pc);
}

#define PC ((u64)__builtin_return_address(0))

#define ACCESS(size)                                                           \
	void __asan_load##size##_noabort(u64 at);                              \
	void __asan_load##size##_noabort(u64 at)                               \
	{                                                                      \
		check_small(at, size, false, PC);                              \
	}                                                                      \
	void __asan_store##size##_noabort(u64 at);                             \
	void __asan_store##size##_noabort(u64 at)                              \
	{                                                                      \
		check_small(at, size, true, PC);                               \
	}

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __asan_loadN_noabort(u64 at, u64 size);
void __asan_storeN_noabort(u64 at, u64 size);
void __asan_handle_no_return(void);
void __asan_register_globals(const struct global *first, u64 count);
void __asan_unregister_globals(const struct global *first, u64 count);
void __asan_poison_stack_memory(const void *at, u64 size);
void __asan_unpoison_stack_memory(const void *at, u64 size);

void
__asan_loadN_noabort(u64 at, u64 size)
{
	check_range(at, size, false, PC);
}

void
__asan_storeN_noabort(u64 at, u64 size)
{
	check_range(at, size, true, PC);
}

/*
 * The functions that are on the stack now will not end, so they will not
 * clear the shadow of their variables: whoever has the stack next must not
 * find that.
 */
void
__asan_handle_no_return(void)
{
	u64 sp = r_sp() & ~(u64)(GRANULE - 1);

	set_shadow(sp, (sp | (KSTACK_SIZE - 1)) + 1 - sp, 0);
}

void
__asan_register_globals(const struct global *first, u64 count)
{
	if (nmodules == MODULES_MAX)
		panic("asan: too many files, raise MODULES_MAX", nmodules);
	modules[nmodules].first = first;
	modules[nmodules++].count = count;
	for (const struct global *g = first; g < first + count; g++) {
		asan_poison((void *)g->at, g->size_with_redzone, SHADOW_GLOBAL);
		asan_unpoison((void *)g->at, g->size);
	}
}

/* The kernel does not end. */
void
__asan_unregister_globals(const struct global *first, u64 count)
{
}

void
__asan_poison_stack_memory(const void *at, u64 size)
{
	asan_poison(
		at, (size + GRANULE - 1) & ~(u64)(GRANULE - 1), SHADOW_SCOPE);
}

void
__asan_unpoison_stack_memory(const void *at, u64 size)
{
	asan_unpoison(at, size);
}
#endif
