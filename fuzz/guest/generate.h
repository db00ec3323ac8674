/* SPDX-License-Identifier: MIT */
/* generate.h - programs made up, to try the executor itself. */
#ifndef FUZZ_GUEST_GENERATE_H
#define FUZZ_GUEST_GENERATE_H

#include "fuzz/wire/prog.h"

/* generate: into p, a program that depends on the seed alone. */
void generate(struct prog *p, uint32_t seed);

#endif
