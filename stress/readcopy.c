/* SPDX-License-Identifier: MIT */
/*
 * readcopy - what the kernel writes to a process lands in shared pages:
 * file data, struct stat, wait's status word, pipe's descriptors.
 *
 * Aimed at every kernel write that does not break the share first, or only
 * that of the first page; that opens read-only pages (text) to the kernel
 * and so to all who share them; that refuses memory which is legal but not
 * there yet; and at calls that fail half way and keep what they took.
 *
 * All results are asked for at addresses which straddle a page boundary, and
 * often a boundary between two units of address space.
 */
#include "stress/lib/stress.h"

enum {
	PAGES = 4,
	OLD = 700,
	FILE_PAGES = 5,
	FILE_SIZE = FILE_PAGES * PGSIZE,
	RECORD = 48, /* bytes of a record of the shared descriptor's file */
	RECORDS = 256,
};

static char *buffer;  /* PAGES pages around a unit boundary */
static char *middle;  /* the boundary */
static int shared_fd; /* read by several through one offset */
static int report[2];
static char scratch[PGSIZE];
static const char constants[] = "constants are not to be written";

static void
buffer_make(void)
{
	struct span span;

	span_make(&span, 2);
	middle = span.base + UNIT;
	buffer = middle - PAGES / 2 * PGSIZE;
}

static void
buffer_fill(void)
{
	for (int i = 0; i < PAGES; i++)
		page_fill(buffer + i * PGSIZE, OLD + i);
}

static uchar
old_byte(const char *at)
{
	int off = (int)(at - buffer);
	uint64 word = page_word(OLD + off / PGSIZE, off % PGSIZE / 8);

	return (uchar)(word >> off % 8 * 8);
}

/* expect_old_but: all but n bytes from `at` is as it was filled. */
static void
expect_old_but(const char *at, int n)
{
	for (const char *b = buffer; b < buffer + PAGES * PGSIZE; b++) {
		if (b == at)
			b += n;
		if (b < buffer + PAGES * PGSIZE)
			EXPECT((uchar)*b == old_byte(b),
				"byte %d changed; to be written: %d from %d",
				(int)(b - buffer), n, (int)(at - buffer));
	}
}

/* straddle: where n bytes have a page boundary inside. */
static char *
straddle(int n)
{
	char *boundary = middle + (below(3) - 1) * PGSIZE;

	return boundary - 1 - below(n - 1);
}

/* in_shared: run fn in several children at once; our pages stay the same. */
static void
in_shared(void (*fn)(int))
{
	buffer_make();
	do {
		buffer_fill();
		herd(run.children, 2, fn);
		expect_old_but(buffer, 0);
	} while (more());
}

/* ---- files */

static uchar
file_byte(int at)
{
	return (uchar)(at * 31 + (at >> 8) * 7 + 5);
}

static void
make_files(void)
{
	int fd = must_open("bytes", O_CREATE | O_RDWR);

	for (int p = 0; p < FILE_PAGES; p++) {
		for (int i = 0; i < PGSIZE; i++)
			scratch[i] = (char)file_byte(p * PGSIZE + i);
		must_write(fd, scratch, PGSIZE);
	}
	close(fd);

	fd = must_open("records", O_CREATE | O_RDWR);
	for (int r = 0; r < RECORDS; r++) {
		memset(scratch, r, RECORD);
		must_write(fd, scratch, RECORD);
	}
	close(fd);
}

static void
remove_files(void)
{
	must_unlink("bytes");
	must_unlink("records");
}

static void
file_reader(int i)
{
	int fd = must_open("bytes", O_RDONLY);
	int skip = below(PGSIZE), n = 2 + below(3 * PGSIZE / 2);
	char *to = straddle(n > PGSIZE ? PGSIZE : n);
	int got;

	must_read(fd, scratch, skip);
	got = read(fd, to, n);
	EXPECT(got == n, "read of %d bytes at %d returned %d", n, skip, got);
	for (int b = 0; b < n; b++)
		EXPECT((uchar)to[b] == file_byte(skip + b),
			"byte %d of the file is wrong", skip + b);
	expect_old_but(to, n);
	close(fd);
	run.ops++;
}

