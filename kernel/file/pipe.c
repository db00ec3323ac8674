/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - pipes: a ring of bytes between processes.
 *
 * User memory is made accessible before the pipe's lock is taken; under the
 * lock nothing can fail any more.  So no byte is taken from the ring that the
 * reader does not get, and no lock is held while pages are allocated.
 *
 * Readers sleep on &head, which writers move, and writers on &tail, which
 * readers move: who makes progress wakes the other side alone.
 */
#include "kernel/check/plant.h"
#include "kernel/check/asan.h"
#include "kernel/file/file.h"
#include "kernel/lock/spinlock.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"

enum { PIPE_SIZE = 512 };

/*
 *   [p] lock
 *
 * head - tail is the number of bytes in the pipe; both only grow.
 */
struct pipe {
	struct spinlock lock;
	u64 head;           /* [p] bytes ever written */
	u64 tail;           /* [p] bytes ever read */
	bool readers;       /* [p] the reading end is open */
	bool writers;       /* [p] the writing end is open */
	u8 ring[PIPE_SIZE]; /* [p] */
};

_Static_assert(sizeof(struct pipe) <= PGSIZE, "a pipe is one page");

static u64 npipes; /* atomic */

struct pipe *
pipe_new(void)
{
	struct pipe *p = kalloc();

	if (p == NULL)
		return NULL;
	asan_poison(p + 1, PGSIZE - sizeof(*p), SHADOW_BEYOND);
	spin_init(&p->lock, RANK_pipe, "pipe");
	p->head = 0;
	p->tail = 0;
	p->readers = true;
	p->writers = true;
	__atomic_fetch_add(&npipes, 1, __ATOMIC_RELAXED);
	return p;
}

void
pipe_close(struct pipe *p, bool writer)
{
	bool unused;

	acquire(&p->lock);
	DEBUG_ASSERT(writer ? p->writers : p->readers);
	if (writer) {
		p->writers = false;
		if (!MISTAKEN(pipe_silent))
			wakeup(&p->head);
	} else {
		p->readers = false;
		wakeup(&p->tail);
	}
	unused = !p->readers && !p->writers;
	release(&p->lock);
	if (!unused)
		return;
	__atomic_fetch_sub(&npipes, 1, __ATOMIC_RELAXED);
	asan_unpoison(p, PGSIZE);
	kfree(p);
}

u64
pipe_count(void)
{
	return __atomic_load_n(&npipes, __ATOMIC_RELAXED);
}

/* Where in the ring byte `at` is; *run: how many bytes from there on fit. */
static u8 *
ring_at(struct pipe *p, u64 at, u64 *run)
{
	*run = MIN(*run, PIPE_SIZE - at % PIPE_SIZE);
	return &p->ring[at % PIPE_SIZE];
}

/* PLANT=read_over: a byte too many, of the larger reads, on the same page. */
static u64
over(u64 run, uaddr end)
{
	return PLANTED(read_over) && run >= 100 && end % PGSIZE != 0;
}

/* Move up to n bytes out of the pipe, which is not empty. */
static u64
pipe_take(struct pipe *p, struct vm *vm, uaddr ua, u64 n)
{
	u64 done = 0;

	DEBUG_ASSERT(holding(&p->lock) && p->head - p->tail <= PIPE_SIZE);
	n = MIN(n, p->head - p->tail);
	while (done < n) {
		u64 run = n - done;
		u8 *from = ring_at(p, p->tail, &run);

		copyout_nofail(
			vm, ua + done, from, run + over(run, ua + done + run));
		p->tail += run;
		done += run;
	}
	return done;
}

/* Move up to n bytes into the pipe, which is not full. */
static u64
pipe_fill(struct pipe *p, struct vm *vm, uaddr ua, u64 n)
{
	u64 done = 0;

	DEBUG_ASSERT(holding(&p->lock) && p->head - p->tail <= PIPE_SIZE);
	n = MIN(n, PIPE_SIZE - (p->head - p->tail));
	while (done < n) {
		u64 run = n - done;
		u8 *to = ring_at(p, p->head, &run);

		copyin_nofail(vm, to, ua + done, run);
		p->head += run;
		done += run;
	}
	return done;
}

i64
pipe_read(struct pipe *p, struct vm *vm, uaddr ua, u64 n)
{
	i64 got = 0;
	int err;

	n = MIN(n, (u64)PIPE_SIZE);
	err = user_prefault(vm, ua, n, true);
	if (err)
		return err;

	acquire(&p->lock);
	while (err == 0 && p->head == p->tail && p->writers)
		err = sleep_killable(&p->head, &p->lock);
	if (err == 0 && p->head != p->tail) {
		got = pipe_take(p, vm, ua, n);
		wakeup(&p->tail);
	}
	release(&p->lock);
	return err ? err : got;
}

/* Write n bytes, at most PIPE_SIZE; *done counts what the pipe has taken. */
static int
pipe_push(struct pipe *p, struct vm *vm, uaddr ua, u64 n, u64 *done)
{
	u64 pushed = 0;
	int err = 0;

	acquire(&p->lock);
	while (err == 0 && pushed < n) {
		if (!p->readers) {
			err = -EPIPE;
		} else if (p->head - p->tail == PIPE_SIZE) {
			err = sleep_killable(&p->tail, &p->lock);
		} else {
			pushed += pipe_fill(p, vm, ua + pushed, n - pushed);
			wakeup(&p->head);
		}
	}
	release(&p->lock);
	*done += pushed;
	return err;
}

i64
pipe_write(struct pipe *p, struct vm *vm, uaddr ua, u64 n)
{
	u64 done = 0;
	int err = 0;

	while (err == 0 && done < n) {
		u64 part = MIN(n - done, (u64)PIPE_SIZE);

		err = user_prefault(vm, ua + done, part, false);
		if (err == 0)
			err = pipe_push(p, vm, ua + done, part, &done);
	}
	return done > 0 ? (i64)done : err;
}

void
pipe_ends(const struct pipe *p, bool *readers, bool *writers)
{
	*readers = p->readers;
	*writers = p->writers;
}

bool
pipe_missed(const struct pipe *p, const void *chan)
{
	if (chan == &p->head)
		return p->head != p->tail || !p->writers;
	return p->head - p->tail < PIPE_SIZE || !p->readers;
}
