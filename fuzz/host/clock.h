/* SPDX-License-Identifier: MIT */
/*
 * clock.h - any of the system's clocks in milliseconds: for limits, and for
 * people, but never for what an input does.
 */
#ifndef FUZZ_HOST_CLOCK_H
#define FUZZ_HOST_CLOCK_H

#include <time.h>

/* clock_ms: 0 if there is no such clock, as when its process is gone. */
static inline double
clock_ms(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		return 0;
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

#endif