static void
file(void)
{
	in_shared(file_reader);
}

/* Readers of one descriptor share its offset: each record goes to one. */
static void
record_reader(int unused)
{
	int sum = 0, count = 0, got;
	char *to = straddle(RECORD);

	while ((got = read(shared_fd, to, RECORD)) == RECORD) {
		for (int i = 1; i < RECORD; i++)
			EXPECT(to[i] == to[0], "a record is torn");
		sum += (uchar)to[0];
		count++;
		if (one_in(8)) {
			to = straddle(RECORD);
			dawdle(3000);
		}
	}
	EXPECT(got == 0, "read returned %d", got);
	sum = sum << 12 | count;
	EXPECT(write(report[1], &sum, sizeof(sum)) == sizeof(sum),
		"the report does not fit the pipe");
	run.ops += count;
}

static void
offset(void)
{
	int n = run.children > 64 ? 64 : run.children;
	int part, sum = 0, count = 0;

	buffer_make();
	buffer_fill();
	shared_fd = must_open("records", O_RDONLY);
	must_pipe(report);
	n = herd(n, 1, record_reader);
	for (int i = 0; i < n; i++) {
		must_read(report[0], &part, sizeof(part));
		sum += part >> 12;
		count += part & 0xfff;
	}
	EXPECT(count == RECORDS && sum == RECORDS * (RECORDS - 1) / 2,
		"%d of %d records were read, sum %d", count, RECORDS, sum);
	expect_old_but(buffer, 0);
}

/* ---- struct stat */

static void
stat_reader(int i)
{
	int fd = must_open("bytes", O_RDONLY);
	char *to = straddle(sizeof(struct stat));
	struct stat got;

	EXPECT(fstat(fd, (struct stat *)to) == 0, "fstat failed");
	memmove(&got, to, sizeof(got));
	EXPECT(got.type == T_FILE && got.size == FILE_SIZE && got.nlink == 1,
		"fstat: type %d, %lu bytes, %d links", got.type, got.size,
		got.nlink);
	expect_old_but(to, sizeof(got));
	close(fd);
	run.ops++;
}

static void
status(void)
{
	in_shared(stat_reader);
}

/* ---- wait */

static void
wait_reader(int i)
{
	int code = 1000 + below(1000000), pid, got;
	char *to = straddle(sizeof(int));

	pid = must_fork();
	if (pid == 0)
		exit(code);
	EXPECT(wait((int *)(MAXVA - 2)) == -1, "wait wrote above MAXVA");
	EXPECT(wait((int *)wait_reader) == -1, "wait wrote to text");
	EXPECT(wait((int *)to) == pid, "the child is lost");
	memmove(&got, to, sizeof(got));
	EXPECT(got == code, "status is %d, should be %d", got, code);
	expect_old_but(to, sizeof(int));
	run.ops++;
}

static void
waits(void)
{
	in_shared(wait_reader);
}

/* ---- pipe */

static void
pipe_maker(int i)
{
	char *to = straddle(2 * sizeof(int));
	int fds[2];

	/* What a failing pipe() took it must have given back: see below. */
	for (int tries = 0; tries < 2 * NOFILE; tries++) {
		EXPECT(pipe((int *)(MAXVA - 4)) == -1, "pipe above MAXVA");
		EXPECT(pipe((int *)pipe_maker) == -1, "pipe wrote to text");
	}
	EXPECT(pipe((int *)to) == 0, "pipe failed");
	memmove(fds, to, sizeof(fds));
	expect_old_but(to, sizeof(fds));
	must_write(fds[1], "ab", 2);
	must_read(fds[0], scratch, 2);
	EXPECT(scratch[0] == 'a' && scratch[1] == 'b', "the pipe is broken");
	close(fds[0]);
	close(fds[1]);
	run.ops++;
}

static void
pipes(void)
{
	in_shared(pipe_maker);
}

/* ---- read-only pages stay so, for the kernel and for stores */

static char *
text_page(int kind)
{
	switch (kind % 4) {
	case 0:
		return (char *)8;
	case 1:
		return (char *)text_page;
	case 2:
		return (char *)PGROUNDDOWN((uint64)make_files) + PGSIZE - 4;
	default:
		return (char *)(uint64)constants;
	}
}

