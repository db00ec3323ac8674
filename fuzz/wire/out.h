/* SPDX-License-Identifier: MIT */
/*
 * out.h - text that grows in a place of fixed size.
 */
#ifndef FUZZ_WIRE_OUT_H
#define FUZZ_WIRE_OUT_H

#include <stddef.h>

/* What does not fit is counted and left out, so n is what snprintf returns. */
struct out {
	char *to;
	size_t size;
	size_t n;
};

/* out_put: add to it, as printf does. */
void out_put(struct out *out, const char *form, ...)
	__attribute__((format(printf, 2, 3)));

#endif
