/* SPDX-License-Identifier: MIT */
/*
 * load.c - programs out of files, in whichever of the two forms they are.
 * The letters that a binary program begins with are the start of no text.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/wire/text.h"

enum { FILE_MAX = 1 << 18 }; /* comments included */

/* All of a file; returns its size, or -1. */
static long
read_all(const char *path, char *to, size_t size, char *err, size_t errsize)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	size_t n;
	int failed;

	if (file == NULL) {
		snprintf(err, errsize, "%s: %s", path, strerror(errno));
		return -1;
	}
	n = fread(to, 1, size, file);
	failed = ferror(file);
	if (failed)
		snprintf(err, errsize, "%s: %s", path, strerror(errno));
	if (file != stdin)
		fclose(file);
	return failed ? -1 : (long)n;
}

int
prog_load(struct prog *p, const char *path, char *err, size_t size)
{
	static char text[FILE_MAX + 1];
	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
	long n = read_all(path, text, sizeof(text), err, size);

	if (n < 0)
		return -1;
	if (n > FILE_MAX) {
		snprintf(err, size,
			"%s: longer than any program, expected at "
			"most %d bytes",
			name, FILE_MAX);
		return -1;
	}
	if (n < 3 || memcmp(text, "SP1", 3) != 0)
		return prog_parse(p, name, text, (size_t)n, err, size);
	if (prog_decode(p, text, (size_t)n) == PROG_OK)
		return 0;
	snprintf(err, size,
		"%s: %ld bytes of a binary program, expected at "
		"least %d",
		name, n, PROG_HEAD);
	return -1;
}
