/* SPDX-License-Identifier: MIT */
/*
 * options.h - command lines.  Every subcommand has the options of the machine
 * and a table of its own.
 */
#ifndef FUZZ_HOST_OPTIONS_H
#define FUZZ_HOST_OPTIONS_H

#include "fuzz/host/vm.h"

enum option_type {
	OPTION_FLAG,   /* to is a bool */
	OPTION_NUMBER, /* to is an unsigned, from min to max */
	OPTION_TEXT,   /* to is a const char * */
};

struct option_row {
	const char *name; /* without the dashes; NULL ends a table */
	enum option_type type;
	void *to;
	const char *arg;  /* what the argument is called; NULL for flags */
	const char *what; /* for --help */
	unsigned min;
	unsigned max;
};

enum { EXIT_GOOD, EXIT_FINDING, EXIT_BROKEN };

/*
 * options_parse: read argv, whose first word is the subcommand.  Fills *vm,
 * with defaults beside the executable, and what own's rows point at; own may
 * be NULL.  Operands are moved to the end; returns the index of the first.
 *
 * usage names the operands, what is the subcommand in one line.  Ends the
 * process: with EXIT_GOOD after --help, with EXIT_BROKEN and one line after
 * a wrong option.
 */
int options_parse(struct vm_config *vm, const struct option_row *own,
	const char *usage, const char *what, int argc, char **argv);

/* options_fail: one line to stderr, then the end with EXIT_BROKEN. */
_Noreturn void options_fail(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
