/* SPDX-License-Identifier: MIT */
/* expect.c - checks; one that fails says where, and ends its process. */
#include "usertests.h"

static const char *
last_component(const char *path)
{
	const char *name = path;

	for (; *path != '\0'; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

void
expect_failed(const char *file, int line, const char *what)
{
	printf("\n  %s:%d: expected %s\n", last_component(file), line, what);
	exit(1);
}

void
expect_eq(const char *file, int line, const char *what, long got, long want)
{
	if (got == want)
		return;
	printf("\n  %s:%d: expected %s, which is 0x%lx, got 0x%lx\n",
		last_component(file), line, what, (uint64)want, (uint64)got);
	exit(1);
}

/* pid 0: any children will do. */
void
expect_exit(const char *file, int line, int pid, int n, int want)
{
	const char *name = last_component(file);
	int got, status;

	while (n-- > 0) {
		status = 0;
		got = wait(&status);
		if (got <= 0 || (pid != 0 && got != pid)) {
			printf("\n  %s:%d: expected child %d, wait gave %d\n",
				name, line, pid, got);
			exit(1);
		}
		if (status == want)
			continue;
		printf("\n  %s:%d: expected a child to end with %d, got %d\n",
			name, line, want, status);
		exit(1);
	}
}

void
expect_killed(const char *file, int line, const char *what, void (*fn)(uint64),
	uint64 arg)
{
	int pid = fork_at(file, line);
	int status = 0;

	if (pid == 0) {
		fn(arg);
		exit(0);
	}
	if (wait(&status) == pid && status == -1)
		return;
	printf("\n  %s:%d: expected %s(0x%lx) to be killed, got status %d\n",
		last_component(file), line, what, arg, status);
	exit(1);
}

int
fork_at(const char *file, int line)
{
	int pid = fork();

	if (pid < 0)
		expect_failed(file, line, "fork() to work");
	return pid;
}
