/* SPDX-License-Identifier: MIT */
/*
 * watchdog.c - a thread that looks at the clock fifty times a second.
 *
 * An input costs two atomic stores; timers and their signals would cost system
 * calls, and interrupt those of the main thread.  QEMU is killed through a
 * descriptor of the process: its number may have been given to another one
 * meanwhile.
 *
 * Should the input end in the very moment of the kill, the next one finds QEMU
 * dead.  It is counted as broken and tried again, like any other such death.
 */
#define _GNU_SOURCE
#include "fuzz/host/watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/host/clock.h"

enum { LOOK_NS = 20000000 };

/* When to bite, in milliseconds of the monotonic clock; 0: nothing runs.
 * Relaxed, as it orders nothing. */
static atomic_ulong bite_at;
static atomic_uint bites; /* relaxed, too */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int process = -1;    /* [lock] its descriptor */
static int process_id = -1; /* [main thread] that it was opened for */
static bool running;        /* [main thread] the thread is there */

static unsigned long
now_ms(void)
{
	return (unsigned long)clock_ms(CLOCK_MONOTONIC);
}

static void
bite(void)
{
	pthread_mutex_lock(&lock);
	if (process >= 0 &&
		syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0) == 0)
		atomic_fetch_add_explicit(&bites, 1, memory_order_relaxed);
	pthread_mutex_unlock(&lock);
}

static void *
watch(void *unused)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};

	(void)unused;
	for (;;) {
		unsigned long at;

		nanosleep(&look, NULL);
		at = atomic_load_explicit(&bite_at, memory_order_relaxed);
		/* Once for each input: the exchange fails if it has ended. */
		if (at != 0 && now_ms() >= at &&
			atomic_compare_exchange_strong(&bite_at, &at, 0))
			bite();
	}
	return NULL;
}

bool
watchdog_start(void)
{
	pthread_t thread;
	sigset_t all, before;

	if (running)
		return true;
	/* Signals are not for it: they shall interrupt our reads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	running = pthread_create(&thread, NULL, watch, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (running)
		pthread_detach(thread);
	return running;
}

void
watchdog_arm(int pid, unsigned deadline_ms)
{
	if (deadline_ms == 0)
		return;
	if (pid != process_id) {
		pthread_mutex_lock(&lock);
		if (process >= 0)
			close(process);
		process = (int)syscall(SYS_pidfd_open, pid, 0);
		pthread_mutex_unlock(&lock);
		process_id = pid;
	}
	atomic_store_explicit(
		&bite_at, now_ms() + deadline_ms, memory_order_relaxed);
}

void
watchdog_disarm(void)
{
	atomic_store_explicit(&bite_at, 0, memory_order_relaxed);
}

unsigned
watchdog_bites(void)
{
	return atomic_load_explicit(&bites, memory_order_relaxed);
}
