/* SPDX-License-Identifier: MIT */
/*
 * capture.h - the output of another program.
 */
#ifndef FUZZ_HOST_CAPTURE_H
#define FUZZ_HOST_CAPTURE_H

#include <stddef.h>

/*
 * capture: run argv, found by PATH, without input and without its messages.
 * The start of what it prints goes to out, NUL-terminated; the rest is lost.
 * Returns 0 if it was there and ended well; else -1, and out may be anything.
 */
int capture(const char *const argv[], char *out, size_t size);

#endif
