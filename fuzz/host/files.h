/* SPDX-License-Identifier: MIT */
/*
 * files.h - the programs that a command line names.
 */
#ifndef FUZZ_HOST_FILES_H
#define FUZZ_HOST_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct files {
	char **path;
	size_t n;
	size_t room;
};

/*
 * files_add: a file; or, of a folder and those in it, all that are called
 * *.prog or *.bin, or id:* as AFL++ does, in order.  False if there is
 * nothing, with one line in err.
 */
bool files_add(struct files *files, const char *path, char *err, size_t size);

void files_free(struct files *files);

#endif
