/* SPDX-License-Identifier: MIT */
/*
 * kinds.c - what arguments look like in the text of a program.
 *
 * Each kind of argument has one function, which prints a value.  Reading
 * goes the other way round with the same function: the value meant by a word
 * is the one that is printed so.  Kinds have few values, therefore that is
 * quick enough, and what is printed can be read because nothing else can.
 * Addresses are too many; theirs is the only reader that is written by hand.
 */
#include "fuzz/wire/kinds.h"

#include <ctype.h>
#include <string.h>

/* --- printing */

static const char *const regions[] = {
	[REGION_ARENA] = "a",
	[REGION_TEXT] = "text",
	[REGION_GUARD] = "guard",
	[REGION_NULL] = "null",
	[REGION_EDGE] = "edge",
	[REGION_MAXVA] = "maxva",
	[REGION_KERNEL] = "kernel",
	[REGION_TOP] = "top",
	[REGION_HOLE] = "hole",
};
enum { NREGIONS = sizeof(regions) / sizeof(regions[0]) };

static void
put_addr(struct out *out, unsigned v)
{
	enum prog_region region = ADDR_REGION(v);

	out_put(out, "%s", regions[region]);
	if (region == REGION_ARENA || ADDR_PAGE(v) != 0)
		out_put(out, "%u", ADDR_PAGE(v));
	if (ADDR_PLACE(v) != 0)
		out_put(out, "+%u", prog_places[ADDR_PLACE(v)]);
}

static void
put_number(struct out *out, unsigned v)
{
	out_put(out, "%u", v);
}

static void
put_length(struct out *out, unsigned v)
{
	out_put(out, "%lld", (long long)prog_lengths[v]);
}

static void
put_pages(struct out *out, unsigned v)
{
	out_put(out, "%u", v + 1);
}

static void
put_access(struct out *out, unsigned v)
{
	static const char *const names[] = {"load", "store", "jump"};

	out_put(out, "%s", names[v]);
}

static void
put_pid(struct out *out, unsigned v)
{
	if (v >= PID_BAD)
		out_put(out, "pid:%d", prog_bad_pids[v - PID_BAD]);
	else if (v == PID_SELF)
		out_put(out, "self");
	else
		out_put(out, "p%u", v);
}

static void
put_image(struct out *out, unsigned v)
{
	static const char *const names[] = {
		[IMAGE_SELF] = "self",
		[IMAGE_ARGS] = "args",
		[IMAGE_LONG] = "long",
		[IMAGE_MISSING] = "missing",
		[IMAGE_FILE] = "file",
		[IMAGE_DIRECTORY] = "directory",
		[IMAGE_BAD_PATH] = "bad-path",
		[IMAGE_BAD_ARGV] = "bad-argv",
	};

	out_put(out, "%s", names[v]);
}

static void
put_break(struct out *out, unsigned v)
{
	out_put(out, prog_breaks[v] > 0 ? "+%d" : "%d", prog_breaks[v]);
}

static void
put_eager(struct out *out, unsigned v)
{
	out_put(out, "%s", v == 0 ? "eager" : "lazy");
}

static void
put_slot(struct out *out, unsigned v)
{
	out_put(out, "s%u", v);
}

static void
put_fd(struct out *out, unsigned v)
{
	if (v >= FD_BAD)
		out_put(out, "fd:%d", prog_bad_fds[v - FD_BAD]);
	else
		put_slot(out, v);
}

static void
put_path(struct out *out, unsigned v)
{
	if (prog_paths[v] == NULL)
		out_put(out, "NULL");
	else
		out_put(out, "\"%s\"", prog_paths[v]);
}

static void
put_mode(struct out *out, unsigned v)
{
	static const char *const names[] = {"r", "w", "rw", "r|create",
		"w|create", "rw|create", "rw|create|trunc", "w|trunc"};

	out_put(out, "%s", names[v]);
}

static void
put_point(struct out *out, unsigned v)
{
	out_put(out, "m%u", v);
}

static void
put_lanes(struct out *out, unsigned v)
{
	const char *between = "";

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
put_major(struct out *out, unsigned v)
{
	out_put(out, "%u", prog_modes[v]);
}

/* hint: what there is, where a list of all would be too long. */
static const struct kind {
	void (*put)(struct out *, unsigned);
	const char *hint;
} kinds[NKINDS] = {
	[KIND_ADDR] = {put_addr,
		"a0 to a63, text, guard, null, edge, maxva, kernel, top or "
		"hole, and if need be an offset: +8 +2048 +4088 +1 +512 +4092 "
		"+4095"},
	[KIND_LEN] = {put_length, NULL},
	[KIND_PAGES] = {put_pages, "pages: 1 to 16"},
	[KIND_ACCESS] = {put_access, NULL},
	[KIND_LANE] = {put_number, "a lane above the caller's, up to 7"},
	[KIND_STATUS] = {put_number, "a status: 0 to 255"},
	[KIND_PID] = {put_pid, NULL},
	[KIND_IMAGE] = {put_image, NULL},
	[KIND_BREAK] = {put_break, NULL},
	[KIND_EAGER] = {put_eager, NULL},
	[KIND_TICKS] = {put_number, NULL},
	[KIND_SLOT] = {put_slot, "a slot: s0 to s7"},
	[KIND_FD] = {put_fd, NULL},
	[KIND_PATH] = {put_path, NULL},
	[KIND_MODE] = {put_mode, NULL},
	[KIND_POINT] = {put_point, "a meeting point: m0 to m7"},
	[KIND_LANES] = {put_lanes, "lanes, like 0,1,2, or -"},
	[KIND_MAJOR] = {put_major, NULL},
};

void
kind_put(struct out *out, enum prog_kind kind, unsigned v)
{
	kinds[kind].put(out, v);
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
		if (regions[i] != NULL && strlen(regions[i]) == n &&
			memcmp(regions[i], word, n) == 0) {
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
