/* SPDX-License-Identifier: MIT */
/*
 * owner.h - FLAVOR=debug: what happened to each page frame, and who did it.
 * To be called with `if (DEBUG)` in front: in other flavours nothing of it is
 * there.
 */
#ifndef KERNEL_CHECK_OWNER_H
#define KERNEL_CHECK_OWNER_H

#include "kernel/check/callers.h"
#include "kernel/lib/base.h"

struct page;

enum owner_kind {
	OWNER_NONE,
	OWNER_ALLOC,
	OWNER_SHARE, /* one more reference */
	OWNER_DROP,  /* one less, and not the last */
	OWNER_COPY,  /* its contents were copied, to let somebody write */
	OWNER_FREE,
};

/* OWNER_BOOK: bytes that owner_init() needs for each of n frames. */
enum { OWNER_BOOK = DEBUG ? 488 : 0 };
void owner_init(void *book, u64 n);

/*
 * owner_note: something happens to pg, by the caller of the function whose
 * frame is fp (FRAME_HERE()).  owner_share: OWNER_SHARE by the function that
 * calls it.
 */
void owner_note(const struct page *pg, enum owner_kind kind, u64 fp);
void owner_share(const struct page *pg);

/*
 * owner_filled: pg is free and filled with junk.  owner_verify: it is taken
 * again, and panics if it was filled and not all of that is there.
 */
void owner_filled(const struct page *pg, u8 junk);
void owner_verify(const struct page *pg);

/* owner_print: who allocated pg, and its last events. */
void owner_print(const struct page *pg);

/* owner_blame: if this hart panics next, it prints the events of pg. */
void owner_blame(const struct page *pg);
void owner_explain(void); /* for panic() */

#endif
