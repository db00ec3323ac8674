/* SPDX-License-Identifier: MIT */
/*
 * cow.c - sharing that a program must not notice.
 *
 * Each test is about one way in which kernels with copy-on-write fork have
 * been wrong: the write that breaks the sharing comes from the wrong place,
 * or breaks too little of it, or breaks what was never to be written.
 */
#include "usertests.h"

enum { PAGES = 8 };

static char arena[PAGES * PGSIZE] __attribute__((aligned(PGSIZE)));
static int linked = 0x1234; /* in .data: its page comes from the file */

/* Each generation writes all, and has it still when the next has ended. */
static void
generations(char *heap, uint64 bytes)
{
	for (int depth = 2; depth < 7; depth++) {
		if (FORK() != 0) {
			EXPECT_EXITS(1, 0);
			EXPECT(stamped(heap, bytes, depth - 1));
			exit(0);
		}
		EXPECT(stamped(heap, bytes, depth - 1));
		stamp(heap, bytes, depth);
	}
	exit(0);
}

/* A page here and there, so that most of each page table stays shared. */
static void
touch_some(char *heap, uint64 bytes)
{
	for (uint64 at = 0; at < bytes; at += PGSIZE)
		if (at / PGSIZE % 61 == 0)
			heap[at] ^= 0x55;
	for (uint64 at = 0; at < bytes; at += PGSIZE)
		if (at / PGSIZE % 61 == 0)
			heap[at] ^= 0x55;
	EXPECT(stamped(heap, bytes, 1));
}

void
test_cow_private(void)
{
	const uint64 bytes = 5 << 20; /* more than one leaf page table maps */
	char *heap = heap_edge(bytes) - bytes;
	int gate[2];
	char c;

	stamp(heap, bytes, 1);
	make_pipe(gate);
	for (int i = 0; i < 3; i++) {
		if (FORK() != 0)
			continue;
		close(gate[1]);
		touch_some(heap, bytes);
		stamp(heap, bytes, 10 + i);
		read(gate[0], &c, 1);
		EXPECT(stamped(heap, bytes, 10 + i));
		exit(0);
	}
	touch_some(heap, bytes);
	stamp(heap + bytes / 2, bytes / 2, 9);
	close(gate[1]);
	EXPECT(stamped(heap, bytes / 2, 1));
	EXPECT(stamped(heap + bytes / 2, bytes / 2, 9));
	EXPECT_EXITS(3, 0);
	EXPECT(stamped(heap, bytes / 2, 1));

	stamp(heap, bytes, 1);
	if (FORK() == 0)
		generations(heap, bytes);
	EXPECT_EXITS(1, 0);
	EXPECT(stamped(heap, bytes, 1));
}

/* In a child: let read() write n bytes at arena + at; nothing else moves. */
static void
read_into(int at, int n)
{
	int fd = open("f", O_RDONLY);

	EXPECT_EQ(read(fd, arena + at, n), n);
	EXPECT(filled(arena + at, 0, n, 2));
	EXPECT(filled(arena, 0, at, 1));
	EXPECT(filled(arena + at + n, at + n, sizeof(arena) - at - n, 1));
	exit(0);
}

static void
pipe_into(int at, int n)
{
	int p[2];

	make_pipe(p);
	fill(scratch, 0, n, 3);
	EXPECT_EQ(write(p[1], scratch, n), n);
	EXPECT_EQ(read(p[0], arena + at, n), n);
	EXPECT(filled(arena + at, 0, n, 3));
	EXPECT(filled(arena, 0, at, 1));
	EXPECT(filled(arena + at + n, at + n, sizeof(arena) - at - n, 1));
	exit(0);
}

/* The calls that fill a struct, each of them over a page border. */
static void
structs_into(void)
{
	struct stat *st = (struct stat *)(arena + PGSIZE - 8);
	int *status = (int *)(arena + 3 * PGSIZE - 4);
	int *fds = (int *)(arena + 5 * PGSIZE - 4);
	int fd = open("f", O_RDONLY);

	EXPECT_EQ(fstat(fd, st), 0);
	EXPECT_EQ(st->size, sizeof(arena));
	if (FORK() == 0)
		exit(77);
	EXPECT(wait(status) > 0);
	EXPECT_EQ(*status, 77);
	EXPECT_EQ(pipe(fds), 0);
	say(fds[1], 'p');
	EXPECT(heard(fds[0], 'p'));
	exit(0);
}

