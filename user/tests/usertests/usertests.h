/* SPDX-License-Identifier: MIT */
/*
 * usertests.h - what a test may use.
 *
 * A test is a function test_NAME() and a row in tests.def.  It runs in a
 * process of its own, in an empty directory of its own, and passes by
 * returning.  It need not remove its files, but it must wait for what it
 * counts on: when it is over, pages, processes, files, inodes and pipes are
 * counted against what there was before.
 *
 * A user stack has USERSTACK pages, so anything big is static.
 */
#ifndef USERTESTS_H
#define USERTESTS_H

#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "kernel/memlayout.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/stampede.h"

#define NELEM(a) ((int)(sizeof(a) / sizeof((a)[0])))

enum group { QUICK, COW, SLOW, NGROUP };

#define TEST(group, name, what) void test_##name(void);
#include "user/tests/usertests/tests.def"
#undef TEST

/* ---- expect.c: a check that fails says where and ends the process with 1 */

#define EXPECT(cond)                                                           \
	((cond) ? (void)0 : expect_failed(__FILE__, __LINE__, #cond))

/* The same for integers; tells the value that was there instead. */
#define EXPECT_EQ(got, want)                                                   \
	expect_eq(__FILE__, __LINE__, #got " == " #want, (long)(got),          \
		(long)(want))

/* Fork, and fail the test if that fails. */
#define FORK() fork_at(__FILE__, __LINE__)

/* Wait for one child, which must be pid and have ended with status. */
#define EXPECT_EXIT(pid, status)                                               \
	expect_exit(__FILE__, __LINE__, (pid), 1, (status))

/* Wait for n children, each of which must have ended with status. */
#define EXPECT_EXITS(n, status)                                                \
	expect_exit(__FILE__, __LINE__, 0, (n), (status))

/* fn(arg), called in a child, must get the child killed by the kernel. */
#define EXPECT_KILLED(fn, arg)                                                 \
	expect_killed(__FILE__, __LINE__, #fn, (fn), (uint64)(arg))

void expect_failed(const char *file, int line, const char *what)
	__attribute__((noreturn));
void expect_eq(
	const char *file, int line, const char *what, long got, long want);
void expect_exit(const char *file, int line, int pid, int n, int want);
void expect_killed(const char *file, int line, const char *what,
	void (*fn)(uint64), uint64 arg);
int fork_at(const char *file, int line);

/* ---- data.c: bytes, files and addresses to test with */

#define SCRATCH (8 * BSIZE)
extern char scratch[SCRATCH]; /* any test's; nothing is kept in it */

/* Where no process has memory, whatever the kernel's layout. */
#define NNOWHERE 8
extern const uint64 nowhere[NNOWHERE];

/*
 * A pattern is a function of a tag and a position, so that a byte of another
 * writer, or of another place, is seen.  fill() stores the n bytes of the
 * pattern from position at on; filled() is true if they are there.
 */
void fill(void *p, uint64 at, int n, uint tag);
int filled(const void *p, uint64 at, int n, uint tag);

/* The same for memory too large for that: a few words of each page. */
void stamp(char *p, uint64 bytes, uint64 tag);
int stamped(const char *p, uint64 bytes, uint64 tag);
int zeroed(const char *p, uint64 bytes);

/* Make a file of size bytes of the pattern; true if path holds just that. */
void make_file(const char *path, int size, uint tag);
int file_is(const char *path, int size, uint tag);
long file_size(const char *path); /* -1: cannot be opened */
int file_links(const char *path); /* -1: cannot be opened */

/* Entries of the directory, "." and ".." left out. */
int dir_count(const char *path);

/* "prefix" and the number, in buf, which has DIRSIZ + 1 bytes; returns it. */
const char *nth(char *buf, const char *prefix, int n);

/* Next number of a generator whose state starts as the seed. */
uint next_random(uint *state);

/* Bytes of physical memory that are free, or a guess on other kernels. */
uint64 free_memory(void);

/* Grow the heap by at least n bytes up to a page boundary; returns that. */
char *heap_edge(int n);

/* An address on the guard page below the stack. */
uint64 guard_page(void);

void peek(uint64 va); /* load a byte from there */
void poke(uint64 va); /* store a byte there */

/* A pipe, or the test fails. */
void make_pipe(int fds[2]);

/* Block until the writer says something or is gone; true if it said c. */
int heard(int fd, char c);
void say(int fd, char c);

/*
 * Exec argv[0] in a child with its standard output in buf, NUL-terminated.
 * Returns the child's exit status.
 */
int run_program(char *const argv[], char *buf, int size);

/* ---- cow.c: run by main() in a fresh process, for cow_exec */
int data_is_as_linked(void);

/* ---- hog.c: no memory left */

/*
 * Start n workers, all of them while there is memory.  Then for k = 0, 1, ...
 * leave just k pages free in the whole machine and let one worker call
 * fn(k) and exit 0.  Being killed for lack of memory is legal; any other end,
 * and above all a check of fn that fails, fails the test.
 */
void under_pressure(int n, void (*fn)(int k));

/* ---- census.c: what there is in the machine */

struct census {
	int exact; /* counted by the kernel; the rest is then valid */
	long pages;
	long procs;
	long files;
	long inodes;
	long pipes;
};

void census_take(struct census *c);

/*
 * True if what there is now is what there was then.  Orphans may still be on
 * their way out: waits for them, within a bound.  Says what differs.
 */
int census_settled(const struct census *before);

/* Pages that one process can get: the measure on kernels without kstat. */
long pages_by_sbrk(void);

#endif
