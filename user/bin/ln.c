/* SPDX-License-Identifier: MIT */
/* ln - give a file a second name. */
#include "kernel/types.h"
#include "user/user.h"

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(2, "usage: ln OLD NEW\n");
		return 2;
	}
	if (link(argv[1], argv[2]) == 0)
		return 0;
	fprintf(2, "ln: %s: cannot be linked as %s\n", argv[1], argv[2]);
	return 1;
}
