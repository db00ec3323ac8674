/* SPDX-License-Identifier: MIT */
/*
 * mem.c - fill, copy and compare memory, a word at a time where the
 * addresses allow.
 *
 * Words are only ever used at aligned addresses.  A copy or comparison can do
 * that if both sides are equally far from alignment; otherwise it goes by
 * bytes.  The functions here must not be turned into calls of themselves,
 * hence the pragma.
 */
#include "kernel/types.h"
#include "user/user.h"
#include "user/lib/weak.h"

#pragma GCC optimize("no-tree-loop-distribute-patterns")

enum { WORD = sizeof(uint64) };

typedef uint64 __attribute__((may_alias)) word;

/* How many bytes lie between p and the next word boundary. */
static uint64
to_boundary(const void *p)
{
	return -(uint64)p % WORD;
}

/* Can a and b be brought to a word boundary by the same step? */
static int
coaligned(const void *a, const void *b)
{
	return ((uint64)a ^ (uint64)b) % WORD == 0;
}

WEAK void *
memset(void *dst, int c, uint n)
{
	uchar *d = dst;
	uchar *end = d + n;
	uint64 fill = (uchar)c * 0x0101010101010101UL;

	if (n >= 2 * WORD) {
		for (uchar *stop = d + to_boundary(d); d < stop; d++)
			*d = c;
		for (; end - d >= 4 * WORD; d += 4 * WORD) {
			((word *)d)[0] = fill;
			((word *)d)[1] = fill;
			((word *)d)[2] = fill;
			((word *)d)[3] = fill;
		}
		for (; end - d >= WORD; d += WORD)
			*(word *)d = fill;
	}
	while (d < end)
		*d++ = c;
	return dst;
}

/* Copy upwards: right if dst does not begin inside src. */
static void
copy_up(uchar *d, const uchar *s, uint64 n)
{
	if (n >= 2 * WORD && coaligned(d, s)) {
		for (; (uint64)d % WORD; n--)
			*d++ = *s++;
		for (; n >= 4 * WORD; n -= 4 * WORD) {
			word a = ((const word *)s)[0];
			word b = ((const word *)s)[1];
			word x = ((const word *)s)[2];
			word y = ((const word *)s)[3];

			((word *)d)[0] = a;
			((word *)d)[1] = b;
			((word *)d)[2] = x;
			((word *)d)[3] = y;
			d += 4 * WORD;
			s += 4 * WORD;
		}
		for (; n >= WORD; n -= WORD) {
			*(word *)d = *(const word *)s;
			d += WORD;
			s += WORD;
		}
	}
	while (n-- > 0)
		*d++ = *s++;
}

/* Copy downwards from the ends: right if dst does not end inside src. */
static void
copy_down(uchar *d, const uchar *s, uint64 n)
{
	d += n;
	s += n;
	if (n >= 2 * WORD && coaligned(d, s)) {
		for (; (uint64)d % WORD; n--)
			*--d = *--s;
		for (; n >= WORD; n -= WORD) {
			d -= WORD;
			s -= WORD;
			*(word *)d = *(const word *)s;
		}
	}
	while (n-- > 0)
		*--d = *--s;
}

WEAK void *
memcpy(void *dst, const void *src, uint n)
{
	copy_up(dst, src, n);
	return dst;
}

WEAK void *
memmove(void *dst, const void *src, int n)
{
	if (n <= 0)
		return dst;
	if ((uint64)dst - (uint64)src < (uint64)n)
		copy_down(dst, src, n);
	else
		copy_up(dst, src, n);
	return dst;
}

WEAK int
memcmp(const void *a, const void *b, uint n)
{
	const uchar *p = a;
	const uchar *q = b;

	if (n >= 2 * WORD && coaligned(p, q)) {
		for (; (uint64)p % WORD && *p == *q; n--) {
			p++;
			q++;
		}
		/* Stops before the word that differs; the bytes tell how. */
		while ((uint64)p % WORD == 0 && n >= WORD &&
			*(const word *)p == *(const word *)q) {
			p += WORD;
			q += WORD;
			n -= WORD;
		}
	}
	for (; n > 0; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}
