/* SPDX-License-Identifier: MIT */
/*
 * features.h - what AFL++ is shown of a run: the edges of the kernel's code,
 * and states that no edge tells of.
 *
 * A map is the guest's COVER_SIZE bytes of edges and then FEATURES_SIZE bytes,
 * one for each state.  Everything in it must be the same whenever the same
 * input runs: AFL++ gives up every byte that it sees vary.
 */
#ifndef FUZZ_HOST_FEATURES_H
#define FUZZ_HOST_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/host/vm.h"

enum {
	FEATURES_SIZE = 4096,
	FEATURES_MAP = COVER_SIZE + FEATURES_SIZE,
};

#define FEATURES_DEFAULT "edges,results,verdict"

/*
 * features_parse: a set from a list of names with commas between them.  False
 * if one is unknown, with a line that names those that there are in err.
 */
bool features_parse(const char *list, unsigned *set, char *err, size_t size);

/* features_size: how much of a map this set needs. */
size_t features_size(unsigned set);

/* features_trace: does this set need the trace in the mailbox? */
bool features_trace(unsigned set);

/*
 * features_fill: enter what the run of input did into a map that is all zero
 * and at least features_size(set) bytes long.
 */
void features_fill(unsigned set, const void *input, size_t n,
	const struct vm_result *r, uint8_t *map);

#endif
