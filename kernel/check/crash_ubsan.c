/* SPDX-License-Identifier: MIT */
/*
 * crash_ubsan.c - undefined behaviour on purpose, of each kind that the
 * compiler tests for (crashes.def).
 */
#include "kernel/check/selftest.h"

#if UBSAN
#include "kernel/lib/base.h"

/* The same value, but the compiler cannot know which it is. */
#define HIDE(value)                                                            \
	({                                                                     \
		__typeof__(value) hidden = (value);                            \
		asm volatile("" : "+r"(hidden));                               \
		hidden;                                                        \
	})

#define INT_MAX  0x7fffffff
#define LONG_MIN (-0x7fffffffffffffffL - 1)

/* What is computed has to be used. */
static volatile i64 sink;

void
crash_ubsan_add(void)
{
	sink = HIDE(INT_MAX) + HIDE(1);
}

void
crash_ubsan_sub(void)
{
	sink = HIDE(LONG_MIN) - HIDE(1L);
}

void
crash_ubsan_mul(void)
{
	sink = HIDE(INT_MAX) * HIDE(-2);
}

void
crash_ubsan_negate(void)
{
	sink = -HIDE(LONG_MIN);
}

void
crash_ubsan_divide(void)
{
	sink = HIDE(LONG_MIN) / HIDE(-1L);
}

void
crash_ubsan_zero(void)
{
	sink = HIDE(7) % HIDE(0);
}

void
crash_ubsan_shift(void)
{
	sink = HIDE(1u) << HIDE(32);
}

void
crash_ubsan_shifted(void)
{
	sink = HIDE(-1) << HIDE(1);
}

void
crash_ubsan_index(void)
{
	static u8 table[7];

	sink = table[HIDE(7)];
}

void
crash_ubsan_pointer(void)
{
	const char *high = HIDE((const char *)-16L);

	sink = (i64)(high + HIDE(32UL));
}

void
crash_ubsan_null(void)
{
	sink = *HIDE((u64 *)NULL);
}

void
crash_ubsan_align(void)
{
	u64 words[2] = {1, 2};

	sink = *(u32 *)HIDE((u8 *)words + 2);
}

/* An object, taken for a larger one. */
void
crash_ubsan_size(void)
{
	static volatile u64 small[2];
	volatile struct {
		u64 words[4];
	} *large = (void *)small;

#pragma GCC diagnostic push
	/* The compiler sees it, which is the point. */
#pragma GCC diagnostic ignored "-Warray-bounds"
	sink = (i64)large->words[3];
#pragma GCC diagnostic pop
}

void
crash_ubsan_bool(void)
{
	u8 two = 2;
	bool *flag = HIDE((bool *)&two);

	sink = *flag;
}

static int __attribute__((nonnull, noinline)) take(const char *text)
{
	return HIDE(text) != NULL;
}

void
crash_ubsan_argument(void)
{
	sink = take(HIDE((const char *)NULL));
}

static char *__attribute__((returns_nonnull, noinline)) give(char *text)
{
	return text;
}

void
crash_ubsan_result(void)
{
	sink = (i64)give(HIDE((char *)NULL));
}

void
crash_ubsan_unreachable(void)
{
	if (HIDE(1))
		__builtin_unreachable();
}
#endif
