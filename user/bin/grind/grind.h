/* SPDX-License-Identifier: MIT */
/*
 * grind.h - what an operation is made of.
 *
 * An operation is a function op_NAME() and a row in worker.c.  It does
 * something with system calls, compares every result with what the model
 * says, and brings the model up to date.
 */
#ifndef GRIND_H
#define GRIND_H

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/memlayout.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "kernel/stat.h"
#include "user/user.h"

enum {
	FAIL = 1,         /* exit status of a worker that found something */
	OPS_PER_BEAT = 8, /* operations that a beat stands for */
	CALL_MAX = 1000,  /* bytes of one read or write */
};

/* ---- check.c */

extern uint seed;
extern int worker;          /* number of this one */
extern int beat;            /* where to write beats */
extern const char *step;    /* the operation that is being done */
extern uint64 nops, nlacks; /* operations; calls that lacked something */

void fail(const char *what, long got, long want) __attribute__((noreturn));
void expect(const char *what, long got, long want);

/* Did the call fail, as one may that needs what all processes share? */
int lacks(long got);

/* Wait for the only child there is, and check who and how. */
void expect_child(int pid, int status);

/* ---- random.c */

extern uint64 rng; /* the counter; mix(rng) draws nothing */

uint64 mix(uint64 x);
uint draw(uint n); /* a random number below n */

/* ---- file.c */

extern uchar buf[CALL_MAX + 64]; /* for whoever needs it */

void op_open(void);
void op_close(void);
void op_dup(void);
void op_read(void);
void op_write(void);
void op_fstat(void);
void op_link(void);
void op_unlink(void);
void op_fill(void);
void count_descriptors(void); /* at the start: how many op_fill() finds */
void close_files(void);
void remove_files(void);

/* ---- folder.c */

void enter_folder(void);
void leave_folder(void);
void op_folder(void);
void op_device(void);

/* ---- memory.c */

enum { ARENA_PAGES = 12 };

extern uint64 arena[ARENA_PAGES][PGSIZE / sizeof(uint64)];

void stamp_arena(uint64 stamp);
void check_arena(const char *who);
void op_sbrk(void);
void op_stray(void);

/* ---- process.c */

void op_fork(void);
void op_orphan(void);
void op_kill(void);
void op_exec(void);
void op_time(void);

/* ---- pipe.c */

void op_pipe(void);

/* ---- refusal.c */

void op_badfd(void);
void op_badptr(void);

/* ---- worker.c */

/* What a worker does, to its end; worker and beat are set. */
void work(void) __attribute__((noreturn));

#endif
