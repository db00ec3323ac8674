/* SPDX-License-Identifier: MIT */
/*
 * run.h - one program from start to end.
 */
#ifndef FUZZ_GUEST_RUN_H
#define FUZZ_GUEST_RUN_H

#include <stdbool.h>
#include <stdint.h>

/* run_prepare: the arena. */
void run_prepare(void);

/* The folder that programs work in, with the same in it each time. */
void run_prepare_files(void);

/*
 * run_guard: start the process that ends what has got stuck, after so many
 * ticks; its id.  Every process that is started later is ended.
 */
int run_guard(int ticks);

/*
 * run_program: run prog; with that many free pages, 0 if nobody knows.  The
 * caller is the parent of the root lanes, not of orphans.
 */
void run_program(int guard, uint64_t free_pages);

/*
 * The same under the monitor, in two processes.  run_lanes: in the runner,
 * which is the lowest root lane from then on.  run_watch: in init, its
 * parent, which orphans come to, from before there is a program until all
 * that comes of it has ended; `load` fetches the program, and if it cannot,
 * nobody's end is judged.
 */
void run_lanes(uint64_t free_pages) __attribute__((noreturn));
void run_watch(int guard, int runner, uint64_t free_pages, bool (*load)(void));

#endif
