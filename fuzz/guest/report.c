/* SPDX-License-Identifier: MIT */
/* report.c - to the monitor, or to the console if there is none. */
#include "fuzz/guest/lane.h"
#include "fuzz/guest/model.h"
#include "fuzz/guest/plan.h"
#include "fuzz/guest/report.h"
#include "kernel/types.h"
#include "user/user.h"

bool monitored;
int verdict_fd = -1;

static const struct {
	const char *name;
	const char *text;
} oracles[NORACLES] = {
#define ORACLE(name, text) [ORACLE_##name] = {#name, text},
#include "fuzz/monitor/oracles.def"
#undef ORACLE
};

long
usercall(long call, long a, long b, long c, long d)
{
	return monitored ? monitor_call(call, a, b, c, d) : 0;
}

static void
print(unsigned oracle, int op, uint64_t want, uint64_t got)
{
	int lane = op == NO_OP ? -1 : prog.ops[op].lane;

	printf("executor: %s %s: op %d lane %d, expected 0x%lx, found 0x%lx\n",
		oracles[oracle].name, oracles[oracle].text, op, lane, want,
		got);
	write(verdict_fd, "!", 1);
}

void
accuse(unsigned oracle, uint64_t want, uint64_t got)
{
	int op = oracle == ORACLE_model ? NO_OP : op_index();

	if (monitored)
		usercall(UC_REPORT, oracle, op, (long)want, (long)got);
	else
		print(oracle, op, want, got);
	if (self != NOBODY)
		lane_end(0, true);
}
