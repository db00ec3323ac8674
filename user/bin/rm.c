/* SPDX-License-Identifier: MIT */
/* rm - remove names of files, and empty folders. */
#include "kernel/types.h"
#include "user/user.h"

int
main(int argc, char **argv)
{
	int status = 0;

	if (argc < 2) {
		fprintf(2, "usage: rm FILE...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (unlink(argv[i]) == 0)
			continue;
		fprintf(2, "rm: %s: cannot be removed\n", argv[i]);
		status = 1;
	}
	return status;
}
