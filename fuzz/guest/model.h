/* SPDX-License-Identifier: MIT */
/*
 * model.h - what a process knows of itself: its memory, its descriptors, its
 * children.
 *
 * All of it is on one page, which fork copies on write like any other, and so
 * the model of a process is as private as the memory that it is about.  If
 * the kernel mixes up pages, this one may be hit as well.  Therefore a model
 * names the instance it belongs to, which that keeps in register tp too, and
 * carries a sum over itself (model_seal, model_check).
 */
#ifndef FUZZ_GUEST_MODEL_H
#define FUZZ_GUEST_MODEL_H

#include <stdbool.h>

#include "fuzz/wire/prog.h"

enum {
	PAGE = 4096,
	WRITES_MAX = OPS_MAX, /* an operation leaves one at most */
	DATA_MAX = 1536,
	FDS = 16,
	NOBODY = 0xff, /* instance of the first process of all */
};

/* What memory holds after something wrote to it. */
enum content {
	ZEROES,
	PATTERN,
	DATA,    /* a copy is in model.data[] */
	UNKNOWN, /* it may have been written to, or too much for a copy */
};

/* One write, at offsets lo to hi of the arena; later ones hide earlier. */
struct write {
	uint32_t lo;
	uint32_t hi;
	uint16_t data;   /* where in model.data[] */
	uint8_t content; /* enum content */
	uint8_t op;
	uint8_t instance; /* that wrote: this one or an ancestor */
	bool touches;     /* only the first word of each PAGE bytes from lo */
};

enum fd_kind {
	FD_FREE,
	FD_FILE,    /* or a directory, or a device */
	FD_PIPE_IN, /* the end to read from */
	FD_PIPE_OUT,
	FD_OTHERS, /* the executor's own */
};

struct fd {
	uint8_t kind; /* enum fd_kind */
	uint8_t op;   /* that made it: the name of a pipe */
	uint8_t reads;
	uint8_t writes;
};

struct model {
	uint64_t sum;  /* over all that follows, up to writes[] */
	uint64_t log;  /* sum over writes[] and data[] */
	uint32_t size; /* of the arena, in bytes */
	uint8_t owner; /* instance */
	uint8_t lane;
	uint8_t index; /* which of its lane's processes */
	uint8_t next;  /* operation */
	bool deputy;   /* it makes one call for another, and ends */
	bool unsure;   /* a child may have left any number of children */
	uint8_t left;  /* children left to init by those that were reaped */
	uint8_t nwrites;
	uint16_t ndata;
	uint32_t clock; /* uptime, when last asked */
	int32_t pid;    /* its own, 0 if not asked yet */
	uint64_t kids;  /* operations whose child is not reaped yet */
	uint64_t solo;  /* pipes that nobody else has ever had */
	int32_t lane_pid[LANES_MAX];
	int8_t slot[SLOTS];
	struct fd fd[FDS];
	/* What follows has no part in the sum: most of it is unused. */
	struct write writes[WRITES_MAX];
	int32_t kid[OPS_MAX];    /* process that an operation started */
	uint16_t level[OPS_MAX]; /* bytes in a solo pipe */
	uint8_t data[DATA_MAX];
} __attribute__((aligned(4096)));

_Static_assert(sizeof(struct model) == 4096, "a model is one page");

/* Where things are; the same in all processes. */
struct arena {
	uint64_t start;
	uint64_t guard; /* the page below the stack */
};

extern struct model model;
extern struct arena arena;

/* The instance that this process is; the compiler uses the register for
 * nothing else, and fork hands it on. */
register unsigned long self asm("tp");

/* model_start: of the first process, which has an arena of size bytes. */
void model_start(uint32_t size);

/* model_become: after fork, in the child. */
void model_become(unsigned instance, unsigned lane, unsigned index);

/* After a step and before the next: accuses if it is not as it was left. */
void model_seal(void);
void model_check(void);

/* One more word into a sum. */
static inline uint64_t
sum_add(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0x9e3779b97f4a7c15UL;
	return sum ^ sum >> 32;
}

/* The operation that is being made; NO_OP: none. */
static inline int
op_index(void)
{
	return model.next - 1;
}

/* Descriptors: the lowest free one from `from` on, or -1; those with a pipe. */
int model_free_fd(int from);
bool model_has_end(unsigned pipe, enum fd_kind kind);
struct fd *model_fd(int fd); /* NULL if it is not open */

#endif
