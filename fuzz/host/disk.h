/* SPDX-License-Identifier: MIT */
/*
 * disk.h - files and folders that must survive a kill.  What returns an int
 * gives 0, or -1 with errno set.
 */
#ifndef FUZZ_HOST_DISK_H
#define FUZZ_HOST_DISK_H

#include <stddef.h>
#include <stdint.h>

/* disk_make: a folder, with those above it; it may be there already. */
int disk_make(const char *path);

/* disk_remove: a folder of ours, with all that is in it.  What cannot be
 * removed stays. */
void disk_remove(const char *path);

/* disk_sync: the names in a folder, as far as the file system can. */
void disk_sync(const char *folder);

/*
 * disk_append: a line, without its end, to a file that is made if need be.
 * After a kill it is there or not; a power cut may leave a part of it without
 * its end, and then the next line begins behind an end of its own.
 */
int disk_append(const char *path, const char *line);

/* disk_copy: a file's contents and permissions. */
int disk_copy(const char *from, const char *to);

/* disk_hash: go on with *hash over a file's contents. */
int disk_hash(const char *path, uint64_t *hash);

#endif
