/* SPDX-License-Identifier: MIT */
/* mkdir - make folders. */
#include "kernel/types.h"
#include "user/user.h"

int
main(int argc, char **argv)
{
	int status = 0;

	if (argc < 2) {
		fprintf(2, "usage: mkdir FOLDER...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (mkdir(argv[i]) == 0)
			continue;
		fprintf(2, "mkdir: %s: cannot be made\n", argv[i]);
		status = 1;
	}
	return status;
}
