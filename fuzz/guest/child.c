/* SPDX-License-Identifier: MIT */
/*
 * child.c - what programs of the fuzzer exec: it uses a little of each kind of
 * memory and ends with the status it is told.
 */
#include "kernel/types.h"
#include "user/user.h"

static volatile int data = 1; /* copied from the file when written to */
static volatile int bss;

int
main(int argc, char **argv)
{
	data += argc;
	bss += data;
	exit(argc < 2 ? 0 : atoi(argv[1]));
}
