/* SPDX-License-Identifier: MIT */
/*
 * runup.h - the last inputs before QEMU died, kept to look into it.
 */
#ifndef FUZZ_HOST_RUNUP_H
#define FUZZ_HOST_RUNUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/monitor/mailbox.h"

enum { RUNUP = 16 };

struct runup {
	unsigned long count; /* of all that came */
	size_t size[RUNUP];
	uint8_t input[RUNUP][INPUT_MAX];
};

/* runup_add: an input that is about to run. */
void runup_add(struct runup *r, const void *input, size_t n);

/*
 * runup_save: write them to folder, which is made, as 00.bin (the oldest) and
 * so on.  False if that failed; errno says why.
 */
bool runup_save(const struct runup *r, const char *folder);

#endif
