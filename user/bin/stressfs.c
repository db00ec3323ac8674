/* SPDX-License-Identifier: MIT */
/*
 * stressfs - several processes write, read back and remove a file each, all
 * at one time.  The content tells who wrote it and where.
 */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

enum { WRITERS = 5, CHUNK = 512, CHUNKS = 40 };

static uchar chunk[CHUNK];

static void __attribute__((noreturn)) fail(const char *name, const char *what)
{
	printf("stressfs: FAIL: %s: %s\n", name, what);
	exit(1);
}

static void
fill(uchar *p, int who, int where)
{
	for (int i = 0; i < CHUNK; i++)
		p[i] = who * 41 + where * 7 + i;
}

static void
write_file(const char *name, int who)
{
	int fd = open(name, O_CREATE | O_TRUNC | O_WRONLY);

	if (fd < 0)
		fail(name, "cannot be made");
	for (int i = 0; i < CHUNKS; i++) {
		fill(chunk, who, i);
		if (write(fd, chunk, CHUNK) != CHUNK)
			fail(name, "cannot be written");
	}
	close(fd);
}

static void
check_file(const char *name, int who)
{
	static uchar got[CHUNK];
	int fd = open(name, O_RDONLY);

	if (fd < 0)
		fail(name, "cannot be opened");
	for (int i = 0; i < CHUNKS; i++) {
		fill(chunk, who, i);
		if (read(fd, got, CHUNK) != CHUNK)
			fail(name, "is too short");
		if (memcmp(got, chunk, CHUNK) != 0)
			fail(name, "holds what was not written");
	}
	if (read(fd, got, 1) != 0)
		fail(name, "is too long");
	close(fd);
}

static int
work(int who)
{
	char name[] = "stressfs0";

	name[sizeof(name) - 2] += who;
	write_file(name, who);
	check_file(name, who);
	if (unlink(name) < 0)
		fail(name, "cannot be removed");
	return 0;
}

int
main(void)
{
	int started = 0;
	int failed = 0;
	int status;

	for (; started < WRITERS; started++) {
		int pid = fork();

		if (pid < 0)
			break;
		if (pid == 0)
			return work(started);
	}
	for (int i = 0; i < started; i++) {
		wait(&status);
		failed |= status != 0;
	}
	if (started < WRITERS) {
		fprintf(2, "stressfs: only %d processes could be started\n",
			started);
		return 2;
	}
	if (!failed)
		printf("stressfs: OK\n");
	return failed;
}
