/* SPDX-License-Identifier: MIT */
/*
 * worker.c - one of the processes that do the work: it draws an operation,
 * does it, and beats now and then, until nobody listens.
 */
#include "user/bin/grind/grind.h"

static const struct op {
	const char *name;
	uint weight;
	void (*run)(void);
} ops[] = {
	{"open", 12, op_open},
	{"close", 6, op_close},
	{"dup", 4, op_dup},
	{"read", 16, op_read},
	{"write", 16, op_write},
	{"fstat", 6, op_fstat},
	{"link", 6, op_link},
	{"unlink", 6, op_unlink},
	{"folder", 3, op_folder},
	{"device", 2, op_device},
	{"fill", 2, op_fill},
	{"fork", 8, op_fork},
	{"orphan", 3, op_orphan},
	{"kill", 4, op_kill},
	{"pipe", 6, op_pipe},
	{"exec", 4, op_exec},
	{"sbrk", 6, op_sbrk},
	{"stray", 1, op_stray},
	{"badfd", 3, op_badfd},
	{"badptr", 3, op_badptr},
	{"time", 1, op_time},
};

static void
one_operation(void)
{
	const struct op *op = ops;
	uint total = 0;
	uint at;

	for (uint i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		total += ops[i].weight;
	for (at = draw(total); at >= op->weight; op++)
		at -= op->weight;
	step = op->name;
	nops++;
	op->run();
}

void
work(void)
{
	step = "start";
	rng = mix(seed * 64UL + worker);
	count_descriptors();
	enter_folder();
	stamp_arena(rng);
	do {
		for (int i = 0; i < OPS_PER_BEAT; i++)
			one_operation();
	} while (write(beat, nlacks ? "l" : "b", 1) == 1);
	step = "end";
	leave_folder();
	exit(0);
}
