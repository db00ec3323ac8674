/* SPDX-License-Identifier: MIT */
/*
 * main.c - the executor: it runs programs of the fuzzer (fuzz/wire/prog.h), and
 *says where the kernel did to a process what it must not do.
 *
 *	executor FILE...          run these binary programs
 *	executor -r SEED COUNT    make up that many programs and run them
 *
 * Exit: 0 nothing is wrong, 1 something is, 2 it could not be run.
 *
 * As init it runs beneath the monitor (fuzz/monitor/), and takes programs
 * from there for ever.  All that a program may need for the first time has
 * been used before it asks for the first: what comes behind that call starts
 * from the same state of the machine each time.
 */
#include "fuzz/guest/generate.h"
#include "fuzz/guest/model.h"
#include "fuzz/guest/plan.h"
#include "fuzz/guest/report.h"
#include "fuzz/guest/run.h"
#include "fuzz/monitor/mailbox.h"
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/file.h"
#include "user/stampede.h"
#include "user/user.h"

enum {
	CLEAN,
	FOUND,
	BROKEN,
	PATIENCE = 600, /* ticks; more than any program sleeps */
	IMPATIENCE = 5, /* without the monitor those are real */
	VERDICT_FD = FDS - 1,
};

static uint8_t input[INPUT_MAX] __attribute__((aligned(4096)));

static uint64_t
free_pages(void)
{
	struct kstat st;

	return kstat(&st, sizeof(st)) == 0 ? st.pages_free : 0;
}

/* ---- beneath the monitor */

static void
open_console(void)
{
	int fd = open("/console", O_RDWR);

	if (fd < 0) {
		mknod("/console", CONSOLE, 0);
		fd = open("/console", O_RDWR);
	}
	dup(fd);
	dup(fd);
}

static void
warm_up_exec(void)
{
	char *argv[] = {"fuzzchild", "0", 0};

	if (fork() == 0) {
		exec("/fuzzchild", argv);
		exit(BROKEN);
	}
	wait(0);
}

/* Have the caches filled, and the pages present that all processes share. */
static void
warm_up(void)
{
	int ends[2];
	char byte = 0;

	pipe(ends);
	if (fork() == 0) {
		write(ends[1], &byte, 1);
		exit(CLEAN);
	}
	read(ends[0], &byte, 1);
	wait(0);
	close(ends[0]);
	close(ends[1]);
	warm_up_exec();
	audit();
}

/* What the runner got, for init. */
static bool
load_again(void)
{
	long n = usercall(UC_INPUT, (long)input, sizeof(input), 0, 0);

	return n > 0 && prog_decode(&prog, input, (size_t)n) == PROG_OK;
}

/* Pages that are written to for every program shall be its own by now. */
static void
own_pages(void)
{
	for (unsigned i = 0; i < sizeof(input); i += PAGE)
		((volatile uint8_t *)input)[i] = 0;
	((volatile struct prog *)&prog)->nops = 0;
	((volatile struct plan *)&plan)->total = 0;
	model_seal();
	usercall(UC_HELLO, 0, 0, 0, 0);
}

static void __attribute__((noreturn)) be_done(void)
{
	usercall(UC_DONE, audit(), 0, 0, 0);
	for (;;)
		pause(1); /* init must not end */
}

/* The runner: it is here that every program comes in. */
static void __attribute__((noreturn)) serve(uint64_t pages)
{
	long n;

	own_pages();
	/* Hart 0 has to ask; any that idles may find us when we wake. */
	while ((n = usercall(UC_GET, (long)input, sizeof(input), 0, 0)) ==
		UC_BAD)
		pause(1);
	if (n <= 0 || prog_decode(&prog, input, (size_t)n) != PROG_OK ||
		prog_roots(&prog) == 0)
		be_done();
	run_lanes(pages);
}

