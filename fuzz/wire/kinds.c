/* SPDX-License-Identifier: MIT */
/*
 * kinds.c - what arguments look like.
 *
 * Each kind has a function that writes a value: in the text of a program, or
 * in C for prog2c.c, which is only other words for the same thing.  The rows
 * of kinds.def say which function it is.
 *
 * Reading text goes the other way round with the same function: the value
 * meant by a word is the one that is written so.  Kinds have few values,
 * therefore that is quick enough, and what is written can be read because
 * nothing else can.  Addresses are too many; theirs is the only reader that is
 * written by hand.  C is not read.
 */
#include "fuzz/wire/kinds.h"

#include <ctype.h>
#include <string.h>

/* --- writing: the text, or C if in_c is set */

/* A value that has a name, in both. */
struct name {
	const char *text;
	const char *c;
};

static void
put_name(struct out *out, bool in_c, const struct name *name)
{
	out_put(out, "%s", in_c ? name->c : name->text);
}

static const struct name regions[] = {
	[REGION_ARENA] = {"a", "a"},
	[REGION_TEXT] = {"text", "text"},
	[REGION_GUARD] = {"guard", "below_stack"},
	[REGION_NULL] = {"null", "null"},
	[REGION_EDGE] = {"edge", "edge"},
	[REGION_MAXVA] = {"maxva", "maxva"},
	[REGION_KERNEL] = {"kernel", "kernel"},
	[REGION_TOP] = {"top", "top"},
	[REGION_HOLE] = {"hole", "hole"},
};
enum { NREGIONS = sizeof(regions) / sizeof(regions[0]) };

static void
put_addr(struct out *out, bool in_c, unsigned v)
{
	unsigned page = ADDR_PAGE(v), offset = prog_places[ADDR_PLACE(v)];

	put_name(out, in_c, &regions[ADDR_REGION(v)]);
	if (in_c) {
		out_put(out, "(%u, %u)", page, offset);
		return;
	}
	if (ADDR_REGION(v) == REGION_ARENA || page != 0)
		out_put(out, "%u", page);
	if (offset != 0)
		out_put(out, "+%u", offset);
}

static void
put_number(struct out *out, bool in_c, unsigned v)
{
	(void)in_c;
	out_put(out, "%u", v);
}

static void
put_length(struct out *out, bool in_c, unsigned v)
{
	(void)in_c;
	out_put(out, "%lld", (long long)prog_lengths[v]);
}

static void
put_pages(struct out *out, bool in_c, unsigned v)
{
	(void)in_c;
	out_put(out, "%u", v + 1);
}

static void
put_access(struct out *out, bool in_c, unsigned v)
{
	static const struct name names[] = {
		{"load", "LOAD"},
		{"store", "STORE"},
		{"jump", "JUMP"},
	};

	put_name(out, in_c, &names[v]);
}

static void
put_pid(struct out *out, bool in_c, unsigned v)
{
	if (v >= PID_BAD)
		out_put(out, in_c ? "%d" : "pid:%d",
			prog_bad_pids[v - PID_BAD]);
	else if (v == PID_SELF)
		out_put(out, in_c ? "me" : "self");
	else
		out_put(out, in_c ? "pid[%u]" : "p%u", v);
}

static void
put_image(struct out *out, bool in_c, unsigned v)
{
	static const struct name names[] = {
		[IMAGE_SELF] = {"self", "IMAGE_SELF"},
		[IMAGE_ARGS] = {"args", "IMAGE_ARGS"},
		[IMAGE_LONG] = {"long", "IMAGE_LONG"},
		[IMAGE_MISSING] = {"missing", "IMAGE_MISSING"},
		[IMAGE_FILE] = {"file", "IMAGE_FILE"},
		[IMAGE_DIRECTORY] = {"directory", "IMAGE_DIRECTORY"},
		[IMAGE_BAD_PATH] = {"bad-path", "IMAGE_BAD_PATH"},
		[IMAGE_BAD_ARGV] = {"bad-argv", "IMAGE_BAD_ARGV"},
	};

	put_name(out, in_c, &names[v]);
}

static void
put_break(struct out *out, bool in_c, unsigned v)
{
	bool sign = !in_c && prog_breaks[v] > 0;

	out_put(out, sign ? "+%d" : "%d", prog_breaks[v]);
}

static void
put_eager(struct out *out, bool in_c, unsigned v)
{
	static const struct name names[] = {
		{"eager", "EAGER"},
		{"lazy", "LAZY"},
	};

	put_name(out, in_c, &names[v]);
}

static void
put_slot(struct out *out, bool in_c, unsigned v)
{
	out_put(out, in_c ? "%u" : "s%u", v);
}

static void
put_fd(struct out *out, bool in_c, unsigned v)
{
	if (v >= FD_BAD)
		out_put(out, in_c ? "%d" : "fd:%d", prog_bad_fds[v - FD_BAD]);
	else
		out_put(out, in_c ? "fd[%u]" : "s%u", v);
}

