/* SPDX-License-Identifier: MIT */
/*
 * stop.c - SIGINT and SIGTERM.
 *
 * A handler that only sets a flag leaves a gap: the signal may come after the
 * flag was looked at and before read() begins, and then the read waits for
 * ever.  So the handler also puts /dev/null in the place of the descriptor
 * that is read; dup2() may be called in a handler.
 */
#define _GNU_SOURCE
#include "fuzz/host/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
static int null_fd = -1; /* set before the handler is */
static int victim = -1;

static void
on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	asked = 1;
	if (victim >= 0 && null_fd >= 0)
		dup2(null_fd, victim);
	errno = saved;
}

void
stop_catch(int close_fd)
{
	struct sigaction action;

	victim = close_fd;
	if (close_fd >= 0)
		null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool
stop_asked(void)
{
	return asked != 0;
}
