/* SPDX-License-Identifier: MIT */
/* mem.c - heap, stack and the borders of what is a process's own. */
#include "usertests.h"

enum { BLOCK = 100 * 1000 };

struct block {
	struct block *next;
	int number;
	char body[BLOCK];
};

static int
malloc_all(struct block **list)
{
	struct block *b;
	int n = 0;

	while ((b = malloc(sizeof(*b))) != 0) {
		b->number = n++;
		fill(b->body + BLOCK - 64, 0, 64, b->number);
		b->next = *list;
		*list = b;
	}
	return n;
}

/* Free the list; no block may have been given out twice. */
static void
free_all(struct block *list, int n)
{
	while (list != 0) {
		struct block *b = list;

		EXPECT_EQ(b->number, --n);
		EXPECT(filled(b->body + BLOCK - 64, 0, 64, n));
		list = b->next;
		free(b);
	}
	EXPECT_EQ(n, 0);
}

void
test_mem(void)
{
	uint64 enough = free_memory() / 2;
	struct block *list = 0;
	int n;

	if (FORK() == 0) {
		n = malloc_all(&list);
		EXPECT((uint64)n * BLOCK > enough);
		free_all(list, n);
		list = malloc(20 * 1024);
		EXPECT(list != 0);
		exit(0);
	}
	EXPECT_EXITS(1, 0);
}

void
test_sbrkbasic(void)
{
	static const int steps[] = {1, 7, 4088, 4096, 1, 8191, 12289, 0, 100};
	char *start = sbrk(0);
	char *top = start;

	for (int i = 0; i < NELEM(steps); i++) {
		EXPECT(sbrk(steps[i]) == top);
		for (int k = 0; k < steps[i]; k++)
			EXPECT(top[k] == 0);
		memset(top, i + 1, steps[i]);
		top += steps[i];
		EXPECT(sbrk(0) == top);
	}
	top = start;
	for (int i = 0; i < NELEM(steps); i++) {
		for (int k = 0; k < steps[i]; k++)
			EXPECT(top[k] == i + 1);
		top += steps[i];
	}

	/* A heap may grow in a child, and in the parent, each for itself. */
	if (FORK() == 0) {
		EXPECT(sbrk(PGSIZE) == top);
		EXPECT(sbrk(1) == top + PGSIZE);
		exit(0);
	}
	EXPECT_EXITS(1, 0);
	EXPECT(sbrk(0) == top);

	/* More than the machine has is refused, and nothing has changed. */
	if (free_memory() < 0x7ffff000)
		EXPECT(sbrk(0x7ffff000) == SBRK_ERROR);
	EXPECT(sbrk(0) == top);
	EXPECT(sbrk(1) == top);
}

void
test_sbrkmuch(void)
{
	uint64 much = PGROUNDDOWN(free_memory() / 4 * 3);
	char *top = heap_edge(0);

	EXPECT(sbrk(much) == top);
	stamp(top, much, 1);
	EXPECT(stamped(top, much, 1));
	top[much - 1] = 'z';

	/* A page that comes back has forgotten what it held. */
	EXPECT(sbrk(-PGSIZE) == top + much);
	EXPECT(sbrk(0) == top + much - PGSIZE);
	EXPECT(sbrk(PGSIZE) == top + much - PGSIZE);
	EXPECT(zeroed(top + much - PGSIZE, PGSIZE));
	EXPECT(stamped(top, much - PGSIZE, 1));

	EXPECT(sbrk(-(int)much) == top + much);
	EXPECT_KILLED(peek, top);
	EXPECT(sbrk(much / 2) == top);
	for (uint64 i = 0; i < much / 2; i += 97 * PGSIZE)
		EXPECT(zeroed(top + i, PGSIZE));
}

/* Where xv6 maps memory and devices, and where this kernel might. */
void
test_kernmem(void)
{
	for (uint64 at = 0; at < 40; at++) {
		EXPECT_KILLED(peek, KERNBASE + at * 51000);
		if (at % 4 == 0)
			EXPECT_KILLED(peek, 0xffffffc080000000UL + at * 51000);
	}
	EXPECT_KILLED(peek, 0x10000000UL);
	EXPECT_KILLED(peek, 0xffffffc010000000UL);
	EXPECT_KILLED(peek, ~0UL);
}

void
test_MAXVAplus(void)
{
	for (uint64 va = MAXVA; va != 0; va <<= 1) {
		EXPECT_KILLED(poke, va);
		EXPECT_KILLED(poke, va - 1);
		EXPECT_KILLED(peek, va);
	}
}

/* Each asks for a quarter of memory: some get it, not all can. */
void
test_sbrkfail(void)
{
	enum { N = 7 };
	uint64 share = PGROUNDDOWN(free_memory() / 4);
	int pids[N], got[2], never[2], served = 0;
	char answer;

	make_pipe(got);
	make_pipe(never);
	for (int i = 0; i < N; i++) {
		pids[i] = FORK();
		if (pids[i] == 0) {
			char *mine = sbrk(share);

			if (mine == SBRK_ERROR) {
				say(got[1], 'n');
			} else {
				stamp(mine, share, i);
				EXPECT(stamped(mine, share, i));
				say(got[1], 'y');
			}
			read(never[0], scratch, 1);
			exit(0);
		}
	}
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(read(got[0], &answer, 1), 1);
		served += answer == 'y';
	}
	EXPECT(served >= 2 && served <= 4);
	EXPECT(sbrk(share * 3) == SBRK_ERROR);

	for (int i = 0; i < N; i++)
		EXPECT_EQ(kill(pids[i]), 0);
	EXPECT_EXITS(N, -1);
	EXPECT(sbrk(share * 3) != SBRK_ERROR);
}

