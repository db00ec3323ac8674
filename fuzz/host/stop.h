/* SPDX-License-Identifier: MIT */
/*
 * stop.h - SIGINT and SIGTERM ask for an end, and the end is orderly.
 */
#ifndef FUZZ_HOST_STOP_H
#define FUZZ_HOST_STOP_H

#include <stdbool.h>

/*
 * stop_catch: from now on these signals only leave a mark, and interrupt a
 * read.  close_fd, unless it is -1, reads as ended from then on, so that a
 * read that is about to begin does not wait either.
 */
void stop_catch(int close_fd);

/* stop_asked: has one of them come? */
bool stop_asked(void);

#endif
