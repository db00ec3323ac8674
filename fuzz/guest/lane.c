/* SPDX-License-Identifier: MIT */
/*
 * lane.c - a process makes its lane's operations, one after the other.
 *
 * Each is one function, do_<name>(), which makes the call and judges its
 * result; the files beside this one hold them by noun.  Before and after, the
 * model is checked and sealed.  A fork's child comes out of the same function
 * with BORN, and by then model.lane and model.next say what it has to do.
 */
#include "fuzz/guest/lane.h"
#include "fuzz/guest/memory.h"
#include "fuzz/guest/model.h"
#include "fuzz/guest/plan.h"
#include "fuzz/guest/report.h"
#include "kernel/types.h"
#include "user/stampede.h"
#include "user/user.h"

static long (*const calls[NCALLS])(const uint16_t *) = {
#define CALL(name, ...) [CALL_##name] = do_##name,
#include "fuzz/wire/calls.def"
#undef CALL
};

bool
may_fail(void)
{
	return plan.scarce || prog.ops[op_index()].prop == PROP_FAIL;
}

/* ---- ending */

static unsigned
count_bits(uint64_t bits)
{
	unsigned n = 0;

	for (; bits != 0; bits &= bits - 1)
		n++;
	return n;
}

int
lane_status(unsigned status, bool guilty)
{
	unsigned left = model.left + count_bits(model.kids);

	if (left > STATUS_LEFT_MASK)
		model.unsure = true;
	return (int)((status & STATUS_OWN) |
		     (left & STATUS_LEFT_MASK) << STATUS_LEFT_SHIFT |
		     (unsigned)(self + 1) << STATUS_INSTANCE_SHIFT |
		     (model.unsure ? STATUS_UNSURE : 0) |
		     (guilty ? STATUS_GUILTY : 0));
}

void
lane_end(unsigned status, bool guilty)
{
	if (!guilty)
		memory_check_written();
	if (!model.deputy)
		usercall(UC_LEAVE, model.lane, 0, 0, 0);
	exit(lane_status(status, guilty));
}

/* ---- children */

/* A process id that no child of ours has. */
static bool
is_new(long pid)
{
	for (unsigned i = 0; i < prog.nops; i++)
		if ((model.kids & 1UL << i) && model.kid[i] == pid)
			return false;
	return pid > 0 && pid != model.pid;
}

long
lane_fork(unsigned instance, unsigned lane, unsigned index)
{
	long pid;

	model.solo = 0;
	pid = fork();
	if (pid == 0) {
		model_become(instance, lane, index);
		return BORN;
	}
	if (pid == -1 ? !may_fail() : !is_new(pid))
		accuse(ORACLE_value, 1, (uint64_t)pid);
	if (pid > 0) {
		model.kid[op_index()] = (int32_t)pid;
		model.kids |= 1UL << op_index();
	}
	return pid;
}

/* Of what it said about itself, all but its own status. */
static bool
names_instance(int status, unsigned instance)
{
	unsigned said = (unsigned)status >> STATUS_INSTANCE_SHIFT;

	return (said & STATUS_INSTANCE_MASK) == instance + 1;
}

static bool
ends_rightly(unsigned i, int status)
{
	const struct op *op = &prog.ops[i];
	int own = status == KILLED ? KILLED : status & STATUS_OWN;
	unsigned instance;

	if (op->prop == PROP_ASYNC) {
		instance = plan_deputy(i, model.index);
		if (!plan_deputy_ends(i, own))
			return false;
	} else {
		instance = plan_child(i, model.index);
		if (!plan_lane_ends(op->arg[0], own))
			return false;
	}
	return status == KILLED || names_instance(status, instance);
}

/* The lane of the child that op i has made. */
static unsigned
kid_lane(unsigned i)
{
	const struct op *op = &prog.ops[i];

	return op->prop == PROP_ASYNC ? op->lane : op->arg[0];
}

static void
count_left(unsigned i, int status)
{
	if (status == KILLED) {
		if (plan.parents & 1U << kid_lane(i))
			model.unsure = true;
		return;
	}
	model.left += (unsigned)status >> STATUS_LEFT_SHIFT & STATUS_LEFT_MASK;
	if (status & STATUS_UNSURE)
		model.unsure = true;
}

void
lane_reaped(unsigned i, int status)
{
	count_left(i, status);
	if (status != KILLED && (status & STATUS_GUILTY))
		return;
	if (!ends_rightly(i, status))
		accuse(ORACLE_status, 0, (uint64_t)(int64_t)status);
}

void
lane_lost_status(unsigned i)
{
	if (plan.parents & 1U << kid_lane(i))
		model.unsure = true;
}

/* ---- operations */

void
lane_die(void)
{
	long pid;

	memory_check_written();
	pid = getpid();
	kill((int)pid);
	accuse(ORACLE_survive, (uint64_t)pid, 0);
}

static long
make(const struct op *op)
{
	return calls[op->call](op->arg);
}

/* A child makes the call, and ends. */
static long
send_deputy(unsigned i)
{
	long result =
		lane_fork(plan_deputy(i, model.index), model.lane, model.index);

	if (result != BORN)
		return result;
	model.deputy = true;
	if (make(&prog.ops[i]) != BORN)
		lane_end(0, false);
	return BORN;
}

static long
make_failing(const struct op *op)
{
	long result;

	failnth(op->n);
	result = make(op);
	if (result != BORN)
		failnth(0);
	return result;
}

static void
step(unsigned i)
{
	const struct op *op = &prog.ops[i];
	long result = 0;

	if (op->prop == PROP_KILL)
		lane_die();
	else if (op->prop == PROP_ASYNC)
		result = send_deputy(i);
	else if (op->prop == PROP_FAIL)
		result = make_failing(op);
	else
		result = make(op);
	model_seal();
	if (result != BORN)
		usercall(UC_STEP, i, result, 0, 0);
}

/* From operation i on, the first that this lane has to make. */
static unsigned
next_own(unsigned i)
{
	while (i < prog.nops &&
		(prog.ops[i].lane != model.lane || (plan.off & 1UL << i)))
		i++;
	return i;
}

void
lane_run(void)
{
	unsigned i;

	while ((i = next_own(model.next)) < prog.nops) {
		model_check();
		model.next = (uint8_t)(i + 1);
		step(i);
	}
	lane_end(0, false);
}

/* ---- the harness's own operations */

enum { MEET_TRIES = 4 };

/*
 * Who it waits for may never come, so it does not wait for ever.  Of a lane's
 * processes one is enough to wait.
 */
long
do_meet(const uint16_t *arg)
{
	int tries = monitored ? MEET_TRIES : 1;

	if (model.index > 0)
		tries = 0;
	while (usercall(UC_MEET, arg[0], arg[1], model.lane, 0) != 1 &&
		tries-- > 0)
		pause(1);
	return 0;
}

long
do_audit(const uint16_t *arg)
{
	long found = audit();

	if (found > 0)
		accuse(ORACLE_leak, 0, (uint64_t)found);
	return found;
}
