/* SPDX-License-Identifier: MIT */
/*
 * stress.h - what a stress case is made of.
 *
 * One file stress/NAME.c is one program, /stress/NAME.  It describes itself
 * with STRESS() and is otherwise a set of patterns: functions that set up
 * one kind of trouble, run it, check what came of it, and return.  The
 * library's main() (run.c) does the rest.
 *
 *	NAME [-s seed] [-t seconds] [-n children] [-o pattern] [-p] [-x]
 *
 * Every pattern runs in a process of its own, in rounds: all patterns once,
 * and again, until the time is up.  So even a run of one second has tried
 * everything once.  A pattern that repeats itself asks more() whether its
 * slice of the time has passed.
 *
 * Verdicts: a case ends as passed (exit status 0), failed (1: the kernel did
 * something it must not), broken (2: the case could not be set up) or
 * skipped (3: the machine is too small).  Children hand their verdict to
 * their parent in the exit status, and with it how many operations they did:
 * OPS_BASE plus that number means passed.
 *
 * The user stack is a single page: keep locals small, and do not recurse.
 */
#ifndef STRESS_H
#define STRESS_H

#include <stddef.h>
#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/memlayout.h"
#include "user/user.h"
#include "user/stampede.h"

enum verdict { PASS, FAIL, BROKEN, SKIPPED, NVERDICT };

enum {
	OPS_BASE = 64,       /* exit status of a child: this + operations */
	OPS_MAX = 1 << 30,   /* more are not counted */
	TICKS = 10,          /* of uptime() a second */
	WORDS = PGSIZE / 8,  /* of a page */
	UNIT = 2 << 20,      /* bytes that one leaf page table maps */
	ROOM_PER_CHILD = 16, /* pages to allow for one process; an estimate */
	MAX_PATTERNS = 12,   /* of a case, and an empty one at the end */
};

#define ARRAY_LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* ---- the case itself */

struct pattern {
	const char *name;
	void (*run)(void);
};

struct stress {
	const char *name;
	const char *what; /* one line: what must never happen, or always */
	int children;     /* default of -n; 0: two for each hart, 4 to 16 */
	int pages;        /* skipped with fewer free pages than this; or 0 */
	int files;        /* runs in a directory of its own, kept empty */
	void (*prepare)(void); /* before the first round, or NULL */
	void (*finish)(void);  /* after the last, or NULL */
	struct pattern patterns[MAX_PATTERNS]; /* ends with a NULL name */
};

