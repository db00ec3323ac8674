/* SPDX-License-Identifier: MIT */
/* cat - copy files, or descriptor 0, to descriptor 1. */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

static char buf[4096];

static int
copy(int fd, const char *name)
{
	int n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (write(1, buf, n) == n)
			continue;
		fprintf(2, "cat: cannot write all of %s\n", name);
		return 1;
	}
	if (n < 0)
		fprintf(2, "cat: %s: cannot be read\n", name);
	return n < 0;
}

int
main(int argc, char **argv)
{
	int status = 0;

	if (argc == 1)
		return copy(0, "input");
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);

		if (fd < 0) {
			fprintf(2, "cat: %s: cannot be opened\n", argv[i]);
			status = 1;
			continue;
		}
		status |= copy(fd, argv[i]);
		close(fd);
	}
	return status;
}