void
test_sbrkarg(void)
{
	char *fresh = heap_edge(3 * PGSIZE) - 3 * PGSIZE;
	int *fds = (int *)(fresh + PGSIZE - 4);
	int fd;

	fd = open("f", O_CREATE | O_WRONLY);
	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, fresh + PGSIZE, 2 * PGSIZE), 2 * PGSIZE);
	close(fd);
	EXPECT_EQ(file_size("f"), 2 * PGSIZE);
	fd = open("f", O_RDONLY);
	EXPECT_EQ(read(fd, scratch, 2 * PGSIZE), 2 * PGSIZE);
	EXPECT(zeroed(scratch, 2 * PGSIZE));
	close(fd);

	/* The two numbers lie on two pages, neither touched before. */
	EXPECT_EQ(pipe(fds), 0);
	EXPECT_EQ(fds[0], 3);
	EXPECT_EQ(fds[1], 4);
}

static char untouched[5 * PGSIZE + 123];

void
test_bsstest(void)
{
	for (int i = 0; i < (int)sizeof(untouched); i++)
		EXPECT(untouched[i] == 0);
	if (FORK() == 0) {
		memset(untouched, 1, sizeof(untouched));
		exit(0);
	}
	EXPECT_EXITS(1, 0);
	for (int i = 0; i < (int)sizeof(untouched); i++)
		EXPECT(untouched[i] == 0);
}

void
test_stacktest(void)
{
	EXPECT_KILLED(peek, guard_page());
	EXPECT_KILLED(poke, guard_page());

	/* The kernel must not go there either. */
	make_file("f", 100, 1);
	EXPECT_EQ(open("f", O_RDONLY), 3);
	EXPECT_EQ(read(3, (char *)guard_page(), 10), -1);
	EXPECT(write(1, (char *)guard_page(), 10) <= 0);
	EXPECT_KILLED(poke, guard_page());
}

static const char constant[] = "a string in read-only data";

void
test_textwrite(void)
{
	const uint64 places[] = {0, (uint64)poke, (uint64)test_textwrite,
		(uint64)constant, (uint64)fork};

	for (int i = 0; i < NELEM(places); i++) {
		char before = *(volatile char *)places[i];

		EXPECT_KILLED(poke, places[i]);
		EXPECT(*(volatile char *)places[i] == before);
	}
}

void
test_nowrite(void)
{
	EXPECT_KILLED(poke, 0);
	for (int i = 0; i < NNOWHERE; i++) {
		EXPECT_KILLED(poke, nowhere[i]);
		EXPECT_KILLED(poke, nowhere[i] + 0x800);
		EXPECT_KILLED(poke, nowhere[i] - 1);
	}
}

/* A kernel may refuse or obey; who gave all away may then be killed. */
static void
shrink_to(uint64 size)
{
	int status = 0;

	if (FORK() == 0) {
		sbrk(size - (uint64)sbrk(0));
		exit(0);
	}
	EXPECT(wait(&status) > 0);
	EXPECT(status == 0 || status == -1);
}

void
test_sbrkbugs(void)
{
	char *edge = heap_edge(3 * PGSIZE);

	shrink_to(0);
	shrink_to(1);
	shrink_to(3500);
	shrink_to(PGSIZE);
	shrink_to(guard_page());
	EXPECT(sbrk(0) == edge);

	/* In and out of a page, which keeps what it had up to the break. */
	stamp(edge - 3 * PGSIZE, 3 * PGSIZE, 1);
	EXPECT(sbrk(-PGSIZE - 2048) == edge);
	EXPECT(sbrk(-10) == edge - PGSIZE - 2048);
	EXPECT(sbrk(10) == edge - PGSIZE - 2058);
	EXPECT(stamped(edge - 3 * PGSIZE, PGSIZE, 1));
	EXPECT(sbrk(PGSIZE + 2048) == edge - PGSIZE - 2048);
	EXPECT(zeroed(edge - PGSIZE, PGSIZE));
}

void
test_sbrklast(void)
{
	char *edge = heap_edge(PGSIZE);
	char *name = edge - 64;

	EXPECT(sbrk(PGSIZE) == edge);
	EXPECT(sbrk(10) == edge + PGSIZE);
	EXPECT(sbrk(-20) == edge + PGSIZE + 10);
	EXPECT(sbrk(0) == edge + PGSIZE - 10);

	/* The page that holds the break is whole for user and kernel. */
	name = edge + PGSIZE - 64;
	strcpy(name, "last");
	make_file(name, 40, 1);
	EXPECT_EQ(open(name, O_RDONLY), 3);
	EXPECT_EQ(read(3, name + 10, 40), 40);
	EXPECT(filled(name + 10, 0, 40, 1));
	EXPECT(strcmp(name, "last") == 0);
}

void
test_sbrk8000(void)
{
	char *top = heap_edge(PGSIZE);
	volatile char *last = top - 1;

	EXPECT(sbrk((int)0x80000004) == top);
	EXPECT(sbrk(0) == top);
	EXPECT(sbrk((int)0x80000000) == top);
	EXPECT(sbrk(0) == top);
	*last = *last + 1;
	EXPECT_EQ(*last, 1);
}
