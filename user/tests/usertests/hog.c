/* SPDX-License-Identifier: MIT */
/*
 * hog.c - leave a known number of pages in the whole machine.
 *
 * The hog is a process that takes all memory and, when told, gives back just
 * so many pages.  Whoever is to meet a failing allocation was forked before,
 * and has written to its own stack, so what it does next is what fails.  The
 * test itself only talks through pipes then: it has nothing left to allocate.
 */
#include "usertests.h"

struct hog {
	int pid;
	int ask;    /* pipe to the hog: how many pages to leave */
	int answer; /* pipe from it: they are free now */
};

/* Grow until not a page is left; each is written, so each has a frame. */
static void
take_all(void)
{
	uint64 step = 1UL << 26;
	char *got;

	while (step >= PGSIZE) {
		got = sbrk(step);
		if (got == SBRK_ERROR)
			step /= 2;
		else
			stamp(got, step, 1);
	}
}

static void
hog_main(int asked, int answer)
{
	uchar leave;

	while (read(asked, &leave, 1) == 1) {
		take_all();
		sbrk(-(leave * PGSIZE));
		say(answer, 'k');
	}
	exit(0);
}

static void
hog_start(struct hog *h)
{
	int ask[2], answer[2];

	make_pipe(ask);
	make_pipe(answer);
	h->pid = FORK();
	if (h->pid == 0) {
		close(ask[1]);
		close(answer[0]);
		hog_main(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	h->ask = ask[1];
	h->answer = answer[0];
}

static void
hog_leave(struct hog *h, int pages)
{
	say(h->ask, pages);
	EXPECT(heard(h->answer, 'k'));
}

/* Waits for the hog, so there must be no other child. */
static void
hog_stop(struct hog *h)
{
	close(h->ask);
	close(h->answer);
	EXPECT_EXIT(h->pid, 0);
}

static void
worker(int ready, int go, void (*fn)(int k))
{
	uchar k;

	say(ready, 'r');
	if (read(go, &k, 1) == 1)
		fn(k);
	exit(0);
}

void
under_pressure(int n, void (*fn)(int k))
{
	int ready[2], go[2], status;
	struct hog h;

	hog_start(&h);
	make_pipe(ready);
	make_pipe(go);
	for (int i = 0; i < n; i++) {
		if (FORK() == 0) {
			close(h.ask);
			close(go[1]);
			worker(ready[1], go[0], fn);
		}
		EXPECT(heard(ready[0], 'r'));
	}

	for (int k = 0; k < n; k++) {
		hog_leave(&h, k);
		say(go[1], k);
		status = 0;
		EXPECT(wait(&status) > 0);
		EXPECT(status == 0 || status == -1);
	}
	hog_stop(&h);

	/* And with memory nothing of it may fail. */
	if (FORK() == 0) {
		fn(n);
		exit(0);
	}
	EXPECT_EXITS(1, 0);
}
