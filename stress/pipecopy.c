/* SPDX-License-Identifier: MIT */
/*
 * pipecopy - bytes from pipes land in pages that are shared.
 *
 * Aimed at copyout: a read() which breaks the share of the first page only,
 * and writes through the others into the sibling; a write() that takes its
 * bytes from a page while the sibling is breaking it; bytes lost or doubled
 * between several readers and writers.
 *
 * Next to a reader stands a witness, forked just before, which holds the
 * same pages and must find them unchanged.
 */
#include "stress/lib/stress.h"

enum {
	PAGES = 4,   /* of the buffer, two on each side of a unit boundary */
	OLD = 300,   /* who filled it */
	WRITERS = 4, /* two bits of a byte say which */
	READERS = 3,
	ROUNDS = 40, /* of 64 bytes that each writer writes in a crowd */
	CHUNK = 3 * PGSIZE,
};

static char *buffer; /* PAGES pages, shared as often as can be */
static int data[2];
static struct gate gate;
static uchar outgoing[1024];
static int heard[256];

static void
buffer_make(void)
{
	struct span span;

	span_make(&span, 2);
	buffer = span.base + UNIT - PAGES / 2 * PGSIZE;
}

static void
buffer_fill(void)
{
	for (int i = 0; i < PAGES; i++)
		page_fill(buffer + i * PGSIZE, OLD + i);
}

static void
expect_old(void)
{
	for (int i = 0; i < PAGES; i++)
		EXPECT_PAGE(buffer + i * PGSIZE, OLD + i);
}

static uchar
old_byte(int at)
{
	uint64 word = page_word(OLD + at / PGSIZE, at % PGSIZE / 8);

	return (uchar)(word >> at % 8 * 8);
}

/* expect_old_but: all but n bytes from `at` is as it was filled. */
static void
expect_old_but(int at, int n)
{
	const uchar *b = (uchar *)buffer;

	for (int i = 0; i < PAGES * PGSIZE; i++) {
		if (i == at)
			i += n;
		if (i < PAGES * PGSIZE)
			EXPECT(b[i] == old_byte(i),
				"byte %d is 0x%x, not 0x%x; read: %d from %d",
				i, b[i], old_byte(i), n, at);
	}
}

/* read_all: n bytes, by reads of random sizes. */
static void
read_all(int fd, char *to, int n)
{
	while (n > 0) {
		int ask = 1 + below(n), got = read(fd, to, ask);

		EXPECT(got > 0 && got <= ask, "read of %d returned %d", ask,
			got);
		to += got;
		n -= got;
		run.ops++;
	}
}

static void
witness(int i)
{
	gate_wait(&gate);
	expect_old();
}

/* ---- one writer, one reader: every byte in its place */

static uchar
stream_byte(int at)
{
	return (uchar)(at * 167 + (at >> 8) * 13 + (at >> 16));
}

static void
stream_writer(int unused)
{
	int at = 0;

	close(data[0]);
	for (;;) {
		int n = 1 + below(sizeof(outgoing));

		for (int i = 0; i < n; i++)
			outgoing[i] = stream_byte(at + i);
		if (write(data[1], outgoing, n) != n)
			return; /* the reader has had enough */
		at += n;
	}
}

static void
stream_pair(int index)
{
	int seen = 0;

	buffer_make();
	must_pipe(data);
	spawn(stream_writer, 0);
	close(data[1]);
	for (int turn = 0; turn < 3 || more(); turn++) {
		int n = one_in(3) ? 1 + below(16) : 1 + below(CHUNK);
		int at = below(PAGES * PGSIZE - n);

		if (one_in(3)) /* straddle the boundary between two units */
			at = PAGES / 2 * PGSIZE - 1 - below(n);
		if (at < 0 || at + n > PAGES * PGSIZE)
			at = 0;
		buffer_fill();
		gate_make(&gate);
		spawn(witness, 0);
		read_all(data[0], buffer + at, n);
		for (int i = 0; i < n; i++)
			EXPECT((uchar)buffer[at + i] == stream_byte(seen + i),
				"byte %d of the stream is wrong", seen + i);
		expect_old_but(at, n);
		seen += n;
		gate_open(&gate);
		reap(1, 0);
	}
	close(data[0]);
	reap(1, 0);
}

static void
stream(void)
{
	herd((run.children + 1) / 2, 3, stream_pair);
}

/* ---- several writers: a byte says who wrote it, and a number */

static void
tag_writer(int who)
{
	int seq = 0;

	close(data[0]);
	while (seq < ROUNDS * 64) {
		int n = 1 + below(700);

		if (n > ROUNDS * 64 - seq)
			n = ROUNDS * 64 - seq;
		for (int i = 0; i < n; i++)
			outgoing[i] = (uchar)(who << 6 | ((seq + i) & 63));
		EXPECT(write(data[1], outgoing, n) == n, "a write fell short");
		seq += n;
	}
}

static void
start_writers(void)
{
	must_pipe(data);
	for (int who = 0; who < WRITERS; who++)
		spawn(tag_writer, who);
	close(data[1]);
}

