/* SPDX-License-Identifier: MIT */
/* string.c - NUL-terminated strings. */
#include "kernel/types.h"
#include "user/user.h"
#include "user/lib/weak.h"

#pragma GCC optimize("no-tree-loop-distribute-patterns")

#define ONES  0x0101010101010101UL
#define HIGHS 0x8080808080808080UL

typedef uint64 __attribute__((may_alias)) word;

/*
 * Reads whole aligned words, and so past the end of the string; but never
 * past the page of its NUL, for an aligned word does not straddle pages.
 */
WEAK uint
strlen(const char *s)
{
	const char *p = s;

	for (; (uint64)p % sizeof(word); p++)
		if (*p == '\0')
			return p - s;
	/* The term has a bit set if and only if one of the bytes is zero. */
	for (;; p += sizeof(word)) {
		uint64 w = *(const word *)p;

		if ((w - ONES) & ~w & HIGHS)
			break;
	}
	while (*p != '\0')
		p++;
	return p - s;
}

WEAK char *
strcpy(char *dst, const char *src)
{
	memcpy(dst, src, strlen(src) + 1);
	return dst;
}

WEAK int
strcmp(const char *a, const char *b)
{
	for (; *a != '\0' && *a == *b; a++)
		b++;
	return (uchar)*a - (uchar)*b;
}

/* Returns 0 if c is not in s; the NUL counts as not in it, as in xv6. */
WEAK char *
strchr(const char *s, char c)
{
	for (; *s != '\0'; s++)
		if (*s == c)
			return (char *)s;
	return 0;
}

/* Decimal digits up to the first other character; no sign, as in xv6. */
WEAK int
atoi(const char *s)
{
	uint n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (*s - '0');
	return n;
}
