/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - what the parts of the monitor know of each other.
 *
 * All of it runs in machine mode with interrupts off, at physical addresses,
 * on the one real hart: nothing here needs a lock.
 */
#ifndef FUZZ_MONITOR_MONITOR_H
#define FUZZ_MONITOR_MONITOR_H

#include <stdbool.h>

#include "fuzz/monitor/state.h"

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;
typedef int64_t i64;

#define csr_read(csr)                                                          \
	({                                                                     \
		u64 csr_value;                                                 \
		asm volatile("csrr %0, " #csr : "=r"(csr_value)::"memory");    \
		csr_value;                                                     \
	})
#define csr_write(csr, value)                                                  \
	asm volatile("csrw " #csr ", %0" ::"rK"((u64)(value)) : "memory")
#define csr_set(csr, bits)                                                     \
	asm volatile("csrs " #csr ", %0" ::"rK"((u64)(bits)) : "memory")
#define csr_clear(csr, bits)                                                   \
	asm volatile("csrc " #csr ", %0" ::"rK"((u64)(bits)) : "memory")

enum {
	IP_SSIP = 1 << 1,
	IP_STIP = 1 << 5,
	IP_MTIP = 1 << 7,
	SSTATUS_SIE = 1 << 1,
	SSTATUS_SPIE = 1 << 5,
	SSTATUS_SPP = 1 << 8,
	SSTATUS_FS = 3 << 13,
	MSTATUS_MPP_SHIFT = 11,
	MSTATUS_TW = 1 << 21,
};

#define NEVER (~0UL)

/* Fixed at boot; the kernel's, mapped by it too. */
extern struct mailbox *box;

/* The virtual hart that has the token. */
static inline struct vhart *
self(void)
{
	return &monitor_state.vharts[monitor_state.current];
}

/* --- entry.S */
void monitor_restart(struct vhart *vh) __attribute__((noreturn));
long semihost(long operation, const void *block);
void fregs_save(struct vhart_fregs *to);
void fregs_load(const struct vhart_fregs *from);

/* --- serve.c */
u64 real_time(void); /* never for the kernel; units of 100 ns */
/* reflect: let the kernel have this exception, as the hardware would. */
void reflect(struct vhart *vh, u64 cause, u64 value);

void seal_devices(void);
void monitor_resume(void) __attribute__((noreturn));

/* --- emulate.c: instructions that must not see the real machine */
/*
 * emulate: who goes on behind the instruction, or NULL if it is none of those
 * that we keep from the kernel.
 */
struct vhart *emulate(struct vhart *vh, u32 insn);

/* --- token.c: which virtual hart runs */
void token_boot(u64 pc, u64 satp);
void token_save(struct vhart *vh);       /* real registers to memory */
void token_load(const struct vhart *vh); /* and back */
/* timer_update: after now or timecmp has changed: is its timer due? */
void timer_update(struct vhart *vh);
/* token_idle: the hart waits for an interrupt; returns who goes on. */
struct vhart *token_idle(struct vhart *vh);
/* token_offer: the next hart that can run goes on, or else vh itself. */
struct vhart *token_offer(struct vhart *vh);
/* token_yield: vh waits for another; if none can run that is for ever. */
struct vhart *token_yield(struct vhart *vh);
/* token_step: an operation of the program is done: rules of the seed. */
struct vhart *token_step(struct vhart *vh);
void token_ipi(struct vhart *vh, u64 hart);
bool token_alone(const struct vhart *vh);

/* --- calls.c */
struct vhart *shimcall(struct vhart *vh);
struct vhart *usercall(struct vhart *vh);

/* --- ring.c: the host */
void ring_boot(void);
/* ring: tell the host; it puts the snapshot back, and that goes on. */
void ring(enum mailbox_event event) __attribute__((noreturn));
/* give_up: end QEMU; the host starts another. */
void give_up(void) __attribute__((noreturn));
void trace(u8 what, int op, u32 value);

#endif