static void __attribute__((noreturn)) be_init(void)
{
	uint64_t pages;
	int guard, runner;

	monitored = true;
	open_console();
	run_prepare_files();
	warm_up();
	run_prepare();
	guard = run_guard(PATIENCE);
	pages = free_pages();
	runner = fork();
	if (runner == 0)
		serve(pages);
	own_pages();
	run_watch(guard, runner, pages, load_again);
	be_done();
}

/* ---- without a monitor */

static void __attribute__((noreturn)) give_up(const char *what, const char *why)
{
	fprintf(2, "executor: %s: %s\n", what, why);
	exit(BROKEN);
}

/* The end of the pipe that accusations are written to, at the last of all
 * descriptors, where no program sees it; returns the end to read them. */
static int
open_verdict(void)
{
	int ends[2], fd = -1;

	if (pipe(ends) != 0)
		give_up("pipe", "no memory for it");
	while (fd < VERDICT_FD)
		fd = dup(ends[1]);
	for (fd = ends[0] + 1; fd < VERDICT_FD; fd++)
		close(fd);
	verdict_fd = VERDICT_FD;
	return ends[0];
}

/* Run prog, in a process of its own; FOUND or CLEAN. */
static int
run_alone(void)
{
	int verdicts = open_verdict();
	int guard = run_guard(IMPATIENCE);
	char byte;
	int found;

	run_prepare();
	model.fd[verdicts].kind = FD_OTHERS;
	model.fd[VERDICT_FD].kind = FD_OTHERS;
	run_program(guard, free_pages());
	close(verdict_fd);
	/* It ends with the last that could accuse. */
	found = read(verdicts, &byte, 1) > 0;
	while (read(verdicts, &byte, 1) > 0)
		;
	kill(guard);
	while (wait(0) > 0)
		;
	return found ? FOUND : CLEAN;
}

static void
load(const char *path)
{
	int fd = open(path, O_RDONLY);
	int n;

	if (fd < 0)
		give_up(path, "no such file");
	n = read(fd, input, sizeof(input));
	close(fd);
	if (n < 0 || prog_decode(&prog, input, (size_t)n) != PROG_OK)
		give_up(path, "not a binary program; make one with `prog "
			      "binary`");
}

/* The worse of two statuses. */
static int
worse(int a, int b)
{
	return a > b || a < 0 ? a : b;
}

/* Run one program, from a file or, if that is 0, from a seed, in a child. */
static int
run_one(const char *path, uint32_t seed)
{
	int status = BROKEN, pid = fork();

	if (pid == 0) {
		if (path == 0)
			generate(&prog, seed);
		else
			load(path);
		run_prepare_files();
		exit(run_alone());
	}
	if (pid < 0 || wait(&status) != pid)
		give_up("fork", "no memory or process left");
	return status;
}

static int
run_files(char **paths)
{
	int worst = CLEAN;

	for (; *paths != 0; paths++) {
		int status = run_one(*paths, 0);

		if (status == FOUND)
			printf("executor: that was %s\n", *paths);
		worst = worse(status, worst);
	}
	return worst;
}

static int
run_randoms(uint32_t seed, uint32_t count)
{
	int worst = CLEAN;

	for (uint32_t i = 0; i < count; i++) {
		int status = run_one(0, seed + i);

		if (status != CLEAN)
			printf("executor: that was seed %u\n", seed + i);
		worst = worse(status, worst);
	}
	if (audit() > 0)
		worst = FOUND;
	printf("executor: %u programs, seed %u: %s\n", count, seed,
		worst == CLEAN ? "nothing found" : "something is wrong");
	return worst;
}

int
main(int argc, char **argv)
{
	if (getpid() == 1)
		be_init();
	if (argc == 4 && strcmp(argv[1], "-r") == 0)
		exit(run_randoms(
			(uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3])));
	if (argc < 2 || argv[1][0] == '-')
		give_up("usage", "executor FILE..., or executor -r SEED COUNT");
	exit(run_files(argv + 1));
}
