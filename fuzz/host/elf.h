/* SPDX-License-Identifier: MIT */
/*
 * elf.h - a look into an ELF file of the guest's: where its symbols are, and
 * which function an address is in.
 */
#ifndef FUZZ_HOST_ELF_H
#define FUZZ_HOST_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf;

/* elf_open: NULL if it cannot be read, with one line in err (size bytes). */
struct elf *elf_open(const char *path, char *err, size_t size);
void elf_close(struct elf *e);

/* elf_symbol: the address of a symbol; false if there is none. */
bool elf_symbol(const struct elf *e, const char *name, uint64_t *addr);

/* elf_function: the function that addr is in and how far; NULL if in none. */
const char *elf_function(const struct elf *e, uint64_t addr, uint64_t *offset);

/*
 * elf_segment: where the i-th loadable segment is loaded, where it is mapped,
 * and its size in memory; false if there are fewer.
 */
bool elf_segment(const struct elf *e, unsigned i, uint64_t *pa, uint64_t *va,
	uint64_t *size);

#endif
