/* SPDX-License-Identifier: MIT */
/*
 * string.c - memory and strings.
 *
 * Emulated, each load and store of the kernel costs about the same, whatever
 * its width; so the loops here move eight bytes at a time and are unrolled.
 *
 * No access here is misaligned: a machine may trap on those.  Where source
 * and destination differ in alignment, move_shifted() reads aligned words and
 * joins the halves of two neighbours.  Nor is a byte outside of the arguments
 * read, though it were in the same word: tools that watch memory may run
 * with us.
 *
 * kernel/lib/tests/string_test.c tries all alignments on the host.
 */
#include "kernel/lib/string.h"

#include "kernel/check/asan.h"
#include "kernel/riscv.h"

/* A word that may be part of an object of any type. */
typedef u64 __attribute__((may_alias)) word;

#define ONES 0x0101010101010101UL

enum { WORD = sizeof(word), UNROLL = 8, BLOCK = WORD * UNROLL };

static inline size_t
misalignment(const void *p)
{
	return (size_t)p % WORD;
}

static inline void
fill_block(word *at, word value)
{
#pragma GCC unroll 8
	for (int i = 0; i < UNROLL; i++)
		at[i] = value;
}

/* move_block: all loads before all stores, so the two may overlap. */
static inline void
move_block(word *to, const word *from)
{
	word w[UNROLL];

#pragma GCC unroll 8
	for (int i = 0; i < UNROLL; i++)
		w[i] = from[i];
#pragma GCC unroll 8
	for (int i = 0; i < UNROLL; i++)
		to[i] = w[i];
}

void *
memset(void *dst, int c, size_t n)
{
	u8 *at = dst;
	word value = (u8)c * ONES;

	asan_check(dst, n, true);
	while (n > 0 && misalignment(at) != 0) {
		*at++ = (u8)c;
		n--;
	}
	for (; n >= BLOCK; n -= BLOCK, at += BLOCK)
		fill_block((word *)at, value);
	for (; n >= WORD; n -= WORD, at += WORD)
		*(word *)at = value;
	while (n-- > 0)
		*at++ = (u8)c;
	return dst;
}

/*
 * move_shifted: copy whole words upwards to the aligned `to` from `from`,
 * which is not aligned and has at least WORD bytes of the source below it;
 * returns how many bytes were copied.  Each source word is loaded before the
 * store that could overwrite it, for `to` is not above `from` if they overlap.
 */
static size_t
move_shifted(u8 *to, const u8 *from, size_t n)
{
	size_t skew = misalignment(from);
	u32 down = 8 * skew, up = 64 - down;
	const word *src = (const word *)(from - skew);
	word *dst = (word *)to;
	word low = *src++;
	size_t words = (n - WORD) / WORD;

	for (size_t i = 0; i < words; i++) {
		word high = *src++;

		*dst++ = low >> down | high << up;
		low = high;
	}
	return words * WORD;
}

/* move_up: lowest byte first; right unless dst lies inside the source. */
static void
move_up(u8 *to, const u8 *from, size_t n)
{
	const u8 *start = from;

	while (n > 0 && misalignment(to) != 0) {
		*to++ = *from++;
		n--;
	}
	if (misalignment(from) == 0) {
		for (; n >= BLOCK; n -= BLOCK, to += BLOCK, from += BLOCK)
			move_block((word *)to, (const word *)from);
		for (; n >= WORD; n -= WORD, to += WORD, from += WORD)
			*(word *)to = *(const word *)from;
	} else if (n >= 4 * WORD) {
		size_t moved;

		if (from - start < WORD) {
			for (int i = 0; i < WORD; i++)
				*to++ = *from++;
			n -= WORD;
		}
		moved = move_shifted(to, from, n);
		to += moved;
		from += moved;
		n -= moved;
	}
	while (n-- > 0)
		*to++ = *from++;
}

/* move_down: highest byte first, from the ends. */
static void
move_down(u8 *to, const u8 *from, size_t n)
{
	while (n > 0 && misalignment(to) != 0) {
		*--to = *--from;
		n--;
	}
	if (misalignment(from) == 0) {
		for (; n >= BLOCK; n -= BLOCK) {
			to -= BLOCK;
			from -= BLOCK;
			move_block((word *)to, (const word *)from);
		}
		for (; n >= WORD; n -= WORD) {
			to -= WORD;
			from -= WORD;
			*(word *)to = *(const word *)from;
		}
	}
	while (n-- > 0)
		*--to = *--from;
}

void *
memmove(void *dst, const void *src, size_t n)
{
	asan_check(src, n, false);
	asan_check(dst, n, true);
	/* The difference wraps to a large number when dst is below src. */
	if ((size_t)dst - (size_t)src >= n)
		move_up(dst, src, n);
	else
		move_down((u8 *)dst + n, (const u8 *)src + n, n);
	return dst;
}

void *
memcpy(void *dst, const void *src, size_t n)
{
	asan_check(src, n, false);
	asan_check(dst, n, true);
	move_up(dst, src, n);
	return dst;
}

int
memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	asan_check(a, n, false);
	asan_check(b, n, false);
	if (misalignment(x) == 0 && misalignment(y) == 0) {
		while (n >= WORD && *(const word *)x == *(const word *)y) {
			x += WORD;
			y += WORD;
			n -= WORD;
		}
	}
	for (; n > 0; x++, y++, n--) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

size_t
strlen(const char *s)
{
	const char *end = s;

	while (*end != '\0')
		end++;
	asan_check(s, (size_t)(end - s) + 1, false);
	return (size_t)(end - s);
}

/* Is one of a word's bytes 0?  (Mycroft's test) */
static bool
has_zero(word w)
{
	return ((w - ONES) & ~w & (ONES << 7)) != 0;
}

size_t
strnlen(const char *s, size_t n)
{
	const char *at = s, *end = s + n;

	while (at < end && misalignment(at) != 0 && *at != '\0')
		at++;
	if (misalignment(at) == 0)
		while ((size_t)(end - at) >= WORD &&
			!has_zero(*(const word *)at))
			at += WORD;
	while (at < end && *at != '\0')
		at++;
	asan_check(s, (size_t)(at - s) + (at < end), false);
	return (size_t)(at - s);
}

int
strcmp(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] != '\0' && a[i] == b[i])
		i++;
	asan_check(a, i + 1, false);
	asan_check(b, i + 1, false);
	return (u8)a[i] - (u8)b[i];
}

int
strncmp(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	while (i < n && a[i] != '\0' && a[i] == b[i])
		i++;
	asan_check(a, MIN(i + 1, n), false);
	asan_check(b, MIN(i + 1, n), false);
	return i < n ? (u8)a[i] - (u8)b[i] : 0;
}

size_t
strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size > 0) {
		size_t fits = MIN(len, size - 1);

		memcpy(dst, src, fits);
		dst[fits] = '\0';
	}
	return len;
}

void
page_zero(void *page)
{
	word *at = page, *end = at + PGSIZE / WORD;

	asan_check(page, PGSIZE, true);
	for (; at < end; at += 2 * UNROLL) {
		fill_block(at, 0);
		fill_block(at + UNROLL, 0);
	}
}

void
page_copy(void *dst, const void *src)
{
	word *to = dst, *end = to + PGSIZE / WORD;
	const word *from = src;

	asan_check(src, PGSIZE, false);
	asan_check(dst, PGSIZE, true);
	for (; to < end; to += 2 * UNROLL, from += 2 * UNROLL) {
		move_block(to, from);
		move_block(to + UNROLL, from + UNROLL);
	}
}
