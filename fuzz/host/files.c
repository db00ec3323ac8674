/* SPDX-License-Identifier: MIT */
/*
 * files.c - programs in folders.
 */
#define _GNU_SOURCE
#include "fuzz/host/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void
append(struct files *files, char *path)
{
	if (path == NULL)
		abort();
	if (files->n == files->room) {
		files->room = files->room * 2 + 64;
		files->path = realloc(
			files->path, files->room * sizeof(*files->path));
		if (files->path == NULL)
			abort();
	}
	files->path[files->n++] = path;
}

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

static bool
is_program(const char *name)
{
	return ends_with(name, ".prog") || ends_with(name, ".bin") ||
	       strncmp(name, "id:", 3) == 0;
}

static bool
is_folder(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int
visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* add_folder: false if it cannot be read; errno says why. */
static bool
add_folder(struct files *files, const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, visible, alphasort);
	bool good = n >= 0;

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char *path;

		if (asprintf(&path, "%s/%s", folder, name) < 0)
			abort();
		if (is_folder(path)) {
			good = good && add_folder(files, path);
			free(path);
		} else if (is_program(name)) {
			append(files, path);
		} else {
			free(path);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return good;
}

bool
files_add(struct files *files, const char *path, char *err, size_t size)
{
	size_t before = files->n;

	if (!is_folder(path)) {
		append(files, strdup(path));
		return true;
	}
	if (!add_folder(files, path)) {
		snprintf(err, size, "%s: %s", path, strerror(errno));
		return false;
	}
	if (files->n == before) {
		snprintf(err, size, "%s: no programs in it (*.prog, *.bin)",
			path);
		return false;
	}
	return true;
}

void
files_free(struct files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->path[i]);
	free(files->path);
	*files = (struct files){0};
}
