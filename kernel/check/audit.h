/* SPDX-License-Identifier: MIT */
/*
 * audit.h - does everything that is counted agree with what there is?
 * (The essay is in check/audit.c.)
 */
#ifndef KERNEL_CHECK_AUDIT_H
#define KERNEL_CHECK_AUDIT_H

#include "kernel/lib/base.h"
#include "kernel/mm/page.h"

struct proc;
struct vm;

/* audit_init: at boot, once memory can be allocated. */
void audit_init(void);

/*
 * audit_panic: for panic(), on the hart that reports, when all others have
 * stopped or do not answer.  at_rest: a bit for each that had nothing half
 * done.
 */
void audit_panic(u64 at_rest);

/* --- for the checks: each runs with the other harts parked */

/*
 * audit_report: something is wrong.  what is constant text, so that reports
 * group; the format's numbers tell which.
 */
#define audit_report(what, fmt, ...)                                           \
	do {                                                                   \
		if (audit_finding())                                           \
			printf("audit: %s: " fmt "\n", what, __VA_ARGS__);     \
	} while (0)

/* audit_finding: count a finding; true if it is to be printed. */
bool audit_finding(void);

/* audit_owner: after a finding about pg: its history, in debug builds. */
void audit_owner(const struct page *pg);

/* What a frame was found to be used for. */
enum frame_use {
	USE_NONE,
	USE_FREE,
	USE_KERNEL, /* allocated at boot, for good */
	USE_ROOT,
	USE_MIDDLE,
	USE_LEAF,
	USE_USER, /* named by a leaf table */
	USE_PIPE,
};

/* What was found so far, by frame number; the auditor's. */
struct frame_note {
	u32 found; /* references */
	u32 use;   /* enum frame_use */
};
extern struct frame_note *frame_notes;

/* frame_conflict: frame_count()'s report. */
bool frame_conflict(const struct page *pg, enum frame_use use);

/*
 * frame_count: one more reference to pg was found, for this use; false, and
 * reported, if it is in another use already.
 */
static inline bool
frame_count(const struct page *pg, enum frame_use use)
{
	struct frame_note *f = &frame_notes[page_number(pg)];

	f->found++;
	if (f->use == USE_NONE)
		f->use = use;
	return f->use == use || frame_conflict(pg, use);
}

/* all_zero: size bytes, a multiple of 8, at an address that is one too. */
bool all_zero(const void *at, u64 size);

static inline enum frame_use
frame_use(const struct page *pg)
{
	return frame_notes[page_number(pg)].use;
}

static inline u32
frame_found(const struct page *pg)
{
	return frame_notes[page_number(pg)].found;
}

/* audit_each_vm: every address space of every process. */
void audit_each_vm(void (*visit)(struct proc *p, struct vm *vm));

/* The checks, in the order they run: each builds on those before it. */
void check_lists(void);  /* lists.c: free frames */
void check_cache(void);  /* refs.c: pages of the page cache */
void check_tables(void); /* tables.c: page tables and their entries */
void check_files(void);  /* objects.c: files, pipes, inodes, buffers */
void check_procs(void);  /* procs.c: families and sleepers */
void check_tlbs(void);   /* tlbs.c: what harts may still remember */
void check_frames(void); /* refs.c: the counts of all frames */

#endif
