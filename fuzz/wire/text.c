/* SPDX-License-Identifier: MIT */
/*
 * text.c - programs as text.
 *
 * Each kind of argument has one function, which prints a value.  Reading
 * goes the other way round with the same function: the value meant by a word
 * is the one that is printed so.  Kinds have few values, therefore that is
 * quick enough, and what is printed can be read because nothing else can.
 * Addresses are too many; theirs is the only reader that is written by hand.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/wire/text.h"

enum { WORD_MAX = 32 };

/* --- printing */

/* Text that grows; what does not fit is counted and left out. */
struct out {
	char *to;
	size_t size;
	size_t n;
};

__attribute__((format(printf, 2, 3))) static void
put(struct out *out, const char *form, ...)
{
	size_t room = out->n < out->size ? out->size - out->n : 0;
	va_list args;
	int n;

	va_start(args, form);
	n = vsnprintf(room ? out->to + out->n : NULL, room, form, args);
	va_end(args);
	out->n += (size_t)n;
}

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

	put(out, "%s", regions[region]);
	if (region == REGION_ARENA || ADDR_PAGE(v) != 0)
		put(out, "%u", ADDR_PAGE(v));
	if (ADDR_PLACE(v) != 0)
		put(out, "+%u", prog_places[ADDR_PLACE(v)]);
}

static void
put_number(struct out *out, unsigned v)
{
	put(out, "%u", v);
}

static void
put_length(struct out *out, unsigned v)
{
	put(out, "%lld", (long long)prog_lengths[v]);
}

static void
put_pages(struct out *out, unsigned v)
{
	put(out, "%u", v + 1);
}

static void
put_access(struct out *out, unsigned v)
{
	static const char *const names[] = {"load", "store", "jump"};

	put(out, "%s", names[v]);
}

static void
put_pid(struct out *out, unsigned v)
{
	if (v >= PID_BAD)
		put(out, "pid:%d", prog_bad_pids[v - PID_BAD]);
	else if (v == PID_SELF)
		put(out, "self");
	else
		put(out, "p%u", v);
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

	put(out, "%s", names[v]);
}

static void
put_break(struct out *out, unsigned v)
{
	put(out, prog_breaks[v] > 0 ? "+%d" : "%d", prog_breaks[v]);
}

static void
put_eager(struct out *out, unsigned v)
{
	put(out, "%s", v == 0 ? "eager" : "lazy");
}

static void
put_slot(struct out *out, unsigned v)
{
	put(out, "s%u", v);
}

static void
put_fd(struct out *out, unsigned v)
{
	if (v >= FD_BAD)
		put(out, "fd:%d", prog_bad_fds[v - FD_BAD]);
	else
		put_slot(out, v);
}

static void
put_path(struct out *out, unsigned v)
{
	if (prog_paths[v] == NULL)
		put(out, "NULL");
	else
		put(out, "\"%s\"", prog_paths[v]);
}

static void
put_mode(struct out *out, unsigned v)
{
	static const char *const names[] = {"r", "w", "rw", "r|create",
		"w|create", "rw|create", "rw|create|trunc", "w|trunc"};

	put(out, "%s", names[v]);
}

static void
put_point(struct out *out, unsigned v)
{
	put(out, "m%u", v);
}

static void
put_lanes(struct out *out, unsigned v)
{
	const char *between = "";

	if (v == 0)
		put(out, "-");
	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		if (v & 1U << lane) {
			put(out, "%s%u", between, lane);
			between = ",";
		}
	}
}

