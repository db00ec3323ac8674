/* SPDX-License-Identifier: MIT */
/*
 * call_memory.c - operations on the process's own memory.
 *
 * Stores and loads are cut to the part of the arena that is there; only
 * `fault` goes anywhere.
 */
#include "fuzz/guest/address.h"
#include "fuzz/guest/lane.h"
#include "fuzz/guest/memory.h"
#include "fuzz/guest/model.h"
#include "fuzz/guest/plan.h"
#include "fuzz/guest/report.h"
#include "kernel/types.h"
#include "kernel/syscall.h"
#include "user/user.h"

enum access { LOAD, STORE, JUMP };

#define GROW_MAX (512L << 20) /* below anything else that has an address */

/* The part of [addr, addr + n) that is there, as offsets. */
static bool
cut(unsigned addr, int64_t n, uint32_t *lo, uint32_t *hi)
{
	uint64_t at = address_of(addr);
	uint64_t there = n <= 0 ? 0 : address_writable(at, (uint64_t)n);

	*lo = (uint32_t)(at - arena.start);
	*hi = *lo + (uint32_t)there;
	return there > 0;
}

long
do_store(const uint16_t *arg)
{
	uint32_t lo, hi;

	if (!cut(arg[0], prog_lengths[arg[1]], &lo, &hi))
		return 0;
	memory_fill((unsigned)op_index(), lo, hi);
	return hi - lo;
}

long
do_load(const uint16_t *arg)
{
	uint32_t lo, hi;

	if (!cut(arg[0], prog_lengths[arg[1]], &lo, &hi))
		return 0;
	memory_check(lo, hi);
	return hi - lo;
}

long
do_touch(const uint16_t *arg)
{
	uint32_t lo, hi;

	if (!cut(arg[0], arg[1] * PAGE + 8, &lo, &hi))
		return 0;
	lo &= ~7U;
	hi = lo + arg[1] * PAGE + 8;
	memory_touch(
		(unsigned)op_index(), lo, hi < model.size ? hi : model.size);
	return arg[1] + 1;
}

long
do_check(const uint16_t *arg)
{
	uint32_t most = ARENA_MAX * PAGE;

	memory_check(0, model.size < most ? model.size : most);
	return 0;
}

/* May the access be made, and not by running through our own text? */
static bool
is_allowed(uint64_t at, enum access access)
{
	if (access == LOAD)
		return address_readable(at, 1) == 1;
	return access == STORE && address_writable(at, 1) == 1;
}

long
do_fault(const uint16_t *arg)
{
	uint64_t at = address_of(arg[0]);
	uint32_t offset = (uint32_t)(at - arena.start);
	bool allowed = is_allowed(at, arg[1]);

	if (arg[1] == LOAD)
		(void)*(volatile uint8_t *)at;
	else if (arg[1] == JUMP && at < arena.start && address_readable(at, 1))
		lane_die(); /* who knows what our own code would do */
	else if (arg[1] == JUMP)
		((void (*)(void))at)();
	else if (allowed)
		memory_fill((unsigned)op_index(), offset, offset + 1);
	else
		*(volatile uint8_t *)at = 1;
	if (!allowed)
		accuse(ORACLE_survive, at, arg[1]);
	return 0;
}

/* The change to ask for, in bytes: never below the start of the arena, but
 * as it is if it would be below nothing. */
static int64_t
break_change(int32_t pages)
{
	int64_t n = (int64_t)pages * PAGE;
	int64_t size = model.size;

	if (n > 0)
		return size + n > GROW_MAX ? 0 : n;
	if (size + n >= 0 || (int64_t)arena.start + size + n < 0)
		return n;
	return -size;
}

static void
break_moved(uint32_t from, int64_t n)
{
	if ((int64_t)from + n < 0)
		return; /* less than nothing changes nothing */
	model.size = (uint32_t)(from + n);
	memory_clear((unsigned)op_index(), model.size, from);
}

long
do_sbrk(const uint16_t *arg)
{
	int32_t pages = prog_breaks[arg[0]];
	int64_t n = break_change(pages);
	uint64_t old = arena.start + model.size;
	long got = (long)sys_sbrk((int)n, arg[1] ? SBRK_LAZY : SBRK_EAGER);
	bool hostile = pages > PAGE || pages < -PAGE;

	if (got == -1) {
		if (!hostile && !may_fail())
			accuse(ORACLE_value, old, (uint64_t)got);
		return got;
	}
	if ((uint64_t)got != old)
		accuse(ORACLE_value, old, (uint64_t)got);
	break_moved(model.size, n);
	return got;
}
