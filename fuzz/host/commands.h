/* SPDX-License-Identifier: MIT */
/*
 * commands.h - the subcommands of stampede-fuzz.  Each takes its own command
 * line, whose first word is its name, and returns the exit status: one of
 * options.h.
 */
#ifndef FUZZ_HOST_COMMANDS_H
#define FUZZ_HOST_COMMANDS_H

int afl_main(int argc, char **argv);
int run_main(int argc, char **argv);
int corpus_main(int argc, char **argv);

/* The tests link only a part of the tool: what is missing is not offered. */
__attribute__((weak)) int minimize_main(int argc, char **argv);
__attribute__((weak)) int triage_main(int argc, char **argv);
__attribute__((weak)) int repro_main(int argc, char **argv);
__attribute__((weak)) int findings_main(int argc, char **argv);
__attribute__((weak)) int coverage_main(int argc, char **argv);
__attribute__((weak)) int bench_main(int argc, char **argv);

#endif
