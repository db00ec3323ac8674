/* SPDX-License-Identifier: MIT */
/*
 * hog.c - a process that holds nearly all memory.
 *
 * With it a case can leave the rest of the system any number of free pages.
 * It takes them by eager sbrk(), which promises that every page it grants
 * can be written; the hog writes them all, and if it is killed on the way
 * the promise was broken, which is a finding.
 *
 * The hog does as its parent says, one command at a time: a number of pages
 * to leave free, or -1 to end.  Whoever commands it must own its pages
 * (own_pages()) and not fork while memory is short, for otherwise it may be
 * killed itself.
 */
#include "stress.h"

enum {
	FIRST_CHUNK = 1024, /* pages asked for at first; halved when refused */
	STOP = -1,
};

static void
take_all(void)
{
	int chunk = FIRST_CHUNK;

	while (chunk > 0) {
		char *mem = sbrk(chunk * PGSIZE);

		if (mem == SBRK_ERROR) {
			chunk /= 2;
			continue;
		}
		for (int i = 0; i < chunk; i++)
			mem[i * PGSIZE] = 1;
	}
}

static void
hog_life(int cmd, int ack)
{
	char *floor = sbrk(0);
	int leave_free;

	own_pages();
	while (read(cmd, &leave_free, sizeof(leave_free)) ==
			sizeof(leave_free) &&
		leave_free != STOP) {
		long held;

		take_all();
		held = (sbrk(0) - floor) / PGSIZE;
		if (leave_free > held)
			leave_free = (int)held;
		sbrk(-leave_free * PGSIZE);
		write(ack, &leave_free, sizeof(leave_free));
	}
}

/* hog_start: start a hog, which takes nothing yet. */
void
hog_start(struct hog *h)
{
	int cmd[2], ack[2];

	must_pipe(cmd);
	must_pipe(ack);
	h->pid = must_fork();
	if (h->pid == 0) {
		run.top = 0;
		run.ops = 0;
		close(cmd[1]);
		close(ack[0]);
		hog_life(cmd[0], ack[1]);
		leave();
	}
	close(cmd[0]);
	close(ack[1]);
	h->cmd = cmd[1];
	h->ack = ack[0];
}

/*
 * hog_leave: make the hog hold all memory but about `pages` pages.  Returns
 * when it does; at most that many are free then.
 */
void
hog_leave(struct hog *h, int pages)
{
	int reply;

	EXPECT(write(h->cmd, &pages, sizeof(pages)) == sizeof(pages) &&
			read(h->ack, &reply, sizeof(reply)) == sizeof(reply),
		"memory that sbrk had granted was not there: killed");
}

/* hog_stop: end the hog.  The caller must have no other children left. */
void
hog_stop(struct hog *h)
{
	int stop = STOP;

	write(h->cmd, &stop, sizeof(stop));
	reap(1, 0);
	close(h->cmd);
	close(h->ack);
}
