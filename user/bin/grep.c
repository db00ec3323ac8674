/* SPDX-License-Identifier: MIT */
/*
 * grep - print the lines that match a pattern: grep PATTERN [FILE...]
 *
 *	^ at the start, $ at the end   the line's start and end
 *	.                              any character
 *	c*                             c as often as you like, or not at all
 *	\c                             c itself
 *
 * The pattern is at most 63 places, each a character or a dot, with or
 * without a star.  While a line is read, a word holds the set of places that
 * may be next: bit i is set if all before place i has been found.  So a line
 * is read once, whatever the pattern is, and nothing recurs.
 *
 * Status: 0 something matched, 1 nothing did, 2 trouble.
 */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

enum { FOUND = 0, NONE = 1, TROUBLE = 2, PLACES = 63 };

static struct {
	uint64 takes[256]; /* the places that take this character */
	uint64 stars;      /* the places with a star */
	uint64 done;       /* the bit behind the last place */
	int at_start;      /* only from the start of a line */
	int at_end;        /* only up to its end */
} pattern;

/* One line, as much of the next as has been read, and how much that is. */
static char *buf;
static uint buf_size = 4096;

static int
compile(const char *p)
{
	uint64 bit = 1;

	pattern.at_start = *p == '^';
	for (p += pattern.at_start; *p != '\0'; p++) {
		if (p[0] == '$' && p[1] == '\0') {
			pattern.at_end = 1;
			break;
		}
		if (bit == 1UL << PLACES)
			return -1;
		if (*p == '.') {
			for (int c = 0; c < 256; c++)
				pattern.takes[c] |= bit;
		} else {
			p += p[0] == '\\' && p[1] != '\0';
			pattern.takes[(uchar)*p] |= bit;
		}
		if (p[1] == '*') {
			pattern.stars |= bit;
			p++;
		}
		bit <<= 1;
	}
	pattern.done = bit;
	return 0;
}

/* A place with a star may be left out: add what is then next. */
static uint64
skip_stars(uint64 places)
{
	uint64 more = places;

	while ((more = (more & pattern.stars) << 1) & ~places)
		places |= more;
	return places;
}

static int
matches(const char *s, uint n)
{
	uint64 start = skip_stars(1);
	uint64 places = start;

	for (uint i = 0; i < n; i++) {
		uint64 taken;

		if ((places & pattern.done) && !pattern.at_end)
			return 1;
		taken = places & pattern.takes[(uchar)s[i]];
		places = (taken & pattern.stars) | (taken & ~pattern.stars)
							   << 1;
		places = skip_stars(places);
		if (!pattern.at_start)
			places |= start;
	}
	return (places & pattern.done) != 0;
}

static int
grow(uint used)
{
	char *larger = malloc(buf_size * 2);

	if (larger == 0)
		return -1;
	memcpy(larger, buf, used);
	free(buf);
	buf = larger;
	buf_size *= 2;
	return 0;
}

/* Print the lines among the used bytes of buf that match; returns the rest. */
static uint
grep_lines(uint used, int *status)
{
	uint start = 0;

	for (uint i = 0; i < used; i++) {
		if (buf[i] != '\n')
			continue;
		if (matches(buf + start, i - start)) {
			write(1, buf + start, i + 1 - start);
			*status = FOUND;
		}
		start = i + 1;
	}
	memmove(buf, buf + start, used - start);
	return used - start;
}

static int
grep(int fd, const char *name)
{
	int status = NONE;
	uint used = 0;
	int n;

	/* One byte stays free for the newline that the last line may lack. */
	while ((n = read(fd, buf + used, buf_size - 1 - used)) > 0) {
		used = grep_lines(used + n, &status);
		if (used == buf_size - 1 && grow(used) < 0) {
			fprintf(2, "grep: %s: no memory for a long line\n",
				name);
			return TROUBLE;
		}
	}
	if (n < 0) {
		fprintf(2, "grep: %s: cannot be read\n", name);
		return TROUBLE;
	}
	if (used > 0) {
		buf[used++] = '\n';
		grep_lines(used, &status);
	}
	return status;
}

int
main(int argc, char **argv)
{
	int status = NONE;
	int trouble = 0;

	if (argc < 2) {
		fprintf(2, "usage: grep PATTERN [FILE...]\n");
		return TROUBLE;
	}
	if (compile(argv[1]) < 0) {
		fprintf(2, "grep: the pattern has more than %d places\n",
			PLACES);
		return TROUBLE;
	}
	buf = malloc(buf_size);
	if (buf == 0) {
		fprintf(2, "grep: no memory\n");
		return TROUBLE;
	}
	if (argc == 2)
		return grep(0, "input");
	for (int i = 2; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);
		int one = TROUBLE;

		if (fd < 0) {
			fprintf(2, "grep: %s: cannot be opened\n", argv[i]);
		} else {
			one = grep(fd, argv[i]);
			close(fd);
		}
		trouble |= one == TROUBLE;
		if (one == FOUND)
			status = FOUND;
	}
	return trouble ? TROUBLE : status;
}
