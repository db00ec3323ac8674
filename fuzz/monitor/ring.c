/* SPDX-License-Identifier: MIT */
/*
 * ring.c - waking the host, and being woken by it.
 *
 * A byte through a pipe each way, by semihosting: QEMU's own thread that runs
 * the guest blocks in read(), so neither side polls and no interrupt is
 * involved.  On one core this is several times faster than a device.
 */
#include "fuzz/monitor/monitor.h"
#include "fuzz/monitor/shimcall.h"

/* RISC-V Semihosting 0.3, which takes its operations from Arm's. */
enum { SYS_OPEN = 1, SYS_WRITE = 5, SYS_READ = 6, SYS_EXIT = 0x18 };
enum { MODE_READ = 0, MODE_WRITE = 4, RUN_TIME_ERROR = 0x20023 };

#define TEXT(n)   #n
#define DEVICE(n) "/dev/fd/" TEXT(n)

static const char from_name[] = DEVICE(RING_FROM_HOST);
static const char to_name[] = DEVICE(RING_TO_HOST);

/* Handles of QEMU's; not part of what an input can change. */
static u64 from_host, to_host;

/* Behind all else, for its end is seldom used. */
struct monitor_state monitor_state __attribute__((section(".bss.state")));

static u64
open(const char *name, u64 size, u64 mode)
{
	const u64 block[] = {(u64)name, mode, size - 1};

	return (u64)semihost(SYS_OPEN, block);
}

void
ring_boot(void)
{
	from_host = open(from_name, sizeof(from_name), MODE_READ);
	to_host = open(to_name, sizeof(to_name), MODE_WRITE);
}

void
give_up(void)
{
	/* With 64 bits the reason comes in a block, beside a status. */
	static const u64 block[] = {RUN_TIME_ERROR, 1};

	for (;;)
		semihost(SYS_EXIT, block);
}

/* One byte; a host that is gone ends us. */
static void
transfer(long operation, u64 handle)
{
	static u8 byte;
	const u64 block[] = {handle, (u64)&byte, 1};

	if (semihost(operation, block) != 0)
		give_up();
}

/* The host has replaced the content of pages that code was run from. */
static void
rewrite_code(void)
{
	u32 n = box->ndirty < DIRTY_MAX ? box->ndirty : DIRTY_MAX;

	for (u32 i = 0; i < n; i++) {
		volatile u64 *page =
			(u64 *)(0x80000000UL + 4096UL * box->dirty[i]);

		/* A store to it is how QEMU learns of new code. */
		for (u32 j = 0; j < 512; j++)
			page[j] = page[j];
	}
	asm volatile("fence.i" ::: "memory");
}

/* n bytes to physical address pa; by words where that is possible. */
static void
copy(u64 pa, const u8 *from, u64 n)
{
	u8 *to = (u8 *)pa;

	if (((pa | (u64)from) & 7) == 0)
		for (; n >= 8; n -= 8, to += 8, from += 8)
			*(u64 *)to = *(const u64 *)from;
	for (; n > 0; n--)
		*to++ = *from++;
}

/* The executor stands at UC_GET: give it what it waits for. */
static void
deliver(void)
{
	struct monitor_state *st = &monitor_state;
	u64 n = box->input_size;

	if (n > st->buffer_size)
		n = st->buffer_size;
	for (u64 i = 0; i < n;) {
		u64 end = i < st->buffer_first ? st->buffer_first : n;

		copy(i == 0 ? st->buffer_pa[0] : st->buffer_pa[1],
			box->input + i, end < n ? end - i : n - i);
		i = end;
	}
	st->allowed = box->harts < 1            ? 1
		      : box->harts > VHARTS_MAX ? VHARTS_MAX
						: box->harts;
	st->rng = box->seed;
	self()->regs[REG_A0] = n;
	if (box->clock_on)
		box->clock_start = real_time();
}

void
ring(enum mailbox_event event)
{
	token_save(self());
	box->event = event;
	box->hart = monitor_state.current;
	transfer(SYS_WRITE, to_host);
	transfer(SYS_READ, from_host);
	if (box->ndirty != 0)
		rewrite_code();
	deliver();
	monitor_resume();
}

void
trace(u8 what, int op, u32 value)
{
	u64 word = (u64)what << 56 | (u64)self()->number << 48 |
		   (u64)(uint16_t)op << 32 | value;

	/* FNV-1a, by words. */
	box->trace_hash = (box->trace_hash ^ word) * 0x100000001b3UL;
	if (box->trace_on && box->ntrace < TRACE_MAX)
		box->trace[box->ntrace++] = (struct mailbox_trace){
			.what = what,
			.hart = (u8)self()->number,
			.op = (int16_t)op,
			.value = value,
		};
}
