/* SPDX-License-Identifier: MIT */
/*
 * kinds.h - what arguments look like, by their kinds: in the text of a program
 * and in C.
 */
#ifndef FUZZ_WIRE_KINDS_H
#define FUZZ_WIRE_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "fuzz/wire/out.h"
#include "fuzz/wire/prog.h"

enum { WORD_MAX = 32 }; /* more than any argument has */

/* kind_put: add what a value of that kind is written as in the text. */
void kind_put(struct out *out, enum prog_kind kind, unsigned v);

/* kind_put_c: the same in C, with the names of alone.inc. */
void kind_put_c(struct out *out, enum prog_kind kind, unsigned v);

/* kind_read: the value that is written as this word, of less than WORD_MAX
 * letters; false if there is none. */
bool kind_read(enum prog_kind kind, const char *word, unsigned *v);

/* kind_expected: what words there are, for messages; returns to. */
const char *kind_expected(enum prog_kind kind, char *to, size_t size);

/* word_number: is all of word a decimal number of at most max? */
bool word_number(const char *word, unsigned long max, unsigned long *number);

#endif
