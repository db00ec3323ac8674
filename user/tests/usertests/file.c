/* SPDX-License-Identifier: MIT */
/* file.c - what is written to a file is what is read from it. */
#include "usertests.h"

/* A reader is left behind by O_TRUNC, and goes on when the file grows. */
void
test_truncate1(void)
{
	int early, late, writer;

	make_file("f", 100, 1);
	early = open("f", O_RDONLY);
	EXPECT_EQ(read(early, scratch, 60), 60);

	writer = open("f", O_WRONLY | O_TRUNC);
	late = open("f", O_RDONLY);
	EXPECT(early >= 0 && writer >= 0 && late >= 0);
	EXPECT_EQ(file_size("f"), 0);
	EXPECT_EQ(read(early, scratch, 60), 0);
	EXPECT_EQ(read(late, scratch, 60), 0);

	fill(scratch, 0, 90, 2);
	EXPECT_EQ(write(writer, scratch, 90), 90);
	EXPECT_EQ(read(late, scratch, 200), 90);
	EXPECT(filled(scratch, 0, 90, 2));
	EXPECT_EQ(read(early, scratch, 200), 30);
	EXPECT(filled(scratch, 60, 30, 2));
	EXPECT_EQ(read(early, scratch, 200), 0);
}

/* There are no holes in a file. */
void
test_truncate2(void)
{
	int behind, cutter;

	behind = open("f", O_CREATE | O_WRONLY);
	EXPECT(behind >= 0);
	EXPECT_EQ(write(behind, "some", 4), 4);
	cutter = open("f", O_WRONLY | O_TRUNC);
	EXPECT(cutter >= 0);

	EXPECT_EQ(write(behind, "x", 1), -1);
	EXPECT_EQ(file_size("f"), 0);

	/* When the file has grown to there it is legal again. */
	EXPECT_EQ(write(cutter, "SOME", 4), 4);
	EXPECT_EQ(write(behind, "more", 4), 4);
	cutter = open("f", O_RDONLY);
	EXPECT_EQ(read(cutter, scratch, 100), 8);
	EXPECT(memcmp(scratch, "SOMEmore", 8) == 0);
}

static void
cut_and_write(int rounds, uint tag)
{
	char line[24], back[24];
	int fd, n;

	for (int i = 0; i < rounds; i++) {
		fill(line, 0, sizeof(line), tag);
		fd = open("f", O_CREATE | O_WRONLY | O_TRUNC);
		EXPECT(fd >= 0);
		n = write(fd, line, sizeof(line));
		EXPECT_EQ(n, sizeof(line));
		close(fd);

		fd = open("f", O_RDONLY);
		EXPECT(fd >= 0);
		n = read(fd, back, sizeof(back));
		EXPECT(n == 0 || n == sizeof(back));
		EXPECT(n == 0 || filled(back, 0, n, 1) ||
			filled(back, 0, n, 2));
		close(fd);
	}
}

/* A reader sees one of the writers' records, whole, or nothing. */
void
test_truncate3(void)
{
	make_file("f", 0, 0);
	if (FORK() == 0) {
		cut_and_write(40, 1);
		exit(0);
	}
	cut_and_write(40, 2);
	EXPECT_EXITS(1, 0);
}

void
test_opentest(void)
{
	int fds[NOFILE];
	int n = 0;

	make_file("f", 1, 1);
	EXPECT_EQ(open("nosuch", O_RDONLY), -1);
	EXPECT_EQ(open("nosuch", O_RDWR), -1);
	EXPECT_EQ(open("nosuch/f", O_CREATE | O_RDWR), -1);
	EXPECT(open("/echo", O_RDONLY) == 3);
	EXPECT_EQ(close(3), 0);
	EXPECT_EQ(close(3), -1);

	while ((fds[n] = open("f", O_RDONLY)) >= 0) {
		EXPECT_EQ(fds[n], n + 3);
		n++;
	}
	EXPECT_EQ(n, NOFILE - 3);
	EXPECT_EQ(dup(0), -1);
	EXPECT_EQ(pipe(fds + NOFILE - 2), -1);

	/* The lowest free number comes first. */
	EXPECT_EQ(close(7), 0);
	EXPECT_EQ(pipe(fds + NOFILE - 2), -1);
	EXPECT_EQ(dup(3), 7);
	EXPECT_EQ(close(9), 0);
	EXPECT_EQ(close(5), 0);
	EXPECT_EQ(pipe(fds), 0);
	EXPECT_EQ(fds[0], 5);
	EXPECT_EQ(fds[1], 9);

	EXPECT_EQ(close(-1), -1);
	EXPECT_EQ(close(NOFILE), -1);
	EXPECT_EQ(read(NOFILE + 100, scratch, 1), -1);
	EXPECT_EQ(write(-7, scratch, 1), -1);
}