/* kernel_writes: ask the kernel to write to `to`, which it must refuse. */
static void
kernel_writes(char *to)
{
	int fd = must_open("bytes", O_RDONLY);
	int fds[2], got;

	must_pipe(fds);
	must_write(fds[1], scratch, 100);
	EXPECT(read(fd, to, 64) == -1, "a file was read into 0x%lx",
		(uint64)to);
	got = read(fds[0], to, 64);
	EXPECT(got <= 0, "a pipe was read into 0x%lx: %d", (uint64)to, got);
	EXPECT(fstat(fd, (struct stat *)to) == -1, "fstat wrote to 0x%lx",
		(uint64)to);
	EXPECT(pipe((int *)to) == -1, "pipe wrote to 0x%lx", (uint64)to);
	EXPECT(kstat((struct kstat *)to, sizeof(struct kstat)) < 0,
		"kstat wrote to 0x%lx", (uint64)to);
	close(fds[0]);
	close(fds[1]);
	close(fd);
	run.ops += 5;
}

static void
store_there(int kind)
{
	volatile char *p = text_page(kind);

	*p = 'x';
}

static void
read_only(int i)
{
	char before[32];
	char *at = text_page(i);

	memmove(before, at, sizeof(before));
	kernel_writes(at);
	EXPECT(dies(store_there, i), "a store to 0x%lx succeeded", (uint64)at);
	EXPECT(memcmp(before, at, sizeof(before)) == 0, "0x%lx changed",
		(uint64)at);
	kernel_writes((char *)TRAPFRAME);
	kernel_writes((char *)TRAMPOLINE);
	kernel_writes((char *)MAXVA);
	kernel_writes((char *)KERNBASE);
	kernel_writes((char *)-8L);
}

static void
readonly(void)
{
	do {
		herd(run.children, 2, read_only);
	} while (more());
}

/* ---- legal memory that has never been touched */

static void
untouched(int i)
{
	struct span fresh;
	int fds[2], fd, pid, code;
	char *to;

	span_make(&fresh, 2);
	to = fresh.base + UNIT - 11;
	must_pipe(fds);

	/* The kernel reads it: zeroes. */
	EXPECT(write(fds[1], to - PGSIZE, 300) == 300,
		"write from untouched memory failed");
	must_read(fds[0], scratch, 300);
	for (int b = 0; b < 300; b++)
		EXPECT(scratch[b] == 0, "untouched memory is not zero");

	/* The kernel writes it. */
	must_write(fds[1], "0123456789abcdefghijklmn", 24);
	EXPECT(read(fds[0], to, 24) == 24, "read to untouched memory failed");
	EXPECT(memcmp(to, "0123456789abcdefghijklmn", 24) == 0 && to[-1] == 0 &&
			to[24] == 0,
		"read to untouched memory went astray");
	fd = must_open("bytes", O_RDONLY);
	EXPECT(fstat(fd, (struct stat *)(to + 2 * PGSIZE)) == 0,
		"fstat to untouched memory failed");
	EXPECT(read(fd, to + 4 * PGSIZE, PGSIZE) == PGSIZE,
		"file read to untouched memory failed");
	pid = must_fork();
	if (pid == 0)
		exit(12345);
	EXPECT(wait((int *)(to - 3 * PGSIZE)) == pid,
		"wait to untouched memory failed");
	memmove(&code, to - 3 * PGSIZE, sizeof(code));
	EXPECT(code == 12345 && to[-3 * PGSIZE - 1] == 0,
		"wait to untouched memory went astray");
	run.ops += 6;
}

static void
lazy(void)
{
	do {
		herd(run.children, 2, untouched);
	} while (more());
}

STRESS(readcopy,
	.what = "the kernel writes to the caller's memory and no other",
	.files = 1, .prepare = make_files, .finish = remove_files,
	.patterns = {{"file", file}, {"offset", offset}, {"status", status},
		{"waits", waits}, {"pipes", pipes}, {"readonly", readonly},
		{"lazy", lazy}});
