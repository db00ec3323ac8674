/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h - the memory that host and guest share.
 *
 * One object in the kernel's .bss, on pages of its own: every kernel maps it,
 * the host finds it in the RAM file by its symbol, and the snapshot leaves it
 * out.  The guest rings the host when it waits for input; until it is rung
 * back it does not run, so nothing in here needs an atomic protocol but
 * `cancel`, which the host may set at any time, and trace_hash, which it may
 * look at: one word each.
 *
 * The kernel under test can write here.  The host believes nothing it reads:
 * every count and index is checked against its array.
 */
#ifndef FUZZ_MONITOR_MAILBOX_H
#define FUZZ_MONITOR_MAILBOX_H

#include <stdint.h>

enum {
	MAILBOX_MAGIC = 0x504d5453, /* "STMP" */
	MAILBOX_VERSION = 5,
	INPUT_MAX = 1024,
	CONSOLE_MAX = 16384,
	REPORTS_MAX = 16,
	DIRTY_MAX = 8192,
	COVER_SIZE = 32768,
	BLOCKS_MAX = 512 * 1024, /* half a kernel's text, see cover.c */
	VHARTS_MAX = 8,
	FRAMES_MAX = 16,
	TRACE_MAX = 4096,
	PANIC_TEXT = 96,
};

/* Why the guest rang. */
enum mailbox_event {
	EVENT_NONE,
	EVENT_READY,    /* the snapshot is taken; wants the first input */
	EVENT_DONE,     /* the executor came to its end */
	EVENT_PANIC,    /* the kernel's panic(): panic_text, panic_value */
	EVENT_TRAP,     /* an exception that nobody could serve: trap_* */
	EVENT_PROTECT,  /* the kernel touched the monitor's memory: trap_* */
	EVENT_CANCEL,   /* the host gave it up (cancel) */
	EVENT_DEADLOCK, /* every hart waits and nothing can wake one */
};

/* One accusation by the executor. */
struct mailbox_report {
	uint16_t oracle; /* enum in usercall.h */
	int16_t op;      /* index in the program, or -1 */
	uint64_t want;
	uint64_t got;
};

/* One event of the schedule: for the trace and its hash. */
struct mailbox_trace {
	uint8_t what; /* 'S' step, 'H' hart gets the token, 'M' meeting */
	uint8_t hart;
	int16_t op;
	uint32_t value;
};

struct mailbox {
	/* Head: the host checks it before all else. */
	uint32_t magic;
	uint32_t version;
	uint32_t size; /* of this structure */
	uint32_t event;

	/* From the host. */
	uint32_t cancel; /* [any time] give this input up */
	uint32_t input_size;
	uint32_t harts; /* that shall run: 1 to VHARTS_MAX */
	uint32_t seed;  /* of the order in which they do */
	uint32_t trace_on;
	uint32_t clock_on; /* fill in the clock_ fields: for measurements */
	uint8_t input[INPUT_MAX];

	/* From the guest, about one input. */
	uint64_t trace_hash; /* of all trace events, kept or not */
	/* Real time, in units of 100 ns: */
	uint64_t clock_start; /* input delivered */
	uint64_t clock_audit; /* the last audit begins */
	uint64_t clock_end;   /* the executor is done */
	int64_t audit;        /* what the executor passed to UC_DONE */
	uint32_t nreports;
	uint32_t ntrace;
	uint32_t nconsole; /* all that was printed; the ring keeps the last */
	uint32_t ndirty;
	struct mailbox_report reports[REPORTS_MAX];
	char panic_text[PANIC_TEXT];
	uint64_t panic_value;
	uint64_t trap_cause;
	uint64_t trap_value;
	uint64_t trap_pc;
	uint32_t hart; /* that had the token at the end */
	/* Return addresses: the host fills them in, in its copy. */
	uint32_t nframes[VHARTS_MAX];
	uint64_t frames[VHARTS_MAX][FRAMES_MAX];
	struct mailbox_trace trace[TRACE_MAX];
	char console[CONSOLE_MAX];

	/* Pages that differ from the snapshot, by number in RAM; the host
	 * copies them back, the guest those that it had executed from. */
	uint32_t dirty[DIRTY_MAX];
} __attribute__((aligned(4096)));

/*
 * Coverage: one byte for each edge, AFL++'s way: counts, wrapping over 0.  An
 * object of its own, for the kernel's code names it (fuzz/shim/cover.c).
 */
struct cover {
	uint8_t unused[60];
	uint32_t before; /* which place the next block is to count in */
	uint8_t map[COVER_SIZE];
} __attribute__((aligned(4096)));

extern struct cover stampede_cover;

extern struct mailbox stampede_mailbox;

#endif
