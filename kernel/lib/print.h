/* SPDX-License-Identifier: MIT */
/* print.h - kernel messages, and the end of the world. */
#ifndef KERNEL_LIB_PRINT_H
#define KERNEL_LIB_PRINT_H

#include <stdbool.h>

/*
 * printf: format to the console: %d %u %x %ld %lu %lx %p %s %c %%, with
 * width, '-' and '0'.  One call's text is not mixed with another's.
 */
void printf(const char *fmt, ...) __attribute__((format(__printf__, 1, 2)));

/* snprintf: the same into buf of size bytes; returns the length it took. */
int snprintf(char *buf, unsigned long size, const char *fmt, ...)
	__attribute__((format(__printf__, 3, 4)));

/*
 * panic: stop everything.  what is constant text "who: what", so that
 * reports group; data is the number that helps most.  Prints both with the
 * hart, the process and a symbolised backtrace, stops the other harts, and
 * ends QEMU with a failing status if the machine was booted by a script
 * (boot argument `batch`) or else halts.  May be called in any context.
 */
void panic(const char *what, unsigned long data)
	__attribute__((noreturn, cold));

/* [atomic] Not 0 once any hart panics: locks are then best effort. */
extern int panicked;

/*
 * panic_stop: stop this hart for ever, because another one panicked; shows
 * what this one was doing, in its turn.  For the software interrupt and for
 * loops that wait for a lock; any context.  at_rest: it has nothing half done.
 */
void panic_stop(bool at_rest) __attribute__((noreturn, cold));

/*
 * backtrace: print the callers of the frame pointer fp, one a line, as
 * far as they lie on the kernel stack [fp, stack_top).
 */
void backtrace(unsigned long fp);

/* print_frame: line n of a backtrace, of the call that returns to pc. */
void print_frame(int n, unsigned long pc);

/*
 * ksym_find: the name of the function that contains pc, and in *offset the
 * distance from its start; NULL if pc is in none.
 */
const char *ksym_find(unsigned long pc, unsigned long *offset);

#endif
