/* SPDX-License-Identifier: MIT */
/* exec.c - what a program gets from who starts it. */
#include "usertests.h"

void
test_exectest(void)
{
	char *argv[] = {"/echo", "left", "", "right", 0};
	char *none[] = {"/nosuch", 0};
	int fd;

	EXPECT_EQ(run_program(argv, scratch, SCRATCH), 0);
	EXPECT(strcmp(scratch, "left  right\n") == 0);

	/* Descriptors survive, so a file takes the output as well. */
	if (FORK() == 0) {
		close(1);
		EXPECT_EQ(open("out", O_CREATE | O_WRONLY), 1);
		exec("/echo", argv);
		exit(126);
	}
	EXPECT_EXITS(1, 0);
	fd = open("out", O_RDONLY);
	EXPECT_EQ(read(fd, scratch, SCRATCH), 12);
	EXPECT(memcmp(scratch, "left  right\n", 12) == 0);
	close(fd);

	/* What is no program is refused, and the caller lives on. */
	EXPECT_EQ(exec("/nosuch", none), -1);
	EXPECT_EQ(exec(".", none), -1);
	make_file("junk", 5000, 1);
	EXPECT_EQ(exec("junk", none), -1);
	make_file("empty", 0, 1);
	EXPECT_EQ(exec("empty", none), -1);
}

void
test_bigargtest(void)
{
	static char arg[USERSTACK * PGSIZE / 8];
	char *argv[MAXARG + 8];

	memset(arg, 'b', sizeof(arg) - 1);

	/* Each is fine, and so is their number, but not all together. */
	for (int i = 0; i < MAXARG - 1; i++)
		argv[i] = arg;
	argv[MAXARG - 1] = 0;
	EXPECT_EQ(exec("/echo", argv), -1);

	/* Too many, however small. */
	for (int i = 0; i < MAXARG + 7; i++)
		argv[i] = "s";
	argv[MAXARG + 7] = 0;
	EXPECT_EQ(exec("/echo", argv), -1);

	/* Just enough. */
	argv[0] = "/echo";
	argv[MAXARG - 1] = 0;
	EXPECT_EQ(run_program(argv, scratch, SCRATCH), 0);
	EXPECT_EQ(strlen(scratch), 2 * (MAXARG - 2));
}
