/* SPDX-License-Identifier: MIT */
/*
 * sbrkstorm - heaps grow and shrink while their pages are shared.
 *
 * Aimed at: pages of a shrunk heap which stay reachable (by a stale
 * translation, a shared page table, or a rounding error), which are dropped
 * for the other owners too, or come back with old contents; stores to
 * addresses that are nobody's, which must kill and not panic or loop;
 * stores that are legal although the stack pointer is somewhere unusual;
 * and the promise of sbrk(): memory that it grants is there when touched.
 */
#include "stress/lib/stress.h"

enum {
	AREA = 24, /* pages of heap under test, half on each side of a unit */
	WHO = 600,
	READERS = 4,
	GUARD_BYTES = 64,
};

static char *area; /* AREA pages, the end of the heap when all are there */
static struct gate gate;

/* area_make: place the area so that a unit boundary is in its middle. */
static void
area_make(void)
{
	uint64 now = (uint64)sbrk(0);
	int pad = (int)((2L * UNIT - AREA / 2 * PGSIZE - now % UNIT) % UNIT);

	area = must_lazy(pad) + pad;
}

static void
area_fill(int from, int to, int who)
{
	for (int p = from; p < to; p++)
		page_fill(area + p * PGSIZE, who + p);
}

static void
area_check(int from, int to, int who)
{
	for (int p = from; p < to; p++)
		EXPECT_PAGE(area + p * PGSIZE, who + p);
}

static void
expect_zero(int from, int to)
{
	for (int p = from; p < to; p++) {
		volatile uint64 *page = (uint64 *)(area + p * PGSIZE);

		for (int w = 0; w < WORDS; w += 9)
			EXPECT(page[w] == 0, "fresh page %d word %d is 0x%lx",
				p, w, page[w]);
	}
}

/* resize: make the area `to` pages long; it has `from`. */
static void
resize(int from, int to)
{
	char *old = area + from * PGSIZE;
	int bytes = (to - from) * PGSIZE;
	char *got = one_in(2) ? sbrk(bytes) : sbrklazy(bytes);

	EXPECT(got == old, "sbrk %d returned 0x%lx, the heap ended at 0x%lx",
		bytes, (uint64)got, (uint64)old);
	EXPECT(sbrk(0) == old + bytes, "the heap ends at 0x%lx, not 0x%lx",
		(uint64)sbrk(0), (uint64)(old + bytes));
	run.ops++;
}

/* ---- up and down */

static void
heir(int size)
{
	int next = below(AREA + 1);

	area_check(0, size, WHO);
	dawdle(2000);
	resize(size, next);
	area_check(0, next < size ? next : size, WHO);
	if (next > size)
		expect_zero(size, next);
	if (next > 0)
		area_fill(0, next, WHO * 2);
}

static void
rider(int index)
{
	int size = 0;

	do {
		int next = below(AREA + 1), children = 0;

		while (children < 2 && one_in(2)) {
			spawn(heir, size);
			children++;
		}
		resize(size, next);
		if (next > size) {
			expect_zero(size, next);
			area_fill(size, next, WHO);
		}
		area_check(0, next, WHO);
		size = next;
		reap(children, 0);
	} while (more());
}

/* Each worker's heap goes up and down while its children share it. */
static void
seesaw(void)
{
	area_make();
	herd(run.children, 3, rider);
}

/* ---- one shrinks, the others still read and write */

static void
stayer(int i)
{
	gate_wait(&gate);
	for (int turn = 0; turn < 3; turn++)
		area_check(0, AREA, WHO);
	if (i % 2)
		area_fill(i % AREA, i % AREA + 1, 99);
	area_check(i % AREA + 1, AREA, WHO);
	run.ops++;
}

static void
shrinker(int index)
{
	static const short sizes[] = {
		0, 1, AREA / 2 - 1, AREA / 2, AREA / 2 + 1, AREA - 1};

	resize(0, AREA);
	do {
		int size = sizes[below(ARRAY_LEN(sizes))];

		area_fill(0, AREA, WHO);
		gate_make(&gate);
		for (int i = 0; i < READERS; i++)
			spawn(stayer, i);
		gate_open(&gate);
		dawdle(2000);
		resize(AREA, size);
		area_check(0, size, WHO);
		resize(size, AREA);
		expect_zero(size, AREA);
		reap(READERS, 0);
	} while (more());
}