static void
put_path(struct out *out, bool in_c, unsigned v)
{
	if (prog_paths[v] == NULL)
		out_put(out, in_c ? "0" : "NULL");
	else
		out_put(out, "\"%s\"", prog_paths[v]);
}

static void
put_mode(struct out *out, bool in_c, unsigned v)
{
	static const struct name names[] = {
		{"r", "O_RDONLY"},
		{"w", "O_WRONLY"},
		{"rw", "O_RDWR"},
		{"r|create", "O_RDONLY | O_CREATE"},
		{"w|create", "O_WRONLY | O_CREATE"},
		{"rw|create", "O_RDWR | O_CREATE"},
		{"rw|create|trunc", "O_RDWR | O_CREATE | O_TRUNC"},
		{"w|trunc", "O_WRONLY | O_TRUNC"},
	};

	put_name(out, in_c, &names[v]);
}

static void
put_point(struct out *out, bool in_c, unsigned v)
{
	out_put(out, in_c ? "%u" : "m%u", v);
}

static void
put_lanes(struct out *out, bool in_c, unsigned v)
{
	const char *between = "";

	if (in_c) {
		out_put(out, "%u", v);
		return;
	}
	if (v == 0)
		out_put(out, "-");
	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		if (v & 1U << lane) {
			out_put(out, "%s%u", between, lane);
			between = ",";
		}
	}
}

static void
put_major(struct out *out, bool in_c, unsigned v)
{
	(void)in_c;
	out_put(out, "%u", prog_modes[v]);
}

static const struct kind {
	void (*put)(struct out *, bool in_c, unsigned v);
	const char *hint;
} kinds[NKINDS] = {
#define KIND(name, values, form, hint) [KIND_##name] = {put_##form, hint},
#include "fuzz/wire/kinds.def"
#undef KIND
};

void
kind_put(struct out *out, enum prog_kind kind, unsigned v)
{
	kinds[kind].put(out, false, v);
}

void
kind_put_c(struct out *out, enum prog_kind kind, unsigned v)
{
	kinds[kind].put(out, true, v);
}

const char *
kind_expected(enum prog_kind kind, char *to, size_t size)
{
	struct out out = {to, size, 0};

	if (kinds[kind].hint != NULL) {
		out_put(&out, "%s", kinds[kind].hint);
		return to;
	}
	out_put(&out, "one of");
	for (unsigned v = 0; v < kind_values[kind]; v++) {
		out_put(&out, " ");
		kind_put(&out, kind, v);
	}
	return to;
}

/* --- reading */

bool
word_number(const char *word, unsigned long max, unsigned long *number)
{
	unsigned long n = 0;

	if (*word == '\0')
		return false;
	for (; *word != '\0'; word++) {
		if (!isdigit((unsigned char)*word))
			return false;
		n = n * 10 + (unsigned long)(*word - '0');
		if (n > max)
			return false;
	}
	*number = n;
	return true;
}

static bool
read_place(const char *word, unsigned *place)
{
	unsigned long offset;

	if (!word_number(word, prog_places[PLACES - 1], &offset))
		return false;
	for (*place = 0; *place < PLACES; ++*place) {
		if (prog_places[*place] == offset)
			return true;
	}
	return false;
}

static bool
read_region(const char *word, size_t n, unsigned *region)
{
	for (unsigned i = 0; i < NREGIONS; i++) {
		const char *name = regions[i].text;

		if (name != NULL && strlen(name) == n &&
			memcmp(name, word, n) == 0) {
			*region = i;
			return true;
		}
	}
	return false;
}

/* NAME [PAGE] [+OFFSET] */
static bool
read_addr(const char *text, unsigned *v)
{
	char word[WORD_MAX], *plus, *digit = word;
	unsigned region, place = 0;
	unsigned long page = 0;

	strcpy(word, text);
	plus = strchr(word, '+');
	if (plus != NULL) {
		*plus = '\0';
		if (!read_place(plus + 1, &place))
			return false;
	}
	while (isalpha((unsigned char)*digit))
		digit++;
	if (!read_region(word, (size_t)(digit - word), &region))
		return false;
	if (*digit == '\0' ? region == REGION_ARENA
			   : !word_number(digit, ARENA_MAX - 1, &page))
		return false;
	*v = ADDR_MAKE(region, place, (unsigned)page);
	return true;
}

bool
kind_read(enum prog_kind kind, const char *word, unsigned *v)
{
	char text[2 * WORD_MAX];

	if (kind == KIND_ADDR)
		return read_addr(word, v);
	for (*v = 0; *v < kind_values[kind]; ++*v) {
		struct out out = {text, sizeof(text), 0};

		kind_put(&out, kind, *v);
		if (strcmp(text, word) == 0)
			return true;
	}
	return false;
}