/* One reader: the bytes of each writer come all, and in their order. */
static void
merge(void)
{
	int next[WRITERS] = {0};
	int got;

	buffer_make();
	buffer_fill();
	start_writers();
	gate_make(&gate);
	spawn(witness, 0);
	while ((got = read(data[0], buffer + PGSIZE - 7, 1 + below(CHUNK))) >
		0) {
		for (int i = 0; i < got; i++) {
			uchar c = (uchar)buffer[PGSIZE - 7 + i];
			int who = c >> 6;

			EXPECT((c & 63) == (next[who] & 63),
				"writer %d: byte %d came when %d was due", who,
				c & 63, next[who] & 63);
			next[who]++;
		}
		run.ops++;
	}
	EXPECT(got == 0, "read returned %d", got);
	for (int who = 0; who < WRITERS; who++)
		EXPECT(next[who] == ROUNDS * 64, "writer %d: %d of %d bytes",
			who, next[who], ROUNDS * 64);
	close(data[0]);
	gate_open(&gate);
	reap(WRITERS + 1, 0);
}

/* ---- several writers, several readers into the same shared buffer */

static void
bystander(int unused)
{
}

static void
tag_reader(int result)
{
	int got, at = below(PAGES * PGSIZE - 600);

	while ((got = read(data[0], buffer + at, 1 + below(600))) > 0) {
		for (int i = 0; i < got; i++)
			heard[(uchar)buffer[at + i]]++;
		run.ops++;
		if (one_in(4)) { /* share the buffer once more */
			spawn(bystander, 0);
			reap(1, 0);
		}
	}
	EXPECT(got == 0, "read returned %d", got);
	must_write(result, heard, sizeof(heard));
}

static void
fan(void)
{
	static int part[256];
	int result[READERS];

	buffer_make();
	buffer_fill();
	start_writers();
	for (int r = 0; r < READERS; r++) {
		int fds[2];

		must_pipe(fds);
		spawn(tag_reader, fds[1]);
		close(fds[1]);
		result[r] = fds[0];
	}
	close(data[0]);
	memset(heard, 0, sizeof(heard));
	for (int r = 0; r < READERS; r++) {
		must_read(result[r], part, sizeof(part));
		close(result[r]);
		for (int c = 0; c < 256; c++)
			heard[c] += part[c];
	}
	for (int c = 0; c < 256; c++)
		EXPECT(heard[c] == ROUNDS, "byte 0x%x came %d times, not %d", c,
			heard[c], ROUNDS);
	expect_old();
	reap(WRITERS + READERS, 0);
}

/* ---- a pipe is filled from pages which the other owner overwrites */

static void
send_buffer(int unused)
{
	int at = 0, size = PAGES * PGSIZE;

	close(data[0]);
	gate_wait(&gate);
	while (at < size) {
		int n = 1 + below(size - at);

		EXPECT(write(data[1], buffer + at, n) == n,
			"a write fell short");
		at += n;
	}
}

static void
source_pair(int index)
{
	uchar got[64];

	buffer_make();
	for (int turn = 0; turn < 2 || more(); turn++) {
		buffer_fill();
		must_pipe(data);
		gate_make(&gate);
		spawn(send_buffer, 0);
		close(data[1]);
		gate_open(&gate);
		for (int at = 0; at < PAGES * PGSIZE;) {
			int n = read(data[0], got, sizeof(got));

			EXPECT(n > 0, "read returned %d at %d", n, at);
			for (int i = 0; i < n; i++, at++)
				EXPECT(got[i] == old_byte(at),
					"byte %d was 0x%x when sent, 0x%x came",
					at, old_byte(at), got[i]);
			/* ahead of the sender, sometimes */
			page_fill(buffer + below(PAGES) * PGSIZE, turn);
			run.ops++;
		}
		close(data[0]);
		reap(1, 0);
	}
}

static void
source(void)
{
	herd((run.children + 1) / 2, 2, source_pair);
}

/* ---- the buffer ends before the bytes do */

static void
edge_reader(int over)
{
	char *top = sbrk(0);
	int got;

	must_write(data[1], outgoing, 400);
	got = read(data[0], top - over, 400);
	EXPECT(got == -1 || (got >= 0 && got <= over),
		"read to %d bytes below the end of memory returned %d", over,
		got);
	for (int i = 0; i < PAGES - 1; i++)
		EXPECT_PAGE(buffer + i * PGSIZE, OLD + i);
	run.ops++;
}

static void
edge(void)
{
	buffer = pages_get(PAGES);
	buffer_fill();
	for (int over = 1; over < 400; over += 57) {
		must_pipe(data);
		EXPECT(!dies(edge_reader, over), "a read kills its caller");
		close(data[0]);
		close(data[1]);
		expect_old();
		run.ops++;
	}
}

STRESS(pipecopy, .what = "a pipe's bytes reach their reader and nobody else",
	.patterns = {{"stream", stream}, {"merge", merge}, {"fan", fan},
		{"source", source}, {"edge", edge}});
