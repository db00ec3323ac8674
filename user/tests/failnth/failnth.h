/* SPDX-License-Identifier: MIT */
/*
 * failnth.h - what a scenario is made of.
 *
 * A scenario is a function that does one thing, by TRY() with a fault in it,
 * and then tells how that ended.  It runs in a process of its own, once for
 * each allocation that the kernel makes in that one thing.
 *
 *	WORKED   it was done, whatever could not be had
 *	FAILED   it was refused, and all was as before: the scenario looks
 *
 * A scenario with the flag DIES may be killed instead: nobody can be told
 * that a load or a store did not work.
 */
#ifndef FAILNTH_H
#define FAILNTH_H

#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "kernel/memlayout.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/stampede.h"

/* Exit statuses of a scenario; EXPECT() ends it with BAD. */
enum { BAD = 1, BROKEN = 2, WORKED = 10, FAILED = 11 };

enum { DIES = 1 };

struct scenario {
	const char *name;
	int (*run)(void);
	int flags;
};

/* Each file has a list, which ends with a NULL name. */
extern const struct scenario fork_scenarios[];
extern const struct scenario exec_scenarios[];
extern const struct scenario fault_scenarios[];
extern const struct scenario copy_scenarios[];
extern const struct scenario sbrk_scenarios[];
extern const struct scenario file_scenarios[];
extern const struct scenario call_scenarios[];

/* Which allocation is to fail; 0: none. */
extern int nth;

/*
 * TRY: the value of an expression, evaluated with the fault.  The pages that
 * it stores to without saying so are made the process's own before.
 */
#define TRY(expr)                                                              \
	({                                                                     \
		__typeof__(expr) try_value;                                    \
		own_pages();                                                   \
		failnth(nth);                                                  \
		try_value = (expr);                                            \
		failnth(0);                                                    \
		try_value;                                                     \
	})

void own_pages(void);

#define EXPECT(cond)                                                           \
	((cond) ? (void)0 : expect_failed(__FILE__, __LINE__, #cond, BAD))

/* What the scenario needs before it can begin. */
#define MUST(cond)                                                             \
	((cond) ? (void)0 : expect_failed(__FILE__, __LINE__, #cond, BROKEN))

void expect_failed(const char *file, int line, const char *what, int status)
	__attribute__((noreturn));

/*
 * Memory that the scenario shares with its parent, page tables and all:
 * ARENA_UNITS times what one page table maps.  Of each unit the first
 * ARENA_PAGES pages have contents, the next as many are promised by the
 * kernel but were never touched, and nobody asked for the rest yet.
 */
enum {
	UNIT = HEAP_ALIGN,
	ARENA_UNITS = 3,
	ARENA_PAGES = 8,
};
extern char *arena; /* begins with a unit */
void arena_make(void);
int arena_intact(void); /* the pages with contents have them */

/* A page of the arena by its kind; each is in the given unit. */
char *page_full(int unit, int i);
char *page_promised(int unit, int i);
char *page_empty(int unit, int i);

/* What every scenario with files may make; removed before each. */
#define FILE_A "fn.a"
#define FILE_B "fn.b"
#define DIR_A  "fn.d"

/* Make FILE_A of size bytes, all of them c. */
void file_make(int size, char c);
/* FILE_A has size bytes, the first n of them c. */
int file_has(int size, int n, char c);

/* Descriptor fd is free, and all below it are in use. */
int fd_is_next(int fd);

extern char box[2 * PGSIZE]; /* own_pages() makes it the process's own */

#endif
