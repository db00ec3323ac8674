/* SPDX-License-Identifier: MIT */
/*
 * census.c - what there is in the machine, counted exactly where the kernel
 * has kstat().
 *
 * Pages are the free ones and those of the page cache together: a program's
 * text is read in whenever it is first needed, which is no leak.
 */
#include "usertests.h"

/* How long to wait while orphans live, and when only things differ. */
enum { ORPHAN_TICKS = 100, THING_TICKS = 10 };

void
census_take(struct census *c)
{
	struct kstat k;

	quiesce();
	c->exact = kstat(&k, sizeof(k)) == 0;
	if (!c->exact)
		return;
	c->pages = k.pages_free + k.pages_cached;
	c->procs = k.procs;
	c->files = k.files;
	c->inodes = k.inodes;
	c->pipes = k.pipes;
}

static int
census_same(const struct census *a, const struct census *b)
{
	return a->pages == b->pages && a->procs == b->procs &&
	       a->files == b->files && a->inodes == b->inodes &&
	       a->pipes == b->pipes;
}

static void
report(const char *what, long before, long now)
{
	if (before != now)
		printf("\n  %s: %ld before, %ld now\n", what, before, now);
}

int
census_settled(const struct census *before)
{
	struct census now;

	if (!before->exact)
		return 1;
	for (int i = 0;; i++) {
		census_take(&now);
		if (census_same(before, &now))
			return 1;
		if (i == ORPHAN_TICKS ||
			(i >= THING_TICKS && now.procs <= before->procs))
			break;
		pause(1);
	}
	report("free pages", before->pages, now.pages);
	report("processes", before->procs, now.procs);
	report("open files", before->files, now.files);
	report("inodes in use", before->inodes, now.inodes);
	report("pipes", before->pipes, now.pipes);
	return 0;
}

/* The child that takes them gives them back by exiting. */
long
pages_by_sbrk(void)
{
	long count = 0;
	int tell[2];
	char *page;

	if (pipe(tell) < 0)
		return -1;
	if (fork() == 0) {
		while ((page = sbrk(PGSIZE)) != SBRK_ERROR) {
			*page = 1;
			count++;
		}
		write(tell[1], &count, sizeof(count));
		exit(0);
	}
	close(tell[1]);
	if (read(tell[0], &count, sizeof(count)) != sizeof(count))
		count = -1;
	close(tell[0]);
	wait(0);
	return count;
}