static void
shrink(void)
{
	area_make();
	herd((run.children + 1) / 2, 1 + READERS, shrinker);
}

/* ---- touching what is not there kills */

static char *
shrunk_page(void)
{
	area_fill(AREA - 2, AREA, 1);
	must_sbrk(-PGSIZE);
	return area + (AREA - 1) * PGSIZE;
}

static char *
shrunk_unit(void)
{
	area_fill(0, AREA, 1);
	must_sbrk(-AREA / 2 * PGSIZE);
	return area + AREA / 2 * PGSIZE;
}

/* The page that holds the last byte of the heap stays, the next goes. */
static char *
shrunk_odd(void)
{
	area_fill(AREA - 3, AREA, 1);
	must_sbrk(-PGSIZE - 100);
	*(volatile char *)(sbrk(0) - 1) = 1;
	return (char *)PGROUNDUP((uint64)sbrk(0));
}

static char *
heap_end(void)
{
	return sbrk(0);
}

static char *
giga_up(void)
{
	return sbrk(0) + (1UL << 30);
}

static char *
two_giga_up(void)
{
	return sbrk(0) + (1UL << 31);
}

static char *
trap_frame(void)
{
	return (char *)TRAPFRAME;
}

static char *
trampoline(void)
{
	return (char *)TRAMPOLINE;
}

static char *
max_va(void)
{
	return (char *)MAXVA;
}

static char *
above_max_va(void)
{
	return (char *)(MAXVA + 3 * PGSIZE);
}

static char *
guard(void)
{
	return (char *)(PGROUNDDOWN(r_sp()) - USERSTACK * PGSIZE +
			(uint64)below(PGSIZE - GUARD_BYTES));
}

static char *
guard_top(void)
{
	return (char *)(PGROUNDDOWN(r_sp()) - 8);
}

static char *
kernel_physical(void)
{
	return (char *)KERNBASE;
}

static char *
kernel_virtual(void)
{
	return (char *)(0xffffffc000000000UL + KERNBASE);
}

static char *
all_ones(void)
{
	return (char *)-8L;
}

static char *(*const nowhere[])(void) = {
	shrunk_page,
	shrunk_unit,
	shrunk_odd,
	heap_end,
	giga_up,
	two_giga_up,
	trap_frame,
	trampoline,
	max_va,
	above_max_va,
	guard,
	guard_top,
	kernel_physical,
	kernel_virtual,
	all_ones,
};

static void
touch_load(int kind)
{
	volatile char *at = nowhere[kind]();

	at[0];
	EXPECT(0, "load %d from 0x%lx went through", kind, (uint64)at);
}

static void
touch_store(int kind)
{
	volatile char *at = nowhere[kind]();

	at[0] = 1;
	EXPECT(0, "store %d to 0x%lx went through", kind, (uint64)at);
}

static void
touch_run(int kind)
{
	char *at = nowhere[kind]();

	((void (*)(void))at)();
	EXPECT(0, "jump %d to 0x%lx came back", kind, (uint64)at);
}

static void
run_heap(int unused)
{
	uint *code = (uint *)area;

	code[0] = 0x00008067; /* ret */
	asm volatile("fence.i" ::: "memory");
	((void (*)(void))area)();
	EXPECT(0, "the heap is executable");
}

/* try_all: everything that must kill, from memory that others share. */
static void
try_all(int index)
{
	int first = below(ARRAY_LEN(nowhere));

	for (int i = 0; i < ARRAY_LEN(nowhere); i++) {
		int kind = (first + i) % ARRAY_LEN(nowhere);

		EXPECT(dies(touch_load, kind), "load %d did not kill", kind);
		EXPECT(dies(touch_store, kind), "store %d did not kill", kind);
		EXPECT(dies(touch_run, kind), "jump %d did not kill", kind);
		run.ops += 3;
	}
	EXPECT(dies(run_heap, 0), "running the heap did not kill");
	area_check(0, AREA, WHO);
}

