/* SPDX-License-Identifier: MIT */
/* wc - count the lines, words and characters of files, or descriptor 0. */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

static char buf[4096];

static int
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
count(int fd, const char *name)
{
	uint64 lines = 0, words = 0, chars = 0;
	int inside = 0;
	int n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		chars += n;
		for (int i = 0; i < n; i++) {
			int blank = is_blank(buf[i]);

			lines += buf[i] == '\n';
			words += !blank && !inside;
			inside = !blank;
		}
	}
	if (n < 0) {
		fprintf(2, "wc: %s: cannot be read\n", name);
		return 1;
	}
	printf("%lu %lu %lu %s\n", lines, words, chars, name);
	return 0;
}

int
main(int argc, char **argv)
{
	int status = 0;

	if (argc == 1)
		return count(0, "");
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);

		if (fd < 0) {
			fprintf(2, "wc: %s: cannot be opened\n", argv[i]);
			status = 1;
			continue;
		}
		status |= count(fd, argv[i]);
		close(fd);
	}
	return status;
}
