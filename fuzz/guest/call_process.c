/* SPDX-License-Identifier: MIT */
/* call_process.c - operations on processes, and time. */
#include "fuzz/guest/address.h"
#include "fuzz/guest/lane.h"
#include "fuzz/guest/memory.h"
#include "fuzz/guest/model.h"
#include "fuzz/guest/plan.h"
#include "fuzz/guest/report.h"
#include "kernel/types.h"
#include "user/user.h"

#define NOWHERE ((char *)0xffffffc080000000UL) /* the kernel's memory */

long
do_fork(const uint16_t *arg)
{
	unsigned i = (unsigned)op_index();
	long pid = lane_fork(plan_child(i, model.index), arg[0],
		plan.child[i] + model.index);

	if (pid == BORN)
		model.next = 0;
	else if (pid > 0)
		model.lane_pid[arg[0]] = (int32_t)pid;
	return pid;
}

long
do_exit(const uint16_t *arg)
{
	lane_end(arg[0], false);
}

/* ---- wait */

/* The operation whose child has that id, or NO_OP. */
static int
kid_of(long pid)
{
	for (int i = 0; i < prog.nops; i++)
		if ((model.kids & 1UL << i) && model.kid[i] == pid)
			return i;
	return NO_OP;
}

static void
wait_refused(uint64_t at, bool hostile)
{
	uint32_t lo = (uint32_t)(at - arena.start);

	if (hostile)
		memory_doubt((unsigned)op_index(), lo,
			lo + (uint32_t)address_writable(at, 4));
	else if (model.kids != 0 && !may_fail())
		accuse(ORACLE_reap, (uint64_t)model.kids, (uint64_t)-1);
}

/* The kernel has left a status word there. */
static int
status_taken(uint64_t at)
{
	uint32_t lo = (uint32_t)(at - arena.start);
	int status;

	memcpy(&status, (void *)at, sizeof(status));
	memory_take((unsigned)op_index(), lo, lo + sizeof(status));
	memory_check_around(lo, lo + sizeof(status));
	return status;
}

long
do_wait(const uint16_t *arg)
{
	uint64_t at = address_of(arg[0]);
	bool hostile = at != 0 && address_writable(at, 4) < 4;
	long pid = wait((int *)at);
	int i;

	if (pid == -1) {
		wait_refused(at, hostile);
		return pid;
	}
	i = kid_of(pid);
	if (i == NO_OP || hostile) {
		accuse(ORACLE_value, (uint64_t)-1, (uint64_t)pid);
		return pid;
	}
	model.kids &= ~(1UL << i);
	if (at == 0)
		lane_lost_status((unsigned)i);
	else
		lane_reaped((unsigned)i, status_taken(at));
	return pid;
}

/* ---- kill, getpid */

static long
pid_meant(unsigned value)
{
	if (value < LANES_MAX)
		return model.lane_pid[value];
	return prog_bad_pids[value - PID_BAD];
}

long
do_kill(const uint16_t *arg)
{
	bool named = arg[0] < LANES_MAX && model.lane_pid[arg[0]] != 0;
	long pid, got;

	if (arg[0] == PID_SELF) {
		lane_die();
		return 0;
	}
	pid = pid_meant(arg[0]);
	got = kill((int)pid);
	/* Who is not our child may be gone already. */
	if (!named && got != -1)
		accuse(ORACLE_value, (uint64_t)-1, (uint64_t)got);
	else if (kid_of(pid) != NO_OP && got != 0)
		accuse(ORACLE_value, 0, (uint64_t)got);
	else if (got != 0 && got != -1)
		accuse(ORACLE_value, 0, (uint64_t)got);
	return got;
}

long
do_getpid(const uint16_t *arg)
{
	long pid = getpid();

	if (pid <= 0 || (model.pid != 0 && model.pid != pid))
		accuse(ORACLE_value, (uint64_t)model.pid, (uint64_t)pid);
	model.pid = (int32_t)pid;
	return pid;
}

/* ---- exec */

enum { ARGS = 20, DIGITS = 12 };

#define TEN(s)     s s s s s s s s s s
#define HUNDRED(s) TEN(TEN(s))

static const char long_arg[] = HUNDRED("twenty letters in it");
_Static_assert(sizeof(long_arg) == LONG_ARG + 1, "as long as it says");

static char *
decimal(int n, char *digits)
{
	char *at = digits + DIGITS - 1;

	*at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return at;
}

/* The program that ends at once, with that status. */
static long
exec_child(unsigned image, char *status)
{
	char *argv[ARGS + 1] = {"fuzzchild", status};

	if (image == IMAGE_LONG)
		argv[2] = (char *)long_arg;
	if (image == IMAGE_ARGS)
		for (int i = 2; i < ARGS; i++)
			argv[i] = "argument";
	if (image == IMAGE_BAD_ARGV)
		return exec("/fuzzchild", (char **)NOWHERE);
	return exec("/fuzzchild", argv);
}

static long
exec_other(unsigned image)
{
	static const char *const paths[] = {
		[IMAGE_MISSING] = "missing",
		[IMAGE_DIRECTORY] = ".",
		[IMAGE_BAD_PATH] = NOWHERE,
	};
	char *argv[] = {"fuzzchild", 0};

	return exec(image == IMAGE_FILE ? prog_paths[0] : paths[image], argv);
}

long
do_exec(const uint16_t *arg)
{
	bool good = arg[0] <= IMAGE_LONG;
	char digits[DIGITS];
	long got;

	memory_check_written();
	if (good || arg[0] == IMAGE_BAD_ARGV)
		got = exec_child(arg[0],
			decimal(lane_status(EXEC_STATUS, false), digits));
	else
		got = exec_other(arg[0]);
	if (got != -1 || (good && !may_fail()))
		accuse(ORACLE_value, good ? 0 : (uint64_t)-1, (uint64_t)got);
	return got;
}

/* ---- time */

long
do_pause(const uint16_t *arg)
{
	long got = pause(arg[0]);

	if (got != 0)
		accuse(ORACLE_value, 0, (uint64_t)got);
	return got;
}

/* Not its result, for the monitor: it depends on when. */
long
do_uptime(const uint16_t *arg)
{
	uint32_t now = (uint32_t)uptime();

	if (now < model.clock)
		accuse(ORACLE_value, model.clock, now);
	model.clock = now;
	return 0;
}
