/* SPDX-License-Identifier: MIT */
/*
 * address.c - addresses, the good ones and the hostile.
 *
 * The arena is all that a program may write to.  The executor's own data is
 * writable too, but no address starts in there, and kernel and lane go from
 * the first byte on: so a buffer that begins where it must not is never
 * written to, however long it is.
 */
#include "fuzz/guest/address.h"
#include "fuzz/guest/model.h"
#include "kernel/types.h"
#include "user/user.h"

enum { PIPE_ENDS = 8, STATUS_WORD = 4, STAT_BYTES = 24 };

#define USER_END    (1UL << 38) /* the end of Sv39's lower half */
#define KERNEL_LOW  0x80000000UL
#define KERNEL_HIGH 0xffffffc080000000UL
#define NOT_IN_SV39 (1UL << 45)
#define LAST_PAGE   0xfffffffffffff000UL

extern char end[]; /* of text and data, as the linker says */

/* One page of text, all of which is there. */
static uint64_t
text_page(void)
{
	return (uint64_t)address_of & ~(uint64_t)(PAGE - 1);
}

/* Of the arena; what lies before the arena can be memory too. */
static uint64_t
last_page(void)
{
	return arena.start + (model.size == 0 ? 0 : model.size - PAGE);
}

uint64_t
address_of(unsigned addr)
{
	uint64_t place = prog_places[ADDR_PLACE(addr)];
	uint64_t page = ADDR_PAGE(addr);
	int64_t around =
		((int64_t)page - ARENA_MAX / 2) * PAGE + (int64_t)place;

	switch (ADDR_REGION(addr)) {
	case REGION_TEXT:
		return text_page() + place;
	case REGION_GUARD:
		return arena.guard + place;
	case REGION_NULL:
		return place;
	case REGION_EDGE:
		return last_page() + page % 2 * PAGE + place;
	case REGION_MAXVA:
		return USER_END + (uint64_t)around;
	case REGION_KERNEL:
		return (page % 2 ? KERNEL_HIGH : KERNEL_LOW) + page * PAGE +
		       place;
	case REGION_TOP:
		return LAST_PAGE + place;
	case REGION_HOLE:
		return NOT_IN_SV39 + page * PAGE + place;
	default:
		return arena.start + page * PAGE + place;
	}
}

bool
address_static(unsigned addr, uint64_t *offset)
{
	unsigned region = ADDR_REGION(addr);

	if (region >= REGION_TEXT && region <= REGION_HOLE)
		return false;
	*offset = ADDR_PAGE(addr) * PAGE + prog_places[ADDR_PLACE(addr)];
	return true;
}

static uint64_t
within(uint64_t addr, uint64_t n, uint64_t lo, uint64_t hi)
{
	if (addr < lo || addr >= hi)
		return 0;
	return n < hi - addr ? n : hi - addr;
}

uint64_t
address_writable(uint64_t addr, uint64_t n)
{
	return within(addr, n, arena.start, arena.start + model.size);
}

uint64_t
address_readable(uint64_t addr, uint64_t n)
{
	/* Rights go by pages: what lies behind the image can be read too. */
	uint64_t image = ((uint64_t)end + PAGE - 1) & ~(uint64_t)(PAGE - 1);

	if (addr < image)
		return within(addr, n, 0, image);
	return address_writable(addr, n);
}

unsigned
address_out(const struct op *op, unsigned *arg)
{
	switch (op->call) {
	case CALL_pipe:
		*arg = 2;
		return PIPE_ENDS;
	case CALL_wait:
		*arg = 0;
		return STATUS_WORD;
	case CALL_fstat:
		*arg = 1;
		return STAT_BYTES;
	}
	return 0;
}
