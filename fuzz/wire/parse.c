/* SPDX-License-Identifier: MIT */
/*
 * parse.c - a program out of its text.
 *
 * The text is read by lines, and a line by words.  Who finds something wrong
 * says so by wrong(), and all above it return at once: the first mistake is
 * the message.  The file may be anything, so words are cut, and messages are
 * made printable.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/wire/kinds.h"
#include "fuzz/wire/text.h"

/* --- lines and words */

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
	out_put(&in->err, "%s:%u: %s", in->name, in->line, what);
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

/* --- operations */

/* Argument i of the call is not one of its kind. */
static bool
wrong_value(struct in *in, const struct call_info *info, unsigned i,
	const char *word)
{
	char list[TEXT_ERROR];

	return wrong(in, "argument %u of %s is '%s', expected %s", i + 1,
		info->name, word,
		kind_expected(info->kind[i], list, sizeof(list)));
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
		if (!kind_read(kind, word, &v))
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
		if (!word_number(word + 5, FAIL_MAX, &n) || n == 0)
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
		out_put(&out, " %s", prog_calls[i].name);
	return wrong(in, "no call '%s', expected one of%s", word, list);
}

static bool
wrong_lane(struct in *in, const struct op *fork)
{
	char list[TEXT_ERROR];

	return wrong(in, "lane %u forks lane %u, expected %s", fork->lane,
		fork->arg[0], kind_expected(KIND_LANE, list, sizeof(list)));
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
		return wrong_lane(in, op);
	return true;
}

/* --- the whole */

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
		!word_number(word[1] + 6, 8, &harts) || harts == 0 ||
		strncmp(word[2], "seed=", 5) != 0 ||
		!word_number(word[2] + 5, UINT32_MAX, &seed))
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