void
test_cow_copyout(void)
{
	static const struct {
		int at, n;
	} spans[] = {
		{0, 1},
		{PGSIZE - 1, 2},
		{PGSIZE - 100, 300},
		{2 * PGSIZE + 4090, PGSIZE + 12},
		{PGSIZE, PGSIZE},
		{5, 3 * PGSIZE},
		{0, PAGES * PGSIZE},
	};

	make_file("f", sizeof(arena), 2);
	fill(arena, 0, sizeof(arena), 1);
	for (int i = 0; i < NELEM(spans); i++) {
		if (FORK() == 0)
			read_into(spans[i].at, spans[i].n);
		EXPECT_EXITS(1, 0);
		EXPECT(filled(arena, 0, sizeof(arena), 1));
		if (spans[i].n > 512)
			continue;
		if (FORK() == 0)
			pipe_into(spans[i].at, spans[i].n);
		EXPECT_EXITS(1, 0);
		EXPECT(filled(arena, 0, sizeof(arena), 1));
	}
	if (FORK() == 0)
		structs_into();
	EXPECT_EXITS(1, 0);
	EXPECT(filled(arena, 0, sizeof(arena), 1));
}

static const char constant[] = "read-only data, which no call may fill";

/* Ask the kernel to write where this process may only read. */
static void
write_readonly(uint64 va)
{
	char *p = (char *)va;
	int fds[2], fd;
	char before[64];

	memmove(before, p, sizeof(before));
	fd = open("f", O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT_EQ(read(fd, p, 1), -1);
	EXPECT_EQ(read(fd, p, 64), -1);
	EXPECT_EQ(fstat(fd, (struct stat *)p), -1);
	close(fd);
	make_pipe(fds);
	EXPECT_EQ(write(fds[1], "abc", 3), 3);
	EXPECT(read(fds[0], p, 3) <= 0);
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQ(pipe((int *)p), -1);
	if (FORK() == 0)
		exit(5);
	EXPECT_EQ(wait((int *)p), -1);
	EXPECT_EXITS(1, 5);
	EXPECT(memcmp(before, p, sizeof(before)) == 0);
}

void
test_cow_readonly(void)
{
	const uint64 places[] = {8, (uint64)write_readonly & ~7UL,
		(uint64)constant & ~7UL, PGROUNDDOWN((uint64)write_readonly)};

	make_file("f", 64, 1);
	for (int i = 0; i < NELEM(places); i++) {
		/* Before a fork, in the child of one, and in its parent. */
		write_readonly(places[i]);
		if (FORK() == 0) {
			write_readonly(places[i]);
			EXPECT_KILLED(poke, places[i]);
			exit(0);
		}
		EXPECT_EXITS(1, 0);
		write_readonly(places[i]);
		EXPECT_KILLED(poke, places[i]);
	}
}

/* Addresses that depend on the process: just outside what it has. */
static int
stray_addresses(uint64 *va)
{
	uint64 end = (uint64)heap_edge(PGSIZE);
	int n = 0;

	va[n++] = end;
	va[n++] = end + 8;
	va[n++] = end + PGSIZE;
	va[n++] = end + HEAP_ALIGN;
	va[n++] = end + (1UL << 30);
	va[n++] = end + (2UL << 30);
	va[n++] = guard_page();
	va[n++] = TRAPFRAME - PGSIZE;
	for (int i = 0; i < NNOWHERE; i++)
		va[n++] = nowhere[i];
	return n;
}

static void
strays_kill(const uint64 *va, int n)
{
	for (int i = 0; i < n; i++) {
		EXPECT_KILLED(poke, va[i]);
		EXPECT_KILLED(peek, va[i]);
	}
}

void
test_cow_strays(void)
{
	uint64 va[8 + NNOWHERE];
	int n = stray_addresses(va);

	stamp(arena, sizeof(arena), 1);
	strays_kill(va, n);
	if (FORK() == 0) {
		/* The page tables that fork() shared are this child's now. */
		stamp(arena, sizeof(arena), 2);
		strays_kill(va, n);
		EXPECT(stamped(arena, sizeof(arena), 2));
		exit(0);
	}
	EXPECT_EXITS(1, 0);
	EXPECT(stamped(arena, sizeof(arena), 1));
}

static void
strays_refused(const uint64 *va, int n)
{
	int fd, p[2];

	make_pipe(p);
	EXPECT_EQ(write(p[1], "0123456789abcdef", 16), 16);
	fd = open("f", O_RDONLY);
	EXPECT(fd >= 0);
	for (int i = 0; i < n; i++) {
		char *bad = (char *)va[i];

		EXPECT_EQ(read(fd, bad, 32), -1);
		EXPECT(read(p[0], bad, 1) <= 0);
		EXPECT(write(p[1], bad, 1) <= 0);
		EXPECT_EQ(fstat(fd, (struct stat *)bad), -1);
		EXPECT_EQ(pipe((int *)bad), -1);
		EXPECT_EQ(open(bad, O_RDONLY), -1);
	}
	close(fd);
	close(p[0]);
	close(p[1]);
}

/* One more byte than there is before each of these starts is too much. */
void
test_cow_strayio(void)
{
	uint64 va[8 + NNOWHERE];
	int n = stray_addresses(va);
	char *end = (char *)va[0];
	int fd;

	make_file("f", 64, 1);
	strays_refused(va, n);
	if (FORK() == 0) {
		strays_refused(va, n);
		fill(end - 8, 0, 8, 4);
		fd = open("f", O_RDONLY);
		EXPECT(read(fd, end - 8, 16) < 16);
		exit(0);
	}
	EXPECT_EXITS(1, 0);
	EXPECT(zeroed(end - 8, 8));
}

/* Call fn with the stack pointer at top. */
static void
call_on_stack(void (*fn)(void), char *top)
{
	asm volatile("mv s1, sp\n\t"
		     "mv sp, %1\n\t"
		     "jalr %0\n\t"
		     "mv sp, s1"
		     :
		     : "r"(fn), "r"(top)
		     : "s1", "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6",
		     "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "memory");
}

static void
store_everywhere(void)
{
	volatile char local[2 * PGSIZE];
	char *heap = sbrk(0);

	local[0] = 1;
	local[sizeof(local) - 1] = 1;
	stamp(arena, sizeof(arena), 2);
	linked = 2;
	stamp(heap - 16 * PGSIZE, 2 * PGSIZE, 2);
	EXPECT(stamped(arena, sizeof(arena), 2));
	exit(9);
}

/* A kernel that takes stores near sp for stack growth gets this wrong. */
void
test_cow_heapstack(void)
{
	char *end = heap_edge(16 * PGSIZE);

	stamp(arena, sizeof(arena), 1);
	stamp(end - 16 * PGSIZE, 16 * PGSIZE, 1);
	if (FORK() == 0)
		call_on_stack(store_everywhere, end - 4 * PGSIZE);
	EXPECT_EXITS(1, 9);
	if (FORK() == 0)
		call_on_stack(store_everywhere, end);
	EXPECT_EXITS(1, 9);
	EXPECT(stamped(arena, sizeof(arena), 1));
	EXPECT(stamped(end - 16 * PGSIZE, 16 * PGSIZE, 1));
	EXPECT_EQ(linked, 0x1234);
}

/* The pages at mem, with the break behind them, read before a write. */
static void
write_what_was_read(char *mem)
{
	int fd;

	EXPECT(zeroed(mem, PAGES * PGSIZE));
	if (FORK() == 0) {
		EXPECT(zeroed(mem, PAGES * PGSIZE));
		stamp(mem, PGSIZE, 1);
		fd = open("f", O_RDONLY);
		EXPECT_EQ(read(fd, mem + 2 * PGSIZE - 10, PGSIZE + 20),
			PGSIZE + 20);
		EXPECT(filled(mem + 2 * PGSIZE - 10, 0, PGSIZE + 20, 3));
		EXPECT(stamped(mem, PGSIZE, 1));
		EXPECT(zeroed(mem + 4 * PGSIZE, 4 * PGSIZE));
		EXPECT(sbrk(PGSIZE) == mem + PAGES * PGSIZE);
		EXPECT(zeroed(mem + PAGES * PGSIZE, PGSIZE));
		exit(0);
	}
	EXPECT_EXITS(1, 0);
	EXPECT(zeroed(mem, PAGES * PGSIZE));

	/* The parent is the writer now, and the child looks on. */
	stamp(mem, 2 * PGSIZE, 2);
	if (FORK() == 0) {
		EXPECT(stamped(mem, 2 * PGSIZE, 2));
		EXPECT(zeroed(mem + 2 * PGSIZE, (PAGES - 2) * PGSIZE));
		exit(0);
	}
	EXPECT_EXITS(1, 0);
}

/* Memory that nothing is reserved for shares the page of zeros first. */
void
test_cow_zero(void)
{
	char *mem = heap_edge(0);

	make_file("f", PGSIZE + 20, 3);
	EXPECT(sbrklazy(PAGES * PGSIZE) == mem);
	write_what_was_read(mem);
	mem += PAGES * PGSIZE;
	EXPECT(sbrk(PAGES * PGSIZE) == mem);
	write_what_was_read(mem);
}

void
test_cow_lazy(void)
{
	char *mem = heap_edge(0);
	int p[2];

	EXPECT(sbrklazy(PAGES * PGSIZE) == mem);
	make_pipe(p);
	fill(scratch, 0, 300, 1);
	EXPECT_EQ(write(p[1], scratch, 300), 300);
	if (FORK() == 0) {
		EXPECT_EQ(read(p[0], mem + PGSIZE - 150, 300), 300);
		EXPECT(filled(mem + PGSIZE - 150, 0, 300, 1));
		EXPECT_EQ(write(p[1], mem + 4 * PGSIZE - 1, 2), 2);
		EXPECT_EQ(fstat(0, (struct stat *)(mem + 6 * PGSIZE - 8)), 0);
		stamp(mem, PAGES * PGSIZE, 1);
		exit(0);
	}
	EXPECT_EXITS(1, 0);
	EXPECT(zeroed(mem, PAGES * PGSIZE));
	EXPECT_EQ(read(p[0], mem + 2 * PGSIZE, 2), 2);
	EXPECT(zeroed(mem, PAGES * PGSIZE));
}

/* Shrinks that end inside, and at the border of, a shared page table. */
static void
shrink_and_regrow(char *mem, uint64 bytes, uint64 by)
{
	char *rest = mem + bytes - by;

	EXPECT(sbrk(-(int)by) == mem + bytes);
	EXPECT_KILLED(peek, rest);
	EXPECT_KILLED(poke, mem + bytes - PGSIZE);
	EXPECT(stamped(mem, bytes - by, 1));
	EXPECT(sbrk(by) == rest);
	EXPECT(zeroed(rest, by));
	stamp(mem, bytes, 2);
	EXPECT(stamped(mem, bytes, 2));
	exit(0);
}

void
test_cow_shrink(void)
{
	const uint64 bytes = 3 * HEAP_ALIGN;
	static const uint64 steps[] = {PGSIZE, HEAP_ALIGN - PGSIZE, HEAP_ALIGN,
		HEAP_ALIGN + PGSIZE, 2 * HEAP_ALIGN + 17 * PGSIZE};
	char *mem = heap_edge(bytes) - bytes;
	int gate[2];
	char c;

	stamp(mem, bytes, 1);
	for (int i = 0; i < NELEM(steps); i++) {
		if (FORK() == 0)
			shrink_and_regrow(mem, bytes, steps[i]);
		EXPECT_EXITS(1, 0);
		EXPECT(stamped(mem, bytes, 1));
	}

	/* And the parent shrinks while a child still looks at it all. */
	make_pipe(gate);
	if (FORK() == 0) {
		close(gate[1]);
		read(gate[0], &c, 1);
		EXPECT(stamped(mem, bytes, 1));
		exit(0);
	}
	EXPECT(sbrk(-(int)bytes) == mem + bytes);
	EXPECT(sbrk(bytes) == mem);
	stamp(mem, bytes, 3);
	close(gate[1]);
	EXPECT_EXITS(1, 0);
	EXPECT(stamped(mem, bytes, 3));
}

void
test_cow_waitptr(void)
{
	const uint64 end = (uint64)heap_edge(PGSIZE);
	const uint64 bad[] = {0x40, (uint64)poke & ~3UL, guard_page(), end,
		end - 2, MAXVA - 2, TRAPFRAME, MAXVA, ~0UL};
	int pid;

	for (int i = 0; i < NELEM(bad); i++) {
		pid = FORK();
		if (pid == 0)
			exit(i);
		EXPECT_EQ(wait((int *)bad[i]), -1);
		EXPECT_EXIT(pid, i);
		EXPECT_EQ(wait(0), -1);
	}
}

void
test_cow_pipeptr(void)
{
	const uint64 end = (uint64)heap_edge(PGSIZE);
	const uint64 bad[] = {0x40, (uint64)poke & ~3UL, guard_page(), end,
		end - 4, TRAPFRAME, MAXVA - 4, ~0UL};
	int fd = dup(0);

	close(fd);
	for (int round = 0; round < NOFILE; round++) {
		EXPECT_EQ(pipe((int *)bad[round % NELEM(bad)]), -1);
		EXPECT_EQ(dup(0), fd);
		EXPECT_EQ(dup(0), fd + 1);
		close(fd);
		close(fd + 1);
	}
}

void
test_cow_offset(void)
{
	char *end = heap_edge(PGSIZE);
	int fd;

	make_file("f", 600, 1);
	fd = open("f", O_RDWR);
	EXPECT_EQ(read(fd, scratch, 100), 100);
	EXPECT_EQ(read(fd, (char *)MAXVA, 100), -1);
	EXPECT_EQ(read(fd, (char *)0x40, 100), -1);
	EXPECT_EQ(read(fd, end, 100), -1);
	EXPECT_EQ(read(fd, scratch, 50), 50);
	EXPECT(filled(scratch, 100, 50, 1));

	EXPECT_EQ(write(fd, end, 100), -1);
	EXPECT_EQ(write(fd, (char *)MAXVA, 100), -1);
	EXPECT_EQ(read(fd, scratch, SCRATCH), 450);
	EXPECT(filled(scratch, 150, 450, 1));
	EXPECT_EQ(write(fd, end, 100), -1);
	EXPECT_EQ(file_size("f"), 600);
	EXPECT_EQ(write(fd, scratch, 0), 0);
	close(fd);
	EXPECT(file_is("f", 600, 1));
}

/* A count of eight bits would call a page free that hundreds look at. */
void
test_cow_manyrefs(void)
{
	enum { N = 400 };
	int gate[2], n;
	char c;

	stamp(arena, sizeof(arena), 1);
	make_pipe(gate);
	for (n = 0; n < N; n++) {
		if (FORK() != 0)
			continue;
		close(gate[1]);
		read(gate[0], &c, 1);
		EXPECT(stamped(arena, sizeof(arena), 1));
		if (n % 3 == 0)
			stamp(arena + n % PAGES * PGSIZE, PGSIZE, n);
		exit(0);
	}
	close(gate[0]);
	close(gate[1]);
	EXPECT_EXITS(N, 0);
	EXPECT(stamped(arena, sizeof(arena), 1));
}

void
test_cow_manyforks(void)
{
	enum { N = 1000 };

	stamp(arena, sizeof(arena), 1);
	for (int i = 0; i < N; i++) {
		if (FORK() == 0) {
			stamp(arena, PGSIZE, 2);
			exit(0);
		}
		EXPECT_EXITS(1, 0);
	}
	EXPECT(stamped(arena, sizeof(arena), 1));
}

/* What the program reports of itself when run as `usertests -x`. */
int
data_is_as_linked(void)
{
	return linked == 0x1234 && zeroed(arena, sizeof(arena));
}

/* Data pages that come from the file must not be the file's to change. */
void
test_cow_exec(void)
{
	char *argv[] = {"/usertests", "-x", 0};

	for (int i = 0; i < 3; i++) {
		linked = i;
		stamp(arena, sizeof(arena), i + 1);
		EXPECT_EQ(run_program(argv, scratch, SCRATCH), 0);
		EXPECT_EQ(linked, i);
	}
}

static void
copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY);
	int out = open(to, O_CREATE | O_TRUNC | O_WRONLY);
	int n;

	EXPECT(in >= 0 && out >= 0);
	while ((n = read(in, scratch, SCRATCH)) > 0)
		EXPECT_EQ(write(out, scratch, n), n);
	close(in);
	close(out);
}

void
test_cow_rewrite(void)
{
	char *argv[] = {"prog", "text", 0};
	static char out[64];

	make_file("text", 10, 1);
	for (int round = 0; round < 2; round++) {
		copy_file("/echo", "prog");
		EXPECT_EQ(run_program(argv, out, sizeof(out)), 0);
		EXPECT(strcmp(out, "text\n") == 0);

		copy_file("/cat", "prog");
		EXPECT_EQ(run_program(argv, out, sizeof(out)), 0);
		EXPECT(filled(out, 0, 10, 1));

		/* The number of a freed inode may be given out again. */
		EXPECT_EQ(unlink("prog"), 0);
	}
}
