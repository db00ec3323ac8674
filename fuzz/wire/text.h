/* SPDX-License-Identifier: MIT */
/*
 * text.h - programs as people read and write them, for the host only.
 *
 *	# Both sides of a fork write the page that they share.
 *	program harts=2 seed=7
 *	0: store a0 4096
 *	0: fork 1
 *	1: store a0+8 100 fail=1
 *	0: wait null
 *
 * The first line that is not a comment is the head; each further one is an
 * operation: its lane, the call, the arguments, and what it is done with, if
 * anything (fail=N, kill or async).  Every tidy program has one text, and
 * that text is read back as the same program.
 *
 * Arguments, by their kinds:
 *	ADDR    a3, a3+8: page of the arena and offset; with text, guard, null,
 *	        edge, maxva, kernel, top or hole for the a it is hostile, and
 *	        page 0 needs no number
 *	PID     p1: the latest process of lane 1; self; pid:-1
 *	FD      s0: what slot 0 holds; fd:-1
 *	PATH    "d/e", or NULL for a bad pointer
 *	LANES   0,1,2, or - for none
 * and of the others one of a few words or numbers, which the message about a
 * wrong one lists.
 */
#ifndef FUZZ_WIRE_TEXT_H
#define FUZZ_WIRE_TEXT_H

#include <stddef.h>
#include <stdio.h>

#include "fuzz/wire/prog.h"

enum {
	TEXT_LINE = 120,                      /* more than any line has */
	TEXT_MAX = (OPS_MAX + 1) * TEXT_LINE, /* more than any program has */
	TEXT_ERROR = 512,                     /* room for any message */
};

/*
 * prog_print: the text of a tidy program, NUL-terminated, into at most size
 * bytes.  Returns the length of all of it, like snprintf.
 */
size_t prog_print(const struct prog *p, char *to, size_t size);

/* prog_print_op: the same of one operation, without the end of the line. */
size_t prog_print_op(const struct op *op, char *to, size_t size);

/*
 * prog_parse: a program from n bytes of text.  Returns 0; or -1, and then err
 * holds one line "name:LINE: what is wrong, and what is expected".
 */
int prog_parse(struct prog *p, const char *name, const char *text, size_t n,
	char *err, size_t size);

/*
 * prog_load: a program out of a file of either form; "-" is standard input.
 * Returns as prog_parse() does.
 */
int prog_load(struct prog *p, const char *path, char *err, size_t size);

/*
 * prog_to_c: write p as a C file of its own for any xv6-like kernel; name is
 * for its comments.  Returns 0, or -1 if writing failed.
 */
int prog_to_c(const struct prog *p, const char *name, FILE *to);

#endif
