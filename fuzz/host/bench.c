/* SPDX-License-Identifier: MIT */
/*
 * bench.c - `stampede-fuzz bench`: how many executions a second there are,
 * and where the time goes.
 *
 * Each program is measured twice.  As AFL++ would run it: this process plays
 * afl-fuzz, with the same pipes and shared memory, clears and reads the map as
 * that does, and everything is on one CPU.  And directly, with the clocks of
 * guest and host on, for the phases:
 *
 *	run      the program itself, from its delivery to the last audit
 *	audit    the last audit
 *	restore  putting memory back
 *	rest     ringing each other, mailbox and map
 *
 * The output is one JSON object a line; scripts/fuzz_bench.py adds baselines.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/host/clock.h"
#include "fuzz/host/commands.h"
#include "fuzz/host/features.h"
#include "fuzz/host/options.h"
#include "fuzz/wire/text.h"

enum {
	CONTROL_FD = 198,
	STATUS_FD = 199,
	WARM_UP = 50, /* runs that are not counted: QEMU translates */
	FAILURES = 11,
	CASE_SIZE = 1 << 20,
};

static const char name[] = "bench";

struct server {
	pid_t pid;
	int control;
	int status;
	uint8_t *map;
	uint8_t *test_case;
	size_t map_size;
};

static double
now_us(void)
{
	return 1e3 * clock_ms(CLOCK_MONOTONIC);
}

/* ---- as AFL++ runs it */

static void *
segment(size_t size, const char *variable)
{
	int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
	void *at = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
	char text[16];

	if (at == (void *)-1)
		options_fail(name, "no shared memory: %s", strerror(errno));
	/* Goes when the last of us does, however that ends. */
	shmctl(id, IPC_RMID, NULL);
	snprintf(text, sizeof(text), "%d", id);
	setenv(variable, text, 1);
	return at;
}

static void
exec_server(const struct vm_config *config, int control, int status)
{
	const char *argv[] = {
		"stampede-fuzz",
		"afl",
		"--kernel",
		config->kernel,
		"--monitor",
		config->monitor,
		"--append",
		config->append ? config->append : "batch",
		config->qemu ? "--qemu" : NULL,
		config->qemu,
		NULL,
	};

	if (dup2(control, CONTROL_FD) < 0 || dup2(status, STATUS_FD) < 0)
		_exit(EXIT_BROKEN);
	execv("/proc/self/exe", (char **)argv);
	_exit(EXIT_BROKEN);
}

static bool
get_word(const struct server *s, uint32_t *word)
{
	return read(s->status, word, sizeof(*word)) == sizeof(*word);
}

static bool
put_word(const struct server *s, uint32_t word)
{
	return write(s->control, &word, sizeof(word)) == sizeof(word);
}

static void
start_server(struct server *s, const struct vm_config *config)
{
	int there[2], back[2];
	uint32_t hello;

	s->map_size = FEATURES_MAP;
	s->map = segment(s->map_size, "__AFL_SHM_ID");
	s->test_case = segment(CASE_SIZE, "__AFL_SHM_FUZZ_ID");
	if (pipe2(there, O_CLOEXEC) < 0 || pipe2(back, O_CLOEXEC) < 0)
		options_fail(name, "no pipe: %s", strerror(errno));
	s->pid = fork();
	if (s->pid == 0)
		exec_server(config, there[0], back[1]);
	close(there[0]);
	close(back[1]);
	s->control = there[1];
	s->status = back[0];
	if (s->pid < 0 || !get_word(s, &hello) || !put_word(s, hello))
		options_fail(name, "the server does not come up; try: "
				   "stampede-fuzz run");
}

static void
stop_server(struct server *s)
{
	close(s->control);
	close(s->status);
	waitpid(s->pid, NULL, 0);
	shmdt(s->map);
	shmdt(s->test_case);
}

/* What afl-fuzz does with a map: clear it before, look at all of it after. */
static unsigned
look_at_map(const struct server *s)
{
	const uint64_t *word = (const uint64_t *)s->map;
	unsigned n = 0;

	for (size_t i = 0; i < s->map_size / sizeof(*word); i++)
		n += word[i] != 0;
	return n;
}

static uint32_t
run_server(const struct server *s, const void *bytes, uint32_t n)
{
	uint32_t pid, status;

	memset(s->map, 0, s->map_size);
	memcpy(s->test_case, &n, sizeof(n));
	memcpy(s->test_case + sizeof(n), bytes, n);
	if (!put_word(s, 0) || !get_word(s, &pid) || !get_word(s, &status))
		options_fail(name, "the server has ended");
	if (look_at_map(s) == 0)
		options_fail(name, "a run gave no coverage at all");
	return status;
}

static double
measure_server(const struct vm_config *config, const void *bytes, size_t n,
	unsigned secs, const char *path)
{
	struct server s;
	double start, end;
	unsigned long runs = 0;

	start_server(&s, config);
	for (int i = 0; i < WARM_UP; i++)
		if (run_server(&s, bytes, (uint32_t)n) != 0)
			options_fail(
				name, "%s fails; try: stampede-fuzz run", path);
	start = now_us();
	do {
		run_server(&s, bytes, (uint32_t)n);
		runs++;
		end = now_us();
	} while (end - start < secs * 1e6);
	stop_server(&s);
	return (double)runs * 1e6 / (end - start);
}