/* Written in records of one size, read in records of another. */
static void
rewrite(int out, int in, int total)
{
	int fd, n, at;

	fd = open("f", O_CREATE | O_TRUNC | O_RDWR);
	EXPECT(fd >= 0);
	for (at = 0; at < total; at += n) {
		n = total - at < out ? total - at : out;
		fill(scratch, at, n, out);
		EXPECT_EQ(write(fd, scratch, n), n);
	}
	EXPECT_EQ(read(fd, scratch, 1), 0);
	close(fd);

	fd = open("f", O_RDONLY);
	for (at = 0; (n = read(fd, scratch, in)) > 0; at += n)
		EXPECT(filled(scratch, at, n, out));
	EXPECT_EQ(at, total);
	EXPECT_EQ(write(fd, "x", 1), -1);
	close(fd);
}

void
test_writetest(void)
{
	int fd;

	rewrite(10, 1000, 600);
	rewrite(BSIZE, 77, 3 * BSIZE);
	rewrite(700, 2 * BSIZE + 1, 5000);
	rewrite(1, 3, 40);
	rewrite(3 * BSIZE, BSIZE, 9 * BSIZE);

	fd = open("f", O_WRONLY);
	EXPECT_EQ(read(fd, scratch, 1), -1);
	EXPECT_EQ(write(fd, scratch, 0), 0);
	close(fd);
	EXPECT_EQ(file_size("f"), 9 * BSIZE);
}

void
test_writebig(void)
{
	int fd, block;

	fd = open("f", O_CREATE | O_RDWR);
	EXPECT(fd >= 0);
	for (block = 0; block < (int)MAXFILE; block++) {
		fill(scratch, 0, BSIZE, block);
		EXPECT_EQ(write(fd, scratch, BSIZE), BSIZE);
	}
	EXPECT_EQ(write(fd, "x", 1), -1);
	close(fd);
	EXPECT_EQ(file_size("f"), MAXFILE * BSIZE);

	fd = open("f", O_RDONLY);
	for (block = 0; block < (int)MAXFILE; block++) {
		EXPECT_EQ(read(fd, scratch, BSIZE), BSIZE);
		EXPECT(filled(scratch, 0, BSIZE, block));
	}
	EXPECT_EQ(read(fd, scratch, 1), 0);
	close(fd);

	EXPECT_EQ(unlink("f"), 0);
	make_file("f", 10, 1);
	EXPECT(file_is("f", 10, 1));
}

void
test_createtest(void)
{
	enum { N = 60 };
	char name[DIRSIZ + 1];

	for (int i = 0; i < N; i++)
		EXPECT_EQ(close(open(nth(name, "c", i), O_CREATE)), 0);
	EXPECT_EQ(dir_count("."), N);
	for (int i = 0; i < N; i += 2)
		EXPECT_EQ(unlink(nth(name, "c", i)), 0);
	for (int i = 0; i < N; i++)
		EXPECT_EQ(file_size(nth(name, "c", i)), i % 2 ? 0 : -1);
	for (int i = 1; i < N; i += 2)
		EXPECT_EQ(unlink(nth(name, "c", i)), 0);
	EXPECT_EQ(dir_count("."), 0);
	EXPECT_EQ(unlink(nth(name, "c", 1)), -1);
}

struct record {
	int who;
	int seq;
	char body[24];
};

