/* SPDX-License-Identifier: MIT */
/*
 * prog.h - a program: what one run of the fuzzer does in the guest.
 *
 * A program has up to 8 lanes.  A lane is a process and its operations in
 * order; lanes run side by side.  `fork` starts another lane as a child of the
 * one that forks, with its memory and descriptors, as often as it is called.
 * A lane forks only lanes of higher numbers, so there is an end.  A lane that
 * has operations, and that none of them forks, is started by the executor.
 *
 * Every lane has an arena: ARENA_PAGES pages at the start of its heap, which
 * sbrk makes longer and shorter; eight slots that hold descriptors; and a
 * table of the latest process of each lane that it knows of.  All three are
 * inherited by fork.
 *
 * It begins in a folder where there is a file a of 100 bytes, a folder d, and
 * nothing else.
 *
 * On the wire a program is a head of 8 bytes (the letters SP1, harts, a
 * little-endian seed) and 12 bytes for each operation (call, lane, property,
 * its number, four little-endian arguments).  Any bytes behind a right head
 * decode; prog_encode() of the result is the one canonical form.
 *
 * Compiled for host and guest alike: no libc, no allocation.
 */
#ifndef FUZZ_WIRE_PROG_H
#define FUZZ_WIRE_PROG_H

#include <stddef.h>
#include <stdint.h>

enum {
	LANES_MAX = 8,
	OPS_MAX = 64,
	ARGS_MAX = 4,
	SLOTS = 8,
	POINTS = 8,
	ARENA_PAGES = 16, /* at the start */
	ARENA_MAX = 64,   /* pages an ADDR can name */
	PROG_HEAD = 8,
	PROG_OP = 12,
	PROG_BYTES_MAX = PROG_HEAD + OPS_MAX * PROG_OP,
};

enum prog_call {
#define CALL(name, ...) CALL_##name,
#include "fuzz/wire/calls.def"
#undef CALL
	NCALLS,
};

enum prog_kind {
	KIND_NONE,
#define KIND(name, ...) KIND_##name,
#include "fuzz/wire/kinds.def"
#undef KIND
	NKINDS,
};

/* What a call is done with, besides its arguments. */
enum prog_prop {
	PROP_NONE,
	PROP_FAIL,  /* its n-th allocation fails; n from 1 */
	PROP_KILL,  /* the process is killed as it makes the call */
	PROP_ASYNC, /* a child makes the call, nobody waits for it meanwhile */
	NPROPS,
};

enum { FAIL_MAX = 32 };

/*
 * Where an ADDR lies.  All but the arena are hostile.  Half of the numbers
 * mean the arena, for most addresses shall be good; a tidy program has only
 * the first of them.
 */
enum prog_region {
	REGION_ARENA, /* page 0 to 63 of the arena, there or not */
	REGION_ARENA2,
	REGION_ARENA3,
	REGION_ARENA4,
	REGION_TEXT,   /* one page of the program's text, whatever the page */
	REGION_GUARD,  /* the page below the stack, likewise */
	REGION_NULL,   /* address 0, likewise */
	REGION_EDGE,   /* even pages: the last below the break; odd: the next */
	REGION_MAXVA,  /* page 32 is the first behind user addresses */
	REGION_KERNEL, /* where the kernel lies: odd pages as virtual */
	REGION_TOP,    /* the last page of all, so that lengths wrap */
	REGION_HOLE,   /* not in Sv39 */
	REGION_ARENA5,
	REGION_ARENA6,
	REGION_ARENA7,
	REGION_ARENA8,
};

/* Offsets in the page. */
enum { PLACES = 8 };
extern const uint16_t prog_places[PLACES];

#define ADDR_MAKE(region, place, page)                                         \
	((page) + ARENA_MAX * ((place) + PLACES * (region)))
#define ADDR_PAGE(v)   ((v) % ARENA_MAX)
#define ADDR_PLACE(v)  ((v) / ARENA_MAX % PLACES)
#define ADDR_REGION(v) ((enum prog_region)((v) / (ARENA_MAX * PLACES)))

extern const int64_t prog_lengths[16]; /* bytes, -1 among them */
extern const int32_t prog_breaks[16];  /* pages; hostile ones among them */
extern const char *const prog_paths[16];
extern const uint16_t prog_modes[8]; /* of open, and mknod's device number */

/* PIDs from PID_BAD and FDs from FD_BAD on are one of these. */
enum { PID_SELF = LANES_MAX, PID_BAD, FD_BAD = SLOTS };
enum { BAD_PIDS = 4, BAD_FDS = 4 };
extern const int32_t prog_bad_pids[BAD_PIDS];
extern const int32_t prog_bad_fds[BAD_FDS];

/* What exec is given.  All that succeed end at once, with EXEC_STATUS. */
enum prog_image {
	IMAGE_SELF,      /* the program that runs the lanes, once more */
	IMAGE_ARGS,      /* the same with 20 arguments */
	IMAGE_LONG,      /* the same with one of LONG_ARG letters */
	IMAGE_MISSING,   /* no such file */
	IMAGE_FILE,      /* prog_paths[0], which is no program if it is there */
	IMAGE_DIRECTORY, /* "." */
	IMAGE_BAD_PATH,  /* a name in the kernel's memory */
	IMAGE_BAD_ARGV,  /* good, but its list of arguments is there */
};
enum { EXEC_STATUS = 77, LONG_ARG = 2000 };

struct op {
	uint8_t call; /* enum prog_call */
	uint8_t lane;
	uint8_t prop; /* enum prog_prop */
	uint8_t n;    /* PROP_FAIL: which allocation; else 0 */
	uint16_t arg[ARGS_MAX];
};

struct prog {
	uint32_t seed; /* for the order in which harts run */
	uint8_t harts; /* 1 to 8 */
	uint8_t nops;
	struct op ops[OPS_MAX];
};

/* One row for each call. */
struct call_info {
	const char *name;
	const char *result;
	uint8_t nargs;
	uint8_t kind[ARGS_MAX]; /* enum prog_kind */
};

extern const struct call_info prog_calls[NCALLS];
extern const uint16_t kind_values[NKINDS]; /* how many; 0 for none */

enum prog_error {
	PROG_OK,
	PROG_SHORT, /* no head */
	PROG_MAGIC, /* not a program, or of another version */
};

/*
 * prog_decode: a program from n bytes.  Values out of range are brought into
 * it, what lies behind OPS_MAX operations or is only part of one is left out.
 */
enum prog_error prog_decode(struct prog *p, const void *bytes, size_t n);

/* prog_encode: into at least PROG_BYTES_MAX bytes; returns how many. */
size_t prog_encode(const struct prog *p, void *bytes);

/* prog_tidy: bring every field into its range, as decoding does. */
void prog_tidy(struct prog *p);

/* prog_roots: a bit for each lane that the executor starts itself: those that
 * have operations and that nobody forks. */
unsigned prog_roots(const struct prog *p);

#endif