/* ---- the phases */

struct phases {
	double boot; /* ms, until the snapshot */
	double run;
	double audit;
	double restore;
	double all;
};

static void
measure_phases(const struct vm_config *config, const void *bytes, size_t n,
	unsigned secs, struct phases *p)
{
	double start = now_us();
	char err[512];
	struct vm *vm = vm_open(config, err, sizeof(err));
	struct vm_result r;
	unsigned long runs = 0;

	if (vm == NULL)
		options_fail(name, "%s", err);
	memset(p, 0, sizeof(*p));
	p->boot = (now_us() - start) / 1e3;
	for (int i = 0; i < WARM_UP; i++)
		vm_run(vm, bytes, n, &r);
	vm_clock(vm, true);
	start = now_us();
	do {
		if (vm_run(vm, bytes, n, &r) != VM_PASS)
			options_fail(name, "it failed: %s", r.what);
		p->run +=
			(double)(r.box->clock_audit - r.box->clock_start) / 10;
		p->audit +=
			(double)(r.box->clock_end - r.box->clock_audit) / 10;
		p->restore += r.restore_us;
		p->all += 1e3 * r.ms;
		runs++;
	} while (now_us() - start < secs * 1e6);
	vm_close(vm);
	p->run /= (double)runs;
	p->audit /= (double)runs;
	p->restore /= (double)runs;
	p->all /= (double)runs;
}

/* ---- how long until the next input can run */

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * A program that fails: the median of its runs, restore included, among runs
 * of one that does not, as AFL++ has it when it knows the failure already.
 */
static void
measure_recovery(const struct vm_config *config, const char *path)
{
	static const struct prog empty = {.harts = 1};
	uint8_t fails[PROG_BYTES_MAX], passes[PROG_BYTES_MAX];
	double ms[FAILURES];
	struct vm_result r;
	struct prog prog;
	char err[TEXT_ERROR];
	size_t n, m = prog_encode(&empty, passes);
	struct vm *vm;

	if (prog_load(&prog, path, err, sizeof(err)) != 0 ||
		(vm = vm_open(config, err, sizeof(err))) == NULL)
		options_fail(name, "%s", err);
	n = prog_encode(&prog, fails);
	for (int i = 0; i < 2 * WARM_UP; i++)
		vm_run(vm, passes, m, &r);
	for (int i = 0; i < FAILURES; i++) {
		vm_run(vm, fails, n, &r);
		ms[i] = r.ms;
		if (!vm_failed(r.class))
			options_fail(name, "%s does not fail", path);
		vm_run(vm, passes, m, &r);
		if (r.class != VM_PASS)
			options_fail(name, "%s: %s", r.what, r.detail);
	}
	vm_close(vm);
	qsort(ms, FAILURES, sizeof(ms[0]), by_size);
	printf("{\"program\": \"%s\", \"recover_ms\": %.2f}\n", path,
		ms[FAILURES / 2]);
}

/* ---- the command */

static void
measure(const struct vm_config *config, const char *path, unsigned secs)
{
	uint8_t bytes[PROG_BYTES_MAX];
	char err[TEXT_ERROR];
	struct phases p;
	struct prog prog;
	double rate;
	size_t n;

	if (prog_load(&prog, path, err, sizeof(err)) != 0)
		options_fail(name, "%s", err);
	n = prog_encode(&prog, bytes);
	rate = measure_server(config, bytes, n, secs, path);
	measure_phases(config, bytes, n, secs, &p);
	printf("{\"program\": \"%s\", \"rate\": %.1f, \"us\": %.2f, "
	       "\"run\": %.2f, \"audit\": %.2f, \"restore\": %.2f, "
	       "\"rest\": %.2f, \"boot_ms\": %.1f}\n",
		path, rate, 1e6 / rate, p.run, p.audit, p.restore,
		p.all - p.run - p.audit - p.restore, p.boot);
	fflush(stdout);
}

/* All of us, and what we start, on one CPU. */
static void
pin(unsigned cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		options_fail(name, "--cpu=%u: there is no such CPU", cpu);
}

int
bench_main(int argc, char **argv)
{
	struct vm_config config;
	unsigned secs = 3, cpu = 0;
	bool recover = false;
	const struct option_row own[] = {
		{"secs", OPTION_NUMBER, &secs, "N",
			"time for each of two measurements [3]", 1, 3600},
		{"cpu", OPTION_NUMBER, &cpu, "N", "run there [0]", 0,
			CPU_SETSIZE - 1},
		{"recover", OPTION_FLAG, &recover, NULL,
			"the files fail: how long until the next can run", 0,
			0},
		{0},
	};
	int first = options_parse(&config, own, "FILE...",
		"Measure executions a second of programs, as AFL++ would run "
		"them on one CPU, and\nwhere the time goes, in microseconds a "
		"run; a JSON object for each.",
		argc, argv);

	if (first == argc)
		options_fail(name, "give FILE...; see --help");
	signal(SIGPIPE, SIG_IGN);
	pin(cpu);
	for (int i = first; i < argc; i++) {
		if (recover)
			measure_recovery(&config, argv[i]);
		else
			measure(&config, argv[i], secs);
	}
	return EXIT_GOOD;
}
