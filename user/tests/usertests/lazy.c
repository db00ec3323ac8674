/* SPDX-License-Identifier: MIT */
/* lazy.c - sbrklazy(): memory that is there when it is touched. */
#include "usertests.h"

enum { REGION = 1 << 30 }; /* more than machines for tests have */

static char *
lazy_region(int bytes)
{
	char *start = heap_edge(0);

	EXPECT(sbrklazy(bytes) == start);
	EXPECT(sbrk(0) == start + bytes);
	return start;
}

void
test_lazy_alloc(void)
{
	const uint64 step = 61 * PGSIZE;
	char *region = lazy_region(REGION);

	for (uint64 i = 0; i < REGION; i += step)
		*(uint64 *)(region + i) = i * 3 + 1;
	for (uint64 i = 0; i < REGION; i += step)
		EXPECT(*(uint64 *)(region + i) == i * 3 + 1);
	EXPECT(zeroed(region + PGSIZE, PGSIZE));
	EXPECT(zeroed(region + REGION - PGSIZE, PGSIZE));
	EXPECT_KILLED(poke, region + REGION);
}

void
test_lazy_unmap(void)
{
	const uint64 step = 1024 * PGSIZE;
	char *region = lazy_region(REGION);

	for (uint64 i = 0; i < REGION; i += step)
		*(uint64 *)(region + i) = i + 1;
	EXPECT(sbrk(-REGION) == region + REGION);
	for (uint64 i = 0; i < REGION; i += 8 * step) {
		EXPECT_KILLED(peek, region + i);
		EXPECT_KILLED(poke, region + i + PGSIZE);
	}

	EXPECT(sbrklazy(REGION) == region);
	for (uint64 i = 0; i < REGION; i += 8 * step)
		EXPECT(*(uint64 *)(region + i) == 0);
}

void
test_lazy_copy(void)
{
	char *region = lazy_region(64 * PGSIZE);
	struct stat *st;
	int *word;
	int fd;

	/* Strings: untouched memory is "", which names nothing to remove. */
	EXPECT_EQ(unlink(region + 60 * PGSIZE), -1);
	EXPECT_EQ(mkdir(region + 61 * PGSIZE - 1), -1);

	/* In: a page and the halves of its neighbours, all of it zero. */
	fd = open("f", O_CREATE | O_RDWR);
	EXPECT_EQ(write(fd, region + 2048, 2 * PGSIZE), 2 * PGSIZE);
	close(fd);

	/* Out: as much, at another place; every byte of it was untouched. */
	memset(scratch, 'z', SCRATCH);
	fd = open("f", O_RDONLY);
	EXPECT_EQ(read(fd, scratch, SCRATCH), 2 * PGSIZE);
	EXPECT(zeroed(scratch, 2 * PGSIZE));
	close(fd);
	make_file("f", 2 * PGSIZE, 5);
	fd = open("f", O_RDONLY);
	EXPECT_EQ(
		read(fd, region + 10 * PGSIZE - 1000, 2 * PGSIZE), 2 * PGSIZE);
	EXPECT(filled(region + 10 * PGSIZE - 1000, 0, 2 * PGSIZE, 5));
	EXPECT(zeroed(region + 9 * PGSIZE, PGSIZE - 1000));

	st = (struct stat *)(region + 20 * PGSIZE - 8);
	EXPECT_EQ(fstat(fd, st), 0);
	EXPECT_EQ(st->size, 2 * PGSIZE);
	close(fd);

	word = (int *)(region + 30 * PGSIZE);
	if (FORK() == 0)
		exit(42);
	EXPECT(wait(word) > 0);
	EXPECT_EQ(*word, 42);

	word = (int *)(region + 40 * PGSIZE - 4);
	EXPECT_EQ(pipe(word), 0);
	EXPECT_EQ(write(word[1], "through", 7), 7);
	EXPECT_EQ(read(word[0], region + 50 * PGSIZE - 3, 7), 7);
	EXPECT(memcmp(region + 50 * PGSIZE - 3, "through", 7) == 0);

	/* Beyond the end there is nothing to make. */
	EXPECT(write(word[1], region + 64 * PGSIZE, 1) <= 0);
	EXPECT_EQ(pipe((int *)(region + 64 * PGSIZE - 4)), -1);
}
