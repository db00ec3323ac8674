/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - what an input's end means.
 */
#ifndef FUZZ_HOST_VERDICT_H
#define FUZZ_HOST_VERDICT_H

#include "fuzz/host/vm.h"

/* verdict_reach: r's class, what and detail, by its box and its console. */
void verdict_reach(struct vm_result *r);

#endif
