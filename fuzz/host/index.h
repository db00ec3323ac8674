/* SPDX-License-Identifier: MIT */
/*
 * index.h - the summary of a store, for other programs.
 */
#ifndef FUZZ_HOST_INDEX_H
#define FUZZ_HOST_INDEX_H

#include <stdio.h>

#include "fuzz/host/store.h"

/* index_write: as JSON: an object with two lists, "findings" by number and
 * "unreproduced".  Paths in it begin at the store. */
void index_write(const struct store *s, FILE *to);

#endif
