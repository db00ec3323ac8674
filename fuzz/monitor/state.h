/* SPDX-License-Identifier: MIT */
/*
 * state.h - the virtual harts, and all else that an input can change in the
 * monitor.
 *
 * The machine has one hart; the kernel sees several.  A virtual hart is a set
 * of registers.  One of them has the token: its control and status registers
 * are the real ones, its integer registers are real too until it traps.  The
 * others are what is stored here.
 *
 * monitor_state is part of the snapshot: when the host has been rung it finds
 * everything in here, and puts back what was here at the snapshot.  It knows
 * the layout by this header and the place by the symbol.
 */
#ifndef FUZZ_MONITOR_STATE_H
#define FUZZ_MONITOR_STATE_H

#include <stdint.h>

#include "fuzz/monitor/mailbox.h"
#include "fuzz/wire/prog.h"

enum vhart_run {
	RUN_READY,
	RUN_IDLE, /* in wfi */
};

/* Integer registers by number. */
enum { REG_S0 = 8, REG_A0 = 10, REG_A7 = 17 };

struct vhart {
	uint64_t regs[32]; /* regs[0] unused; offsets are known to entry.S */
	uint64_t pc;
	uint64_t priv; /* 0 user, 1 supervisor */
	uint64_t sstatus;
	uint64_t sie;
	uint64_t sip; /* SSIP and STIP alone */
	uint64_t stvec;
	uint64_t sscratch;
	uint64_t sepc;
	uint64_t scause;
	uint64_t stval;
	uint64_t satp;
	uint64_t scounteren;
	uint64_t timecmp; /* virtual time of its timer */
	uint32_t run;     /* enum vhart_run */
	uint32_t number;
};

/* The floating-point registers of one, where its program uses them. */
struct vhart_fregs {
	uint64_t f[32];
	uint64_t fcsr;
};

enum { BUFFER_PAGES = 2, SPACES_MAX = 8 };

struct monitor_state {
	struct vhart vharts[VHARTS_MAX];
	uint32_t current;         /* who has the token */
	uint32_t allowed;         /* vharts 0 to allowed - 1 may have it */
	uint32_t booting;         /* until the snapshot */
	uint32_t left;            /* lanes that have ended, a bit each */
	uint64_t now;             /* virtual time */
	uint64_t looks;           /* at the clock, so far */
	uint64_t rng;             /* who is next: see token.c */
	uint32_t arrived[POINTS]; /* lanes at each meeting point */
	/* The executor's buffer for inputs. */
	uint64_t buffer_pa[BUFFER_PAGES];
	uint64_t buffer_first; /* bytes of it that lie on the first page */
	uint64_t buffer_size;
	/* Page tables of the processes that said UC_HELLO, as in satp. */
	uint64_t spaces[SPACES_MAX];
	uint32_t nspaces;
	/* Last, for most programs use nothing of it. */
	struct vhart_fregs fregs[VHARTS_MAX];
};

extern struct monitor_state monitor_state;

#endif
