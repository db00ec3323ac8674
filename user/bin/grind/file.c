/* SPDX-License-Identifier: MIT */
/*
 * file.c - files and descriptors, and the model of them.
 *
 * An object is a file, with its content; a name leads to an object.  A stream
 * is what open() makes and dup() shares: an object, and a place in it.  A
 * slot is a descriptor, which leads to a stream.
 */
#include "user/bin/grind/grind.h"

enum {
	NAMES = 4,
	SLOTS = 6,               /* descriptors of the model */
	OBJECTS = NAMES + SLOTS, /* each is named or open */
	FILE_MAX = 3000,
};

struct object { /* a file */
	int links, opens, size;
	int vague; /* a call stopped half way: content and size unknown */
	uchar data[FILE_MAX];
};

struct stream { /* what open() makes and dup() shares */
	struct object *file;
	int refs, at, mode;
};

struct slot { /* a descriptor */
	int fd;
	struct stream *stream;
};

static struct object objects[OBJECTS];
static struct object *names[NAMES];
static struct stream streams[SLOTS];
static struct slot slots[SLOTS];

uchar buf[CALL_MAX + 64];
static int descriptors; /* free ones at the start */

static const char *
name_of(int i)
{
	static const char *const list[NAMES] = {"a", "b", "c", "d"};

	return list[i];
}

static struct slot *
find_slot(int want_open)
{
	uint first = draw(SLOTS);

	for (uint i = 0; i < SLOTS; i++) {
		struct slot *s = &slots[(first + i) % SLOTS];

		if ((s->stream != 0) == want_open)
			return s;
	}
	return 0;
}

static struct object *
new_object(void)
{
	struct object *o = objects;

	while (o->links > 0 || o->opens > 0)
		o++;
	o->size = 0;
	o->vague = 0;
	o->links = 1;
	return o;
}

static void
new_stream(struct slot *slot, int fd, struct object *file, int mode)
{
	struct stream *s = streams;

	while (s->refs > 0)
		s++;
	s->refs = 1;
	s->at = 0;
	s->mode = mode;
	s->file = file;
	file->opens++;
	slot->fd = fd;
	slot->stream = s;
}

void
op_close(void)
{
	struct slot *slot = find_slot(1);

	if (slot == 0)
		return;
	expect("close", close(slot->fd), 0);
	expect("close again", close(slot->fd), -1);
	if (--slot->stream->refs == 0)
		slot->stream->file->opens--;
	slot->stream = 0;
}

void
op_open(void)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
	struct slot *slot = find_slot(0);
	int name = draw(NAMES);
	int mode = modes[draw(4)];
	int create = draw(3) ? O_CREATE : 0;
	int trunc = mode != O_RDONLY && draw(4) == 0 ? O_TRUNC : 0;
	int fd;

	if (slot == 0) {
		op_close();
		return;
	}
	fd = open(name_of(name), mode | create | trunc);
	if (names[name] == 0 && !create) {
		expect("open without a file", fd, -1);
		return;
	}
	if (lacks(fd)) {
		/* It may have been made before something was lacking. */
		if (names[name] == 0)
			unlink(name_of(name));
		else if (trunc)
			names[name]->vague = 1;
		return;
	}
	if (fd >= NOFILE)
		fail("open", fd, NOFILE - 1);
	if (names[name] == 0)
		names[name] = new_object();
	if (trunc)
		names[name]->size = 0;
	new_stream(slot, fd, names[name], mode);
}

void
op_dup(void)
{
	struct slot *from = find_slot(1);
	struct slot *to = find_slot(0);

	if (from == 0 || to == 0)
		return;
	to->fd = dup(from->fd);
	if (to->fd <= 2)
		fail("dup", to->fd, from->fd);
	to->stream = from->stream;
	to->stream->refs++;
}

/* A read must give what the model has, and touch nothing behind that. */
void
op_read(void)
{
	struct slot *slot = find_slot(1);
	uchar *p = buf + draw(32);
	int n = draw(CALL_MAX);
	struct stream *s;
	int want, got;

	if (slot == 0)
		return;
	s = slot->stream;
	memset(buf, 0xa5, sizeof(buf));
	got = read(slot->fd, p, n);
	if (s->file->vague && got > 0)
		s->at += got;
	if (s->file->vague)
		return;

	want = s->file->size - s->at;
	if (want < 0)
		want = 0;
	if (want > n)
		want = n;
	if (s->mode == O_WRONLY)
		want = -1;
	expect("read", got, want);
	if (want < 0)
		want = 0;
	expect("content", memcmp(p, s->file->data + s->at, want), 0);
	expect("byte behind the buffer", p[want], 0xa5);
	s->at += want;
}

void
op_write(void)
{
	struct slot *slot = find_slot(1);
	uchar *p = buf + draw(32);
	int n = draw(CALL_MAX);
	struct stream *s;
	int got;

	if (slot == 0)
		return;
	s = slot->stream;
	/* Behind the end, after somebody's O_TRUNC: not specified. */
	if (s->file->vague || s->at > s->file->size || s->at + n > FILE_MAX)
		return;
	for (int i = 0; i < n; i++)
		p[i] = draw(256);
	got = write(slot->fd, p, n);
	if (s->mode == O_RDONLY) {
		expect("write to a file open for reading", got, -1);
		return;
	}
	if (got != n) {
		lacks(-1);
		s->file->vague = 1;
		return;
	}
	memcpy(s->file->data + s->at, p, n);
	s->at += n;
	if (s->file->size < s->at)
		s->file->size = s->at;
}

void
op_fstat(void)
{
	struct slot *slot = find_slot(1);
	struct stat st;

	if (slot == 0)
		return;
	expect("fstat", fstat(slot->fd, &st), 0);
	expect("type", st.type, T_FILE);
	expect("links", st.nlink, slot->stream->file->links);
	if (!slot->stream->file->vague)
		expect("size", st.size, slot->stream->file->size);
}

void
op_link(void)
{
	int from = draw(NAMES);
	int to = draw(NAMES);
	int got = link(name_of(from), name_of(to));

	if (names[from] == 0 || names[to] != 0) {
		expect("link", got, -1);
		return;
	}
	if (lacks(got))
		return;
	names[to] = names[from];
	names[to]->links++;
}

void
op_unlink(void)
{
	int name = draw(NAMES);

	expect("unlink", unlink(name_of(name)), names[name] ? 0 : -1);
	if (names[name])
		names[name]->links--;
	names[name] = 0;
}

/* How many descriptors are free, found out by using them all. */
static int
free_descriptors(void)
{
	int held[NOFILE];
	int n = 0;

	while (n < NOFILE && (held[n] = dup(beat)) >= 0)
		n++;
	for (int i = 0; i < n; i++)
		expect("close", close(held[i]), 0);
	return n;
}

/* Nothing may have been lost, above all not by calls that failed. */
void
op_fill(void)
{
	int n = free_descriptors();

	for (int i = 0; i < SLOTS; i++)
		n += slots[i].stream != 0;
	expect("descriptors", n, descriptors);
}

void
count_descriptors(void)
{
	descriptors = free_descriptors();
}

void
remove_files(void)
{
	for (int i = 0; i < NAMES; i++)
		unlink(name_of(i));
}

void
close_files(void)
{
	for (int i = 0; i < SLOTS; i++)
		op_close();
}
