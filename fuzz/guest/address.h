/* SPDX-License-Identifier: MIT */
/*
 * address.h - what an ADDR of a program stands for in this process.
 */
#ifndef FUZZ_GUEST_ADDRESS_H
#define FUZZ_GUEST_ADDRESS_H

#include <stdbool.h>

#include "fuzz/wire/prog.h"

/* address_of: the address itself, good or hostile. */
uint64_t address_of(unsigned addr);

/* Where in the arena it always lies; false if it is not such a one. */
bool address_static(unsigned addr, uint64_t *offset);

/*
 * How many of the bytes at addr, counted from the first, the process may
 * write, or only read, at most n.
 */
uint64_t address_writable(uint64_t addr, uint64_t n);
uint64_t address_readable(uint64_t addr, uint64_t n);

/* How much a call writes to user memory besides what a read() reads, and
 * which argument says where; 0: nothing. */
unsigned address_out(const struct op *op, unsigned *arg);

#endif
