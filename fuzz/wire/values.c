/* SPDX-License-Identifier: MIT */
/*
 * values.c - what the values of arguments stand for, where they are looked up
 * in a table.  The tables are the wire's: a value may be replaced by one of
 * the same sort, but moving one changes every stored program.
 *
 * Most values of a table are sensible, for a program that fails at its first
 * call shows nothing; the hostile ones stand at the end.
 */
#include "fuzz/wire/prog.h"

#include "kernel/fcntl.h"

/* Both ends of a page, a word that just fits, one that does not, the middle. */
const uint16_t prog_places[PLACES] = {0, 8, 2048, 4088, 1, 512, 4092, 4095};

/* Around a pipe's capacity, a disk block, and a page. */
const int64_t prog_lengths[16] = {0, 1, 8, 100, 511, 512, 513, 1024, 2048, 4095,
	4096, 4097, 8192, 12288, 65536, -1};

/* 512 pages are what one leaf page table maps. */
const int32_t prog_breaks[16] = {0, 1, 2, 3, 8, 32, 200, 512, -1, -2, -3, -8,
	-16, -512, 100000, -100000};

/*
 * Files, a directory and what lies in it, names of things that are there in
 * any case, and bad ones: no folder, no letter, more than a directory entry
 * can hold, no string.
 */
const char *const prog_paths[16] = {"a", "b", "c", "d", "d/e", "d/f", "d/../a",
	"d/e/g", "dev", "/", ".", "..", "no/such", "", "longer-than-an-entry",
	NULL};

const uint16_t prog_modes[8] = {
	O_RDONLY,
	O_WRONLY,
	O_RDWR,
	O_RDONLY | O_CREATE,
	O_WRONLY | O_CREATE,
	O_RDWR | O_CREATE,
	O_RDWR | O_CREATE | O_TRUNC,
	O_WRONLY | O_TRUNC,
};

/* Not 1: that is init, and init must not be killed. */
const int32_t prog_bad_pids[BAD_PIDS] = {0, -1, 1000000, INT32_MIN};

/* Not 0 to 15: those could be open. */
const int32_t prog_bad_fds[BAD_FDS] = {-1, 16, 1000000, INT32_MIN};
