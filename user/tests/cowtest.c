/* SPDX-License-Identifier: MIT */
/*
 * cowtest - is fork() copy-on-write, and does nobody notice?
 *
 * Every case keeps several processes alive over the same pages, lets each
 * write its own words, and has each look at all of its pages again when the
 * others have written.  Sizes follow the memory that is free, so that a fork
 * which copies has not got enough.
 */
#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "kernel/memlayout.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/stampede.h"

#define CHECK(cond) ((cond) ? (void)0 : failed(__LINE__, #cond))

static void failed(int line, const char *what) __attribute__((noreturn));

static void
failed(int line, const char *what)
{
	printf("failed: cowtest.c:%d: expected %s\n", line, what);
	exit(1);
}

static int
must_fork(void)
{
	int pid = fork();

	CHECK(pid >= 0);
	return pid;
}

static void
must_end_well(int children)
{
	int status;

	while (children-- > 0) {
		status = 1;
		CHECK(wait(&status) > 0);
		CHECK(status == 0);
	}
}

static uint64
free_bytes(void)
{
	struct kstat k;

	quiesce();
	if (kstat(&k, sizeof(k)) == 0)
		return k.pages_free * PGSIZE;
	return (PHYSTOP - KERNBASE) / 8 * 7;
}

/* The part of the free memory that is num/den, as heap. */
static char *
grow(uint64 *bytes, int num, int den)
{
	char *mem;

	/* Whole pages: the first may begin after the break. */
	CHECK(sbrk(PGROUNDUP((uint64)sbrk(0)) - (uint64)sbrk(0)) != SBRK_ERROR);
	*bytes = PGROUNDDOWN(free_bytes() * num / den);
	mem = sbrk(*bytes);
	CHECK(mem != SBRK_ERROR);
	return mem;
}

static void
shrink(uint64 bytes)
{
	CHECK(sbrk(-(int)bytes) != SBRK_ERROR);
}

/* The first and the last word of each page say whose it is and where. */
static void
mark(char *mem, uint64 from, uint64 to, uint64 who)
{
	for (uint64 i = from; i < to; i += PGSIZE) {
		*(uint64 *)(mem + i) = who << 40 | i;
		*(uint64 *)(mem + i + PGSIZE - 8) = who << 40 | i;
	}
}

static int
marked(const char *mem, uint64 from, uint64 to, uint64 who)
{
	for (uint64 i = from; i < to; i += PGSIZE)
		if (*(uint64 *)(mem + i) != (who << 40 | i) ||
			*(uint64 *)(mem + i + PGSIZE - 8) != (who << 40 | i))
			return 0;
	return 1;
}

/*
 * A meeting of n processes: arrive() returns when all n have called it.
 * Whoever comes says so in one pipe; the chair, who is one of them, answers
 * each in the other.
 */
struct meeting {
	int come[2];
	int go[2];
};

static void
meeting_open(struct meeting *m)
{
	CHECK(pipe(m->come) == 0);
	CHECK(pipe(m->go) == 0);
}

static void
meeting_close(const struct meeting *m)
{
	close(m->come[0]);
	close(m->come[1]);
	close(m->go[0]);
	close(m->go[1]);
}

static void
arrive(const struct meeting *m)
{
	char c = 'c';

	CHECK(write(m->come[1], &c, 1) == 1);
	CHECK(read(m->go[0], &c, 1) == 1);
}

static void
chair(const struct meeting *m, int n)
{
	char c;

	for (int i = 1; i < n; i++)
		CHECK(read(m->come[0], &c, 1) == 1);
	for (int i = 1; i < n; i++)
		CHECK(write(m->go[1], &c, 1) == 1);
}

/* Two thirds of memory cannot be there twice, so they must be shared. */
static void
simple(void)
{
	uint64 bytes;
	char *mem = grow(&bytes, 2, 3);

	mark(mem, 0, bytes, 1);
	if (must_fork() == 0) {
		CHECK(marked(mem, 0, bytes, 1));
		mark(mem, 0, 8 * PGSIZE, 2);
		mark(mem, bytes - 8 * PGSIZE, bytes, 2);
		CHECK(marked(mem, 8 * PGSIZE, bytes - 8 * PGSIZE, 1));
		CHECK(marked(mem, 0, 8 * PGSIZE, 2));
		exit(0);
	}
	must_end_well(1);
	CHECK(marked(mem, 0, bytes, 1));
	shrink(bytes);
}

/*
 * Three generations over a quarter of memory: the youngest writes a half,
 * the next the other half and the oldest all, while all three live.
 */
static void
three(void)
{
	struct meeting m;
	uint64 bytes, half;
	char *mem = grow(&bytes, 1, 4);

	half = PGROUNDDOWN(bytes / 2);
	meeting_open(&m);
	mark(mem, 0, bytes, 1);
	if (must_fork() == 0) {
		if (must_fork() == 0) {
			mark(mem, 0, half, 3);
			arrive(&m);
			CHECK(marked(mem, 0, half, 3));
			CHECK(marked(mem, half, bytes, 1));
			exit(0);
		}
		mark(mem, half, bytes, 2);
		arrive(&m);
		CHECK(marked(mem, 0, half, 1));
		CHECK(marked(mem, half, bytes, 2));
		must_end_well(1);
		exit(0);
	}
	mark(mem, 0, bytes, 4);
	chair(&m, 3);
	CHECK(marked(mem, 0, bytes, 4));
	must_end_well(1);
	CHECK(marked(mem, 0, bytes, 4));
	meeting_close(&m);
	shrink(bytes);
}

