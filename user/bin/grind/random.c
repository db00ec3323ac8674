/* SPDX-License-Identifier: MIT */
/* random.c - a worker's random numbers: a counter, and a mixer. */
#include "user/bin/grind/grind.h"

uint64 rng;

uint64
mix(uint64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

uint
draw(uint n)
{
	rng += 0x9e3779b97f4a7c15;
	return (mix(rng) >> 32) % n;
}
