/* SPDX-License-Identifier: MIT */
/*
 * out.c - text that grows.
 */
#include "fuzz/wire/out.h"

#include <stdarg.h>
#include <stdio.h>

void
out_put(struct out *out, const char *form, ...)
{
	size_t room = out->n < out->size ? out->size - out->n : 0;
	va_list args;
	int n;

	va_start(args, form);
	n = vsnprintf(room ? out->to + out->n : NULL, room, form, args);
	va_end(args);
	out->n += (size_t)n;
}
