/* SPDX-License-Identifier: MIT */
/*
 * dorphan - stay in a folder that has been removed: dorphan [TICKS]
 *
 * The folder lives while it is somebody's current one.  If the power goes
 * before that ends, an inode without a name is left on the disk, and the
 * next boot must free it.  Without TICKS this goes on for ever, to be killed
 * or cut off.
 */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/lib/command.h"

#define NAME "dorphan.tmp"

static int
fail(const char *what)
{
	printf("dorphan: FAIL: %s\n", what);
	return 1;
}

int
main(int argc, char **argv)
{
	uint ticks = 0;

	if (argc > 2 || (argc == 2 && number(argv[1], &ticks) < 0)) {
		fprintf(2, "usage: dorphan [TICKS]\n");
		return 2;
	}
	if (mkdir(NAME) < 0 || chdir(NAME) < 0)
		return fail("the folder cannot be made");
	if (unlink("../" NAME) < 0)
		return fail("a folder in use cannot be removed");
	if (chdir("../" NAME) == 0)
		return fail("the name still leads to the folder");
	if (open("file", O_CREATE | O_RDWR) >= 0)
		return fail("a file can be made in a removed folder");

	printf("dorphan: the current folder has no name\n");
	do
		sleep(argc == 1 ? 1000 : ticks);
	while (argc == 1);
	return 0;
}