static void
touch(void)
{
	area_make();
	resize(0, AREA);
	area_fill(0, AREA, WHO);
	herd(run.children, 2, try_all);
	area_check(0, AREA, WHO);
}

/* ---- stores that are legal */

/* store_with_sp: *at = value while the stack pointer is sp. */
static void
store_with_sp(char *at, uint64 value, char *sp)
{
	asm volatile("mv	t0, sp\n\t"
		     "mv	sp, %2\n\t"
		     "sd	%1, 0(%0)\n\t"
		     "sd	%1, -16(sp)\n\t"
		     "mv	sp, t0"
		     :
		     : "r"(at), "r"(value), "r"(sp)
		     : "t0", "memory");
}

static void
odd_stack(int i)
{
	int here = 1 + below(AREA - 1), there = below(AREA);
	char *sp = area + here * PGSIZE - (here & 1 ? 0 : PGSIZE / 2);
	char *at = area + there * PGSIZE + 128;

	store_with_sp(at, 0x1234, sp);
	EXPECT(*(uint64 *)at == 0x1234, "a store got lost");
	EXPECT(*(uint64 *)(sp - 16) == 0x1234, "a push got lost");
	run.ops++;
}

static void
heap_stack(int index)
{
	do {
		spawn(odd_stack, 0);
		spawn(odd_stack, 1);
		reap(2, 0);
		area_check(0, AREA, WHO);
	} while (more());
}

/* The stack pointer may point anywhere; it says nothing about a store. */
static void
stack(void)
{
	area_make();
	resize(0, AREA);
	area_fill(0, AREA, WHO);
	herd(run.children, 3, heap_stack);
}

/* ---- what sbrk grants is there */

static void
collector(int index)
{
	do {
		int pages = 1 + below((int)pages_free() / 2 + 1);
		char *mem = sbrk(pages * PGSIZE);

		if (mem == SBRK_ERROR)
			continue;
		for (int p = 0; p < pages; p++) {
			uint64 *word = (uint64 *)(mem + p * PGSIZE);

			EXPECT(word[p % WORDS] == 0,
				"granted page %d is not "
				"zero",
				p);
			word[p % WORDS] = (uint64)(index + p);
		}
		for (int p = 0; p < pages; p++) {
			uint64 *word = (uint64 *)(mem + p * PGSIZE);

			EXPECT(word[p % WORDS] == (uint64)(index + p),
				"granted page %d changed", p);
		}
		must_sbrk(-pages * PGSIZE);
		run.ops++;
	} while (more());
}

static void
granted(int index)
{
	gate_wait(&gate);
	collector(index);
}

/*
 * All ask for much of what is free.  Some are refused; none is killed when
 * it touches what it was granted.
 */
static void
promise(void)
{
	gate_make(&gate);
	for (int i = 0; i < run.children; i++) {
		if (must_fork() > 0)
			continue;
		run.ops = 0;
		stream_fork(i);
		own_pages();
		granted(i);
		leave();
	}
	own_pages();
	gate_open(&gate);
	reap(run.children, 0);
}

/* More than there is must be refused at once, and cost nothing. */
static void
toomuch(void)
{
	struct kstat st;
	char *top = sbrk(0);
	int granted_mib = 0, total_mib;

	must_kstat(&st);
	total_mib = (int)(st.pages_total / 256) + 1;
	while (granted_mib <= total_mib && sbrk(16 << 20) != SBRK_ERROR)
		granted_mib += 16;
	EXPECT(granted_mib <= total_mib, "sbrk granted %d MiB of %d",
		granted_mib, total_mib);
	EXPECT(sbrk(0) == top + ((long)granted_mib << 20),
		"a refused sbrk moved the end of the heap");
	for (; granted_mib > 0; granted_mib -= 16)
		must_sbrk(-(16 << 20));
	run.ops++;
}

STRESS(sbrkstorm, .what = "a heap is what its owner made it, to the byte",
	.patterns = {{"seesaw", seesaw}, {"shrink", shrink}, {"touch", touch},
		{"stack", stack}, {"promise", promise}, {"toomuch", toomuch}});