static char window[4 * PGSIZE] __attribute__((aligned(PGSIZE)));

static void
paint(char *p, int n, int seed)
{
	for (int i = 0; i < n; i++)
		p[i] = i * 7 + (i >> 8) * 31 + seed;
}

static int
painted(const char *p, int from, int to, int seed)
{
	for (int i = from; i < to; i++)
		if (p[i] != (char)(i * 7 + (i >> 8) * 31 + seed))
			return 0;
	return 1;
}

/* Child number me reads its bytes over a page border, from file or pipe. */
static void
read_over_border(int me, int fd, const struct meeting *m)
{
	const int from = PGSIZE - 100 - me;
	const int to = from + 400;

	CHECK(read(fd, window + from, to - from) == to - from);
	arrive(m);
	for (int i = from; i < to; i++)
		CHECK(window[i] == (char)('A' + me));
	CHECK(painted(window, 0, from, 1));
	CHECK(painted(window, to, sizeof(window), 1));
	exit(0);
}

/* What the kernel writes into shared pages is the reader's alone. */
static void
file(void)
{
	enum { READERS = 6 };
	static const char name[] = "cowtest.tmp";
	static char line[400];
	struct meeting m;
	int fds[2], fd;

	paint(window, sizeof(window), 1);
	meeting_open(&m);
	for (int me = 0; me < READERS; me++) {
		memset(line, 'A' + me, sizeof(line));
		CHECK(pipe(fds) == 0);
		fd = open(name, O_CREATE | O_TRUNC | O_RDWR);
		CHECK(fd >= 0);
		CHECK(write(me % 2 ? fds[1] : fd, line, sizeof(line)) ==
			sizeof(line));
		close(fd);
		fd = open(name, O_RDONLY);
		CHECK(fd >= 0);
		CHECK(unlink(name) == 0);
		if (must_fork() == 0)
			read_over_border(me, me % 2 ? fds[0] : fd, &m);
		close(fd);
		close(fds[0]);
		close(fds[1]);
	}
	chair(&m, READERS + 1);
	CHECK(painted(window, 0, sizeof(window), 1));
	must_end_well(READERS);
	CHECK(painted(window, 0, sizeof(window), 1));
	meeting_close(&m);
}

/*
 * Children that fork and write at once: who of them breaks the sharing of a
 * page first, and who is its last owner, is decided anew each time.
 */
static void
forkfork(void)
{
	enum { CHILDREN = 24, PAGES = 64 };
	const uint64 bytes = PAGES * PGSIZE;
	struct meeting m;
	char *mem = sbrk(bytes);

	CHECK(mem != SBRK_ERROR);
	mark(mem, 0, bytes, 1);
	meeting_open(&m);
	for (int i = 0; i < CHILDREN; i++) {
		if (must_fork() != 0)
			continue;
		arrive(&m);
		if (must_fork() == 0) {
			CHECK(marked(mem, 0, bytes, 1));
			mark(mem, 0, bytes, 100 + i);
			CHECK(marked(mem, 0, bytes, 100 + i));
			exit(0);
		}
		mark(mem, 0, bytes, 10 + i);
		CHECK(marked(mem, 0, bytes, 10 + i));
		must_end_well(1);
		CHECK(marked(mem, 0, bytes, 10 + i));
		exit(0);
	}
	chair(&m, CHILDREN + 1);
	must_end_well(CHILDREN);
	CHECK(marked(mem, 0, bytes, 1));
	meeting_close(&m);
	shrink(bytes);
}

/* The parent writes too, at the moment at which the last child goes. */
static void
lastowner(void)
{
	enum { ROUNDS = 40, PAGES = 16 };
	const uint64 bytes = PAGES * PGSIZE;
	char *mem = sbrk(bytes);

	CHECK(mem != SBRK_ERROR);
	for (int i = 0; i < ROUNDS; i++) {
		mark(mem, 0, bytes, i);
		for (int k = 0; k < 3; k++) {
			if (must_fork() != 0)
				continue;
			CHECK(marked(mem, 0, bytes, i));
			if (k > 0)
				mark(mem, 0, bytes, 1000 + k);
			exit(0);
		}
		mark(mem, 0, bytes, 500 + i);
		CHECK(marked(mem, 0, bytes, 500 + i));
		must_end_well(3);
		CHECK(marked(mem, 0, bytes, 500 + i));
	}
	shrink(bytes);
}

/* Text is shared as well, and stays read-only: a store to it kills. */
static void
readonly(void)
{
	volatile char *const text = (volatile char *)lastowner;
	const char before = *text;
	int status;

	for (int i = 0; i < 3; i++) {
		if (must_fork() == 0) {
			*text = before + 1;
			exit(0);
		}
		CHECK(wait(&status) > 0);
		CHECK(status == -1);
		CHECK(*text == before);
	}
}

static void
run(const char *name, void (*fn)(void))
{
	printf("%s: ", name);
	fn();
	printf("ok\n");
}

int
main(int argc, char *argv[])
{
	run("simple", simple);
	run("simple", simple);

	run("three", three);
	run("three", three);
	run("three", three);

	run("file", file);
	run("forkfork", forkfork);
	run("lastowner", lastowner);
	run("readonly", readonly);

	printf("ALL COW TESTS PASSED\n");
	return 0;
}
