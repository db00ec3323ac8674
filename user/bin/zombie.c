/* SPDX-License-Identifier: MIT */
/*
 * zombie - leave a dead child behind that nobody has waited for; init must
 * reap it.  That the child is exiting shows by the end of the pipe that only
 * the child holds.
 */
#include "kernel/types.h"
#include "user/user.h"

int
main(void)
{
	int fds[2];
	char c;
	int pid;

	if (pipe(fds) < 0 || (pid = fork()) < 0) {
		fprintf(2, "zombie: no pipe or process left\n");
		return 2;
	}
	if (pid == 0)
		return 0;
	close(fds[1]);
	read(fds[0], &c, 1);
	return 0;
}
