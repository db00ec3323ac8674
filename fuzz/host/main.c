/* SPDX-License-Identifier: MIT */
/*
 * main.c - stampede-fuzz: all that is done with a kernel under the monitor.
 * To add a subcommand, add a row and a function.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz/host/commands.h"
#include "fuzz/host/options.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{"afl", afl_main, "run what afl-fuzz, afl-cmin or afl-showmap sends"},
	{"run", run_main, "run programs and say what they do"},
	{"corpus", corpus_main, "run all programs in folders, name failures"},
	{"minimize", minimize_main,
		"make a failing program as small as it goes"},
	{"triage", triage_main, "turn failing inputs into findings"},
	{"repro", repro_main, "run one program and show all that is known"},
	{"findings", findings_main, "list the findings"},
	{"coverage", coverage_main, "which code of the kernel programs reach"},
	{"bench", bench_main, "measure executions a second"},
};

enum { NCOMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void
print_commands(FILE *to)
{
	fputs("usage: stampede-fuzz COMMAND [options] [FILE...]\n\n", to);
	for (unsigned i = 0; i < NCOMMANDS; i++) {
		if (commands[i].run != NULL)
			fprintf(to, "  %-10s %s\n", commands[i].name,
				commands[i].what);
	}
	fputs("\nEach says more with --help.\n", to);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 ||
				strcmp(argv[1], "-h") == 0)) {
		print_commands(stdout);
		return EXIT_GOOD;
	}
	for (unsigned i = 0; argc > 1 && i < NCOMMANDS; i++) {
		if (commands[i].run != NULL &&
			strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "stampede-fuzz: %s%s; see stampede-fuzz --help\n",
		argc > 1 ? "no such command: " : "give a command",
		argc > 1 ? argv[1] : "");
	return EXIT_BROKEN;
}
