/* SPDX-License-Identifier: MIT */
/* kill - end processes. */
#include "kernel/types.h"
#include "user/user.h"
#include "user/lib/command.h"

int
main(int argc, char **argv)
{
	int status = 0;
	uint pid;

	if (argc < 2) {
		fprintf(2, "usage: kill PID...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (number(argv[i], &pid) == 0 && kill(pid) == 0)
			continue;
		fprintf(2, "kill: %s: no process that can be killed\n",
			argv[i]);
		status = 1;
	}
	return status;
}
