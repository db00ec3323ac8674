/* SPDX-License-Identifier: MIT */
/*
 * runup.c - a ring of the last inputs.
 */
#include "fuzz/host/runup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void
runup_add(struct runup *r, const void *input, size_t n)
{
	unsigned at = r->count++ % RUNUP;

	if (n > INPUT_MAX)
		n = INPUT_MAX;
	r->size[at] = n;
	memcpy(r->input[at], input, n);
}

static bool
save_one(const char *folder, unsigned number, const void *data, size_t n)
{
	char path[4096];
	bool good;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%02u.bin", folder, number);
	f = fopen(path, "we");
	if (f == NULL)
		return false;
	good = fwrite(data, 1, n, f) == n;
	return fclose(f) == 0 && good;
}

bool
runup_save(const struct runup *r, const char *folder)
{
	unsigned long n = r->count < RUNUP ? r->count : RUNUP;

	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return false;
	for (unsigned long i = 0; i < n; i++) {
		unsigned at = (r->count - n + i) % RUNUP;

		if (!save_one(folder, (unsigned)i, r->input[at], r->size[at]))
			return false;
	}
	return true;
}
