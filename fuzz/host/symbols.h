/* SPDX-License-Identifier: MIT */
/*
 * symbols.h - addresses of the kernel as function, file and line.
 */
#ifndef FUZZ_HOST_SYMBOLS_H
#define FUZZ_HOST_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "fuzz/host/elf.h"

enum { SYMBOLS_MAX = 192 }; /* addresses of one table */

struct symbols;

/*
 * symbols_of: look up n addresses in the ELF file at path, all at once, for
 * starting addr2line takes longer than asking it.  kernel is the same file
 * and serves where addr2line does not; it may be NULL.  NULL if there is no
 * memory.
 */
struct symbols *symbols_of(const char *path, const struct elf *kernel,
	const uint64_t *addrs, size_t n);

/*
 * symbols_print: a line for the function that addr is in, and one for each
 * that it is inlined into; each begins with prefix.
 */
void symbols_print(
	const struct symbols *s, uint64_t addr, FILE *to, const char *prefix);

void symbols_free(struct symbols *s);

#endif
