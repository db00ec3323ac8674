/* SPDX-License-Identifier: MIT */
/*
 * init - the first process.
 *
 * It opens the console, and then starts a shell again and again.  With the
 * boot argument `run=PROGRAM ARGS...`, which takes the rest of the line, that
 * program runs instead, once, and its exit status becomes the machine's.
 * Either way init reaps the orphans, which is what it is there for.
 */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "user/user.h"
#include "user/stampede.h"
#include "user/lib/command.h"

enum { CONSOLE = 1, BROKEN = 2 };

static char args[1024];
static char words[sizeof(args)];

static void __attribute__((noreturn)) give_up(const char *what, const char *why)
{
	fprintf(2, "init: %s: %s; powering off\n", what, why);
	poweroff(BROKEN);
}

/* Make descriptors 0, 1 and 2 the console, which may not be on disk yet. */
static void
open_console(void)
{
	int fd = open("/console", O_RDWR);

	if (fd < 0) {
		mknod("/console", CONSOLE, 0);
		fd = open("/console", O_RDWR);
	}
	if (fd != 0)
		poweroff(BROKEN);
	dup(0);
	dup(0);
}

/* The text behind run= in the boot arguments, or 0. */
static const char *
run_argument(void)
{
	int n = bootargs(args, sizeof(args));

	if (n < 0)
		give_up("boot arguments", "longer than 1023 characters");
	for (const char *at = args; *at != '\0'; at++)
		if ((at == args || at[-1] == ' ') && !memcmp(at, "run=", 4))
			return at + 4;
	return 0;
}

/* Run a program and return its exit status; reap whoever else ends. */
static int
run(char **argv)
{
	int status;
	int ended;
	int pid;

	/* Dead orphans hold processes: reaping one makes room for another. */
	while ((pid = fork()) < 0)
		if (wait(0) < 0)
			give_up(argv[0], "no process or memory left for it");
	if (pid == 0)
		give_up(argv[0], command_exec(argv));
	do {
		ended = wait(&status);
		if (ended < 0)
			give_up(argv[0], "lost while it was running");
	} while (ended != pid);
	return status;
}

int
main(void)
{
	static char *argv[MAXARG + 1];
	static char *shell[] = {"/sh", 0};
	const char *line, *wrong;

	open_console();
	line = run_argument();
	if (line == 0)
		for (;;)
			run(shell);

	wrong = command_split(line, words, argv, MAXARG);
	if (wrong)
		give_up("run=", wrong);
	if (argv[0] == 0)
		give_up("run=", "name a program behind it");
	poweroff(run(argv));
}
