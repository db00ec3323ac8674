/* SPDX-License-Identifier: MIT */
/*
 * grind - system calls at random, all results checked:
 *
 *	grind [-s SEED] [-t SECONDS] [-n WORKERS] [-p]
 *
 * Each worker draws operations from its own random numbers, which depend on
 * nothing but the seed and the worker's number.  It lives in a folder of its
 * own, and keeps a model: which names lead to which files, what is in them,
 * where each descriptor stands.  So for every call it knows what has to come
 * back.  Only a call that may lack something which all processes share
 * (memory, a process, an inode, a disk block) may also fail; that is counted.
 *
 * Workers beat by writing to a pipe.  When the first process stops reading,
 * because the time is over or because it was killed, the next beat fails,
 * and the worker cleans up and ends.  Without -t that is never.  With -p it
 * says about once a second how far it is, in the words of a stress case.
 */
#include "user/bin/grind/grind.h"
#include "user/lib/command.h"

enum {
	WORKERS_MAX = 16,
	TICKS = 10, /* a second */
	BROKEN = 2,
};

static int progress; /* -p */

/* With -p, a line about every second. */
static void
tell(uint64 ops)
{
	static uint told;
	uint now = uptime();

	if (!progress || now - told < TICKS)
		return;
	printf("grind: progress ops=%lu\n", ops);
	told = now;
}

/* Read beats until the time is over or something is wrong. */
static void
watch(int fd, uint seconds)
{
	static char beats[512];
	uint64 end = uptime() + (uint64)seconds * TICKS;
	uint64 total = 0, lacking = 0;
	int good = 1;
	int n;

	while (good && (seconds == 0 || (uint)uptime() < end)) {
		n = read(fd, beats, sizeof(beats));
		if (n <= 0)
			break;
		total += n;
		for (int i = 0; i < n; i++) {
			lacking += beats[i] == 'l';
			good &= beats[i] != 'F';
		}
		tell(total * OPS_PER_BEAT);
	}
	printf("grind: %lu operations", total * OPS_PER_BEAT);
	if (lacking)
		printf(", some without the memory or disk they need");
	printf("\n");
	if (progress && good)
		printf("grind: pass ops=%lu\n", total * OPS_PER_BEAT);
}

/* Start the workers; returns how many, and the end to read their beats. */
static int
start_workers(int workers, int *beats)
{
	int fds[2];

	if (pipe(fds) < 0)
		return 0;
	*beats = fds[0];
	beat = fds[1];
	for (worker = 0; worker < workers; worker++) {
		int pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			close(fds[0]);
			work();
		}
	}
	close(fds[1]);
	return worker;
}

static int
reap_workers(void)
{
	int failed = 0;
	int status;

	while (wait(&status) > 0) {
		if (status != 0 && status != FAIL)
			printf("grind: FAIL: a worker ended with %d (seed %u)"
			       "\n",
				status, seed);
		failed |= status != 0;
	}
	return failed;
}

static int
parse(int argc, char **argv, uint *seconds, uint *workers)
{
	for (int i = 1; i < argc; i += 2) {
		uint *to = 0;

		if (strcmp(argv[i], "-p") == 0) {
			progress = 1;
			i--;
			continue;
		}
		if (strcmp(argv[i], "-s") == 0)
			to = &seed;
		if (strcmp(argv[i], "-t") == 0)
			to = seconds;
		if (strcmp(argv[i], "-n") == 0)
			to = workers;
		if (to == 0 || i + 1 == argc || number(argv[i + 1], to) < 0)
			return -1;
	}
	return *workers >= 1 && *workers <= WORKERS_MAX ? 0 : -1;
}

int
main(int argc, char **argv)
{
	uint seconds = 0;
	uint workers = 4;
	int beats = -1;

	if (parse(argc, argv, &seconds, &workers) < 0) {
		fprintf(2, "usage: grind [-s SEED] [-t SECONDS] "
			   "[-n WORKERS, 1 to 16] [-p]\n");
		return BROKEN;
	}
	printf("grind: seed %u, %u workers\n", seed, workers);
	if (start_workers(workers, &beats) != (int)workers) {
		fprintf(2, "grind: no pipe or processes left for %u workers\n",
			workers);
		return BROKEN;
	}
	watch(beats, seconds);
	close(beats);
	if (reap_workers())
		return FAIL;
	printf("grind: OK\n");
	return 0;
}
