/* SPDX-License-Identifier: MIT */
/*
 * forphan - hold a file that has no name any more: forphan [TICKS]
 *
 * The file lives until its last close.  If the power goes before that, an
 * inode without a name is left on the disk, and the next boot must free it.
 * Without TICKS the file is held for ever, to be killed or cut off.
 */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/lib/command.h"

#define NAME "forphan.tmp"

static int
fail(const char *what)
{
	printf("forphan: FAIL: %s\n", what);
	return 1;
}

int
main(int argc, char **argv)
{
	static const char text[] = "still here";
	char got[sizeof(text)];
	struct stat st;
	uint ticks = 0;
	int fd;

	if (argc > 2 || (argc == 2 && number(argv[1], &ticks) < 0)) {
		fprintf(2, "usage: forphan [TICKS]\n");
		return 2;
	}
	fd = open(NAME, O_CREATE | O_TRUNC | O_RDWR);
	if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text))
		return fail("the file cannot be made");
	close(fd);
	fd = open(NAME, O_RDONLY);
	if (fd < 0 || unlink(NAME) < 0)
		return fail("an open file cannot be removed");
	if (open(NAME, O_RDONLY) >= 0)
		return fail("the name still leads to the file");
	if (fstat(fd, &st) < 0 || st.nlink != 0 || st.size != sizeof(text))
		return fail("fstat() does not see a file without names");
	if (read(fd, got, sizeof(got)) != sizeof(got) ||
		memcmp(got, text, sizeof(text)) != 0)
		return fail("the content is gone");

	printf("forphan: inode %u has no name and is open\n", st.ino);
	do
		sleep(argc == 1 ? 1000 : ticks);
	while (argc == 1);
	return 0;
}