static void
put_major(struct out *out, unsigned v)
{
	put(out, "%u", prog_modes[v]);
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

static void
put_op(struct out *out, const struct op *op)
{
	const struct call_info *info = &prog_calls[op->call];

	put(out, "%u: %s", op->lane, info->name);
	for (unsigned i = 0; i < info->nargs; i++) {
		put(out, " ");
		kinds[info->kind[i]].put(out, op->arg[i]);
	}
	if (op->prop == PROP_FAIL)
		put(out, " fail=%u", op->n);
	else if (op->prop == PROP_KILL)
		put(out, " kill");
	else if (op->prop == PROP_ASYNC)
		put(out, " async");
}

size_t
prog_print_op(const struct op *op, char *to, size_t size)
{
	struct out out = {to, size, 0};

	put_op(&out, op);
	return out.n;
}

size_t
prog_print(const struct prog *p, char *to, size_t size)
{
	struct out out = {to, size, 0};

	put(&out, "program harts=%u seed=%u\n", p->harts, p->seed);
	for (unsigned i = 0; i < p->nops; i++) {
		put_op(&out, &p->ops[i]);
		put(&out, "\n");
	}
	return out.n;
}

/* --- reading */

/* The text, and the line of it that is being read. */
struct in {
	const char *name;
	const char *at, *end;   /* what is left of the text */
	const char *word, *eol; /* what is left of the line */
	unsigned line;
	struct out err;
};

/* Say what is wrong; always false, for the caller to return. */
__attribute__((format(printf, 2, 3))) static bool
wrong(struct in *in, const char *form, ...)
{
	char what[TEXT_ERROR];
	va_list args;

	va_start(args, form);
	vsnprintf(what, sizeof(what), form, args);
	va_end(args);
	/* The words of a broken file are any bytes. */
	for (char *c = what; *c != '\0'; c++) {
		if (!isprint((unsigned char)*c))
			*c = '?';
	}
	in->err.n = 0;
	put(&in->err, "%s:%u: %s", in->name, in->line, what);
	return false;
}

/* The next line that has a word; false at the end of the text. */
static bool
next_line(struct in *in)
{
	while (in->at < in->end) {
		size_t left = (size_t)(in->end - in->at);
		const char *nl = memchr(in->at, '\n', left);
		const char *hash;

		in->word = in->at;
		in->eol = nl != NULL ? nl : in->end;
		in->at = nl != NULL ? nl + 1 : in->end;
		in->line++;
		hash = memchr(in->word, '#', (size_t)(in->eol - in->word));
		if (hash != NULL)
			in->eol = hash;
		while (in->word < in->eol && isspace((unsigned char)*in->word))
			in->word++;
		if (in->word < in->eol)
			return true;
	}
	return false;
}

/*
 * The next word of the line; false if there is none.  A longer one than any
 * that means something is cut, and marked, so that it means nothing either.
 */
static bool
next_word(struct in *in, char word[WORD_MAX])
{
	size_t n = 0;

	while (in->word < in->eol && isspace((unsigned char)*in->word))
		in->word++;
	if (in->word == in->eol)
		return false;
	for (; in->word < in->eol && !isspace((unsigned char)*in->word);
		in->word++) {
		if (n == WORD_MAX - 1)
			word[n - 1] = '~';
		else
			word[n++] = *in->word != '\0' ? *in->word : '?';
	}
	word[n] = '\0';
	return true;
}

/* All of word is a decimal number of at most max. */
static bool
read_number(const char *word, unsigned long max, unsigned long *number)
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

	if (!read_number(word, prog_places[PLACES - 1], &offset))
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
			   : !read_number(digit, ARENA_MAX - 1, &page))
		return false;
	*v = ADDR_MAKE(region, place, (unsigned)page);
	return true;
}

/* The value of a kind that is printed as this word. */
static bool
read_value(enum prog_kind kind, const char *word, unsigned *v)
{
	char text[2 * WORD_MAX];

	if (kind == KIND_ADDR)
		return read_addr(word, v);
	for (*v = 0; *v < kind_values[kind]; ++*v) {
		struct out out = {text, sizeof(text), 0};

		kinds[kind].put(&out, *v);
		if (strcmp(text, word) == 0)
			return true;
	}
	return false;
}

/* Argument i of the call is not one of its kind. */
static bool
wrong_value(struct in *in, const struct call_info *info, unsigned i,
	const char *word)
{
	const struct kind *kind = &kinds[info->kind[i]];
	char list[TEXT_ERROR];
	struct out out = {list, sizeof(list), 0};

	if (kind->hint != NULL) {
		put(&out, " %s", kind->hint);
	} else {
		put(&out, " one of");
		for (unsigned v = 0; v < kind_values[info->kind[i]]; v++) {
			put(&out, " ");
			kind->put(&out, v);
		}
	}
	return wrong(in, "argument %u of %s is '%s', expected%s", i + 1,
		info->name, word, list);
}

static bool
read_args(struct in *in, struct op *op)
{
	const struct call_info *info = &prog_calls[op->call];
	char word[WORD_MAX];
	unsigned v;

	for (unsigned i = 0; i < info->nargs; i++) {
		enum prog_kind kind = info->kind[i];

		if (!next_word(in, word))
			return wrong(in, "%s has %u argument%s, expected %u",
				info->name, i, i == 1 ? "" : "s", info->nargs);
		if (!read_value(kind, word, &v))
			return wrong_value(in, info, i, word);
		op->arg[i] = (uint16_t)v;
	}
	return true;
}