/* One offset, four writers: no record is lost, torn or out of its order. */
void
test_sharedfd(void)
{
	enum { WRITERS = 4, EACH = 50 };
	int next[WRITERS] = {0};
	struct record r;
	int fd;

	fd = open("f", O_CREATE | O_WRONLY);
	EXPECT(fd >= 0);
	for (r.who = 0; r.who < WRITERS; r.who++) {
		if (FORK() != 0)
			continue;
		for (r.seq = 0; r.seq < EACH; r.seq++) {
			fill(r.body, r.seq, sizeof(r.body), r.who);
			EXPECT_EQ(write(fd, &r, sizeof(r)), sizeof(r));
		}
		exit(0);
	}
	EXPECT_EXITS(WRITERS, 0);
	close(fd);

	EXPECT_EQ(file_size("f"), WRITERS * EACH * sizeof(r));
	fd = open("f", O_RDONLY);
	while (read(fd, &r, sizeof(r)) == sizeof(r)) {
		EXPECT(r.who >= 0 && r.who < WRITERS);
		EXPECT_EQ(r.seq, next[r.who]);
		EXPECT(filled(r.body, r.seq, sizeof(r.body), r.who));
		next[r.who]++;
	}
	for (int i = 0; i < WRITERS; i++)
		EXPECT_EQ(next[i], EACH);
}

void
test_fourfiles(void)
{
	enum { WRITERS = 4 };
	char name[DIRSIZ + 1];

	for (int i = 0; i < WRITERS; i++) {
		if (FORK() != 0)
			continue;
		nth(name, "four", i);
		for (int size = 100; size <= 6500; size += 1600) {
			make_file(name, size + i, i);
			EXPECT(file_is(name, size + i, i));
		}
		exit(0);
	}
	EXPECT_EXITS(WRITERS, 0);
	for (int i = 0; i < WRITERS; i++)
		EXPECT(file_is(nth(name, "four", i), 6500 + i, i));
}

void
test_unlinkread(void)
{
	int old, new;

	make_file("f", 3000, 1);
	old = open("f", O_RDWR);
	EXPECT(old >= 0);
	EXPECT_EQ(unlink("f"), 0);
	EXPECT_EQ(open("f", O_RDONLY), -1);

	/* Would the blocks of the old one be free, this would take them. */
	make_file("f", 4000, 2);
	new = open("f", O_RDONLY);
	EXPECT_EQ(read(old, scratch, 2000), 2000);
	EXPECT(filled(scratch, 0, 2000, 1));
	fill(scratch, 2000, 2000, 1);
	EXPECT_EQ(write(old, scratch, 2000), 2000);
	EXPECT_EQ(read(new, scratch, SCRATCH), 4000);
	EXPECT(filled(scratch, 0, 4000, 2));
	close(old);
	close(new);
	EXPECT(file_is("f", 4000, 2));
}

void
test_bigwrite(void)
{
	static char big[(MAXOPBLOCKS + 2) * BSIZE];
	static const int sizes[] = {1, BSIZE - 1, BSIZE + 1, 4 * BSIZE + 7,
		(MAXOPBLOCKS - 4) / 2 * BSIZE, MAXOPBLOCKS * BSIZE,
		sizeof(big) - 1, sizeof(big)};

	for (int i = 0; i < NELEM(sizes); i++) {
		int n = sizes[i];
		int fd = open("f", O_CREATE | O_TRUNC | O_RDWR);

		EXPECT(fd >= 0);
		for (int part = 0; part < 2; part++) {
			fill(big, part * n, n, i);
			EXPECT_EQ(write(fd, big, n), n);
		}
		close(fd);
		EXPECT(file_is("f", 2 * n, i));
	}
}

void
test_bigfile(void)
{
	enum { RECORD = 617, N = 40 };
	int in, out;

	EXPECT((N - 5) * RECORD > NDIRECT * BSIZE);
	out = open("f", O_CREATE | O_WRONLY);
	in = open("f", O_RDONLY);
	EXPECT(in >= 0 && out >= 0);
	for (int i = 0; i < N; i++) {
		fill(scratch, i * RECORD, RECORD, 9);
		EXPECT_EQ(write(out, scratch, RECORD), RECORD);
		EXPECT_EQ(read(in, scratch, SCRATCH), RECORD);
		EXPECT(filled(scratch, i * RECORD, RECORD, 9));
	}
	EXPECT(file_is("f", N * RECORD, 9));
}
