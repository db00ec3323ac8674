/* SPDX-License-Identifier: MIT */
/*
 * logstress - keep the file system's log busy: logstress FILE...
 *
 * One process for each name makes the file, fills it by writes that straddle
 * blocks, checks it and removes it, again and again.  So transactions that
 * allocate, dirty and free blocks meet in the log all the time.
 */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

enum { ROUNDS = 4, WRITES = 60, SIZE = 700 };

static uchar data[SIZE];
static uchar got[SIZE];

static void __attribute__((noreturn))
fail(const char *name, const char *what, int round)
{
	printf("logstress: FAIL: %s: %s in round %d\n", name, what, round);
	exit(1);
}

static void
fill(int seed)
{
	for (int i = 0; i < SIZE; i++)
		data[i] = seed + i;
}

static void
cycle(const char *name, int who, int round)
{
	int fd = open(name, O_CREATE | O_TRUNC | O_RDWR);

	if (fd < 0)
		fail(name, "cannot be made", round);
	for (int i = 0; i < WRITES; i++) {
		fill(who + round + i);
		if (write(fd, data, SIZE) != SIZE)
			fail(name, "cannot be written", round);
	}
	close(fd);

	fd = open(name, O_RDONLY);
	for (int i = 0; i < WRITES; i++) {
		fill(who + round + i);
		if (read(fd, got, SIZE) != SIZE || memcmp(got, data, SIZE))
			fail(name, "holds what was not written", round);
	}
	close(fd);
	if (unlink(name) < 0)
		fail(name, "cannot be removed", round);
}

int
main(int argc, char **argv)
{
	int failed = 0;
	int status;

	if (argc < 2) {
		fprintf(2, "usage: logstress FILE...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		int pid = fork();

		if (pid < 0) {
			fprintf(2, "logstress: no process for %s\n", argv[i]);
			failed = 2;
		}
		if (pid == 0) {
			for (int round = 0; round < ROUNDS; round++)
				cycle(argv[i], i * 17, round);
			return 0;
		}
	}
	while (wait(&status) > 0)
		if (status != 0)
			failed = 1;
	if (!failed)
		printf("logstress: OK\n");
	return failed;
}