static bool
read_prop(struct in *in, struct op *op)
{
	char word[WORD_MAX];
	unsigned long n;

	if (!next_word(in, word))
		return true;
	if (op->call == CALL_meet || op->call == CALL_audit)
		return wrong(in, "'%s' behind %s, expected nothing more", word,
			prog_calls[op->call].name);
	if (strcmp(word, "kill") == 0) {
		op->prop = PROP_KILL;
	} else if (strcmp(word, "async") == 0) {
		op->prop = PROP_ASYNC;
	} else if (strncmp(word, "fail=", 5) == 0) {
		if (!read_number(word + 5, FAIL_MAX, &n) || n == 0)
			return wrong(in, "'%s', expected fail=1 to fail=%d",
				word, FAIL_MAX);
		op->prop = PROP_FAIL;
		op->n = (uint8_t)n;
	} else {
		return wrong(in,
			"'%s' behind the arguments, expected fail=N, "
			"kill, async or the end of the line",
			word);
	}
	if (next_word(in, word))
		return wrong(in, "'%s', expected the end of the line", word);
	return true;
}

static bool
read_call(const char *word, uint8_t *call)
{
	for (unsigned i = 0; i < NCALLS; i++) {
		if (strcmp(prog_calls[i].name, word) == 0) {
			*call = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static bool
wrong_call(struct in *in, const char *word)
{
	char list[TEXT_ERROR];
	struct out out = {list, sizeof(list), 0};

	for (unsigned i = 0; i < NCALLS; i++)
		put(&out, " %s", prog_calls[i].name);
	return wrong(in, "no call '%s', expected one of%s", word, list);
}

/* LANE: call arguments [property] */
static bool
read_op(struct in *in, struct op *op)
{
	char word[WORD_MAX];

	if (!next_word(in, word) || word[0] < '0' ||
		word[0] >= '0' + LANES_MAX || strcmp(word + 1, ":") != 0)
		return wrong(in, "'%s', expected a lane: 0: to 7:", word);
	op->lane = (uint8_t)(word[0] - '0');
	if (!next_word(in, word))
		return wrong(in, "lane without a call, expected one behind it");
	if (!read_call(word, &op->call))
		return wrong_call(in, word);
	if (!read_args(in, op) || !read_prop(in, op))
		return false;
	if (op->call == CALL_fork && op->arg[0] <= op->lane)
		return wrong(in, "lane %u forks lane %u, expected %s", op->lane,
			op->arg[0], kinds[KIND_LANE].hint);
	return true;
}

/* program harts=N seed=N */
static bool
read_head(struct in *in, struct prog *p)
{
	char word[3][WORD_MAX];
	unsigned long harts, seed;
	unsigned n = 0;

	while (n < 3 && next_word(in, word[n]))
		n++;
	if (n != 3 || next_word(in, word[0]) ||
		strcmp(word[0], "program") != 0 ||
		strncmp(word[1], "harts=", 6) != 0 ||
		!read_number(word[1] + 6, 8, &harts) || harts == 0 ||
		strncmp(word[2], "seed=", 5) != 0 ||
		!read_number(word[2] + 5, UINT32_MAX, &seed))
		return wrong(in,
			"bad head, expected: program harts=1 seed=0 "
			"(harts up to 8, seed up to %u)",
			UINT32_MAX);
	p->harts = (uint8_t)harts;
	p->seed = (uint32_t)seed;
	return true;
}

static bool
read_program(struct in *in, struct prog *p)
{
	memset(p, 0, sizeof(*p));
	if (!next_line(in)) {
		in->line++;
		return wrong(in, "no program, expected a first line like: "
				 "program harts=1 seed=0");
	}
	if (!read_head(in, p))
		return false;
	while (next_line(in)) {
		if (p->nops == OPS_MAX)
			return wrong(in,
				"one operation too many, expected at "
				"most %d",
				OPS_MAX);
		if (!read_op(in, &p->ops[p->nops++]))
			return false;
	}
	return true;
}

int
prog_parse(struct prog *p, const char *name, const char *text, size_t n,
	char *err, size_t size)
{
	struct in in = {.name = name,
		.at = text,
		.end = text + n,
		.err = {err, size, 0}};

	if (size > 0)
		err[0] = '\0';
	return read_program(&in, p) ? 0 : -1;
}
