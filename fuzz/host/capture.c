/* SPDX-License-Identifier: MIT */
/*
 * capture.c - the output of another program, without a shell: arguments may
 * be names of files that somebody else has chosen.
 */
#define _GNU_SOURCE
#include "fuzz/host/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* All until the end, so that the writer never waits or is killed. */
static void
drain(int fd, char *out, size_t size)
{
	char rest[512];
	size_t n = 0;

	for (;;) {
		size_t room = size - 1 - n;
		ssize_t got = room > 0 ? read(fd, out + n, room)
				       : read(fd, rest, sizeof(rest));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if (room > 0)
			n += (size_t)got;
	}
	out[n] = '\0';
}

static int
start(const char *const argv[], const int ends[2], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int err;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -1;
	posix_spawn_file_actions_addopen(
		&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(
		&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	err = posix_spawnp(
		pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err == 0 ? 0 : -1;
}

int
capture(const char *const argv[], char *out, size_t size)
{
	int ends[2], status;
	pid_t pid;
	int err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	err = start(argv, ends, &pid);
	close(ends[1]);
	if (err == 0)
		drain(ends[0], out, size);
	close(ends[0]);
	if (err != 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
