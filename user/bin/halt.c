/* SPDX-License-Identifier: MIT */
/* halt - end the machine, and QEMU with it: halt [STATUS] */
#include "kernel/types.h"
#include "user/user.h"
#include "user/stampede.h"
#include "user/lib/command.h"

int
main(int argc, char **argv)
{
	uint status = 0;

	if (argc > 2 || (argc == 2 && number(argv[1], &status) < 0)) {
		fprintf(2, "usage: halt [STATUS]\n");
		return 2;
	}
	poweroff(status);
}