/* STRESS(id, the other members...): what a case file ends with. */
#define STRESS(id, ...)                                                        \
	const struct stress stress_case = {.name = #id, __VA_ARGS__}

extern const struct stress stress_case;

/* ---- run.c: the run as patterns see it */

struct run {
	uint64 seed;   /* of the whole run */
	uint64 stream; /* what this process's numbers derive from */
	int seconds;
	int children; /* how many processes to use at a time */
	int harts;
	int end;       /* uptime() at which the run is over */
	int slice_end; /* uptime() at which the running pattern should stop */
	int ops;       /* operations this process and its children did */
	int top;       /* this is the process that prints the verdict */
	int progress;  /* -p */
	int alone;     /* -x: nothing else runs, so pages can be counted */
	const char *only;    /* -o: run this pattern alone */
	const char *pattern; /* the one that runs, for messages */
};

extern struct run run;

int more(void);
void leave(void) __attribute__((noreturn));
void self_path(char path[32]);

/* ---- say.c: output and verdicts; a message is one write */

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void last_line(enum verdict v);
void verdict_at(enum verdict v, const char *file, int line, const char *fmt,
	...) __attribute__((format(printf, 4, 5), noreturn));

/* The kernel is wrong unless cond holds: say so with numbers, and end. */
#define EXPECT(cond, ...)                                                      \
	do {                                                                   \
		if (!(cond))                                                   \
			verdict_at(FAIL, __FILE__, __LINE__, __VA_ARGS__);     \
	} while (0)
#define BREAK_OFF(...) verdict_at(BROKEN, __FILE__, __LINE__, __VA_ARGS__)
#define SKIP(...)      verdict_at(SKIPPED, __FILE__, __LINE__, __VA_ARGS__)

/* ---- random.c: one generator, one stream for each process */

uint64 mix64(uint64 x);
void stream_set(uint64 stream);
void stream_fork(int index);
uint64 rnd(void);
int below(int n);
int one_in(int n);
void shuffle(int *list, int n);
void dawdle(int most);

/* ---- child.c: processes */

enum { MAY_DIE = 1 }; /* how: a child may have been killed */

struct gate {
	int fd[2];
};

int spawn(void (*fn)(int), int index);
int reap_one(int *status);
int judge(int status, int how);
int reap(int n, int how);
int dies(void (*fn)(int), int arg);
void gate_make(struct gate *g);
void gate_wait(struct gate *g);
void gate_open(struct gate *g);
void tick_wait(int tick);
int herd(int n, int procs_each, void (*fn)(int));
void wait_eof(int fd);
int room(int want, int procs_each);

/* ---- must.c: set-up that has to work, or the case is broken */

#define must_fork()         must_fork_at(__FILE__, __LINE__)
#define must_pipe(fds)      must_pipe_at(__FILE__, __LINE__, fds)
#define must_open(path, m)  must_open_at(__FILE__, __LINE__, path, m)
#define must_sbrk(bytes)    must_sbrk_at(__FILE__, __LINE__, bytes)
#define must_lazy(bytes)    must_lazy_at(__FILE__, __LINE__, bytes)
#define must_write(f, b, n) must_write_at(__FILE__, __LINE__, f, b, n)
#define must_read(f, b, n)  must_read_at(__FILE__, __LINE__, f, b, n)
#define must_mkdir(path)    must_mkdir_at(__FILE__, __LINE__, path)
#define must_unlink(path)   must_unlink_at(__FILE__, __LINE__, path)
#define must_kstat(st)      must_kstat_at(__FILE__, __LINE__, st)

int must_fork_at(const char *file, int line);
void must_pipe_at(const char *file, int line, int fds[2]);
int must_open_at(const char *file, int line, const char *path, int mode);
char *must_sbrk_at(const char *file, int line, int bytes);
char *must_lazy_at(const char *file, int line, int bytes);
void must_write_at(const char *file, int line, int fd, const void *b, int n);
void must_read_at(const char *file, int line, int fd, void *b, int n);
void must_mkdir_at(const char *file, int line, const char *path);
void must_unlink_at(const char *file, int line, const char *path);
void must_kstat_at(const char *file, int line, struct kstat *st);

/* ---- memory.c: pages whose every word says what it should be */

#define EXPECT_PAGE(page, who) expect_page_at(__FILE__, __LINE__, page, who)
#define EXPECT_SPAN(span, who) expect_span_at(__FILE__, __LINE__, span, who)

/*
 * A stretch of heap over whole units, of which only some pages, the sites,
 * are used: those next to unit boundaries and some in between.
 */
struct span {
	char *base;
	int units;
};

enum { SITES = 5 }; /* in each unit */

void page_fill(void *page, uint64 who);
int page_bad(const void *page, uint64 who, int except);
uint64 page_word(uint64 who, int word);
char *pages_get(int pages);
void span_make(struct span *s, int units);
int span_sites(const struct span *s);
char *span_site(const struct span *s, int site);
void span_fill(const struct span *s, uint64 who);
void expect_page_at(const char *file, int line, const void *page, uint64 who);
void expect_span_at(
	const char *file, int line, const struct span *s, uint64 who);
long pages_free(void);
void own_pages(void);

/* ---- hog.c: a process that holds nearly all memory */

struct hog {
	int pid;
	int cmd; /* written: commands to it */
	int ack; /* read: it has done so */
};

void hog_start(struct hog *h);
void hog_leave(struct hog *h, int pages);
void hog_stop(struct hog *h);

/* ---- tree.c: files */

void tree_remove(const char *dir);
char *file_name(char name[16], const char *stem, int number);
void file_make(const char *name, const void *data, int size);

#endif
