/* SPDX-License-Identifier: MIT */
/* command.h - from the words of a command line to a running program. */
#ifndef USER_LIB_COMMAND_H
#define USER_LIB_COMMAND_H

/*
 * Copy the word at *at to out, without its quotes and with a NUL, and move
 * *at behind it.  It ends at a blank or at one of the characters in stops,
 * unless they stand between ' ' or " ".  out needs as many bytes as *at has.
 * Returns the bytes written, or -1 if a quote is not closed.
 */
int word_copy(const char **at, const char *stops, char *out);

/*
 * Split line into words: copies them to out, which is at least as large as
 * line, points argv to them, and ends argv with a 0.  argv has room for max
 * pointers.  Returns 0, or what is wrong with the line.
 */
const char *command_split(const char *line, char *out, char **argv, int max);

/*
 * Run argv[0] in place of this program.  A name without a slash is looked
 * for in the current folder, in / and in /stress.  Returns only if none can
 * be executed, and then says why.
 */
const char *command_exec(char **argv);

/* Read a whole decimal number into *n; returns 0, or -1 if s is none. */
int number(const char *s, uint *n);

#endif
