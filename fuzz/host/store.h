/* SPDX-License-Identifier: MIT */
/*
 * store.h - the folder of all findings.
 *
 *	NNN-signature/   a finding each: finding.h
 *	unreproduced/    inputs that did not fail again, a folder each
 *	kernels/BUILD/   what they ran on: kernel, monitor.elf, stampede-fuzz
 *	index.json       a summary, made from the others
 */
#ifndef FUZZ_HOST_STORE_H
#define FUZZ_HOST_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/host/finding.h"

enum { STORE_ERROR = 512 };

struct store;

/*
 * store_open: with everything that is in it; it is made if it is not there.
 * One process at a time may have it open.  NULL with one line in err.
 */
struct store *store_open(const char *dir, char *err, size_t size);
void store_close(struct store *s);

/* store_list: the same for readers: takes no lock, makes and changes nothing.
 * A folder that is not there is an empty store. */
struct store *store_list(const char *dir);

/* store_get: the i-th finding by number; NULL if there are fewer. */
const struct finding *store_get(const struct store *s, size_t i);
/* store_odd: the same for inputs that did not fail again. */
const struct finding *store_odd(const struct store *s, size_t i);

/* store_hash: of an input, by which it is known again. */
uint64_t store_hash(const void *input, size_t n);
/* store_seen: has this input been recorded, as whatever it turned out? */
bool store_seen(const struct store *s, uint64_t hash);

/* store_find: the finding with this signature, or NULL. */
const struct finding *store_find(const struct store *s, const char *signature);

/*
 * These return 0, or -1 with a line in store_error(); then the input is not
 * recorded.  Killed at any moment they leave the store as it was before or as
 * it is behind them.
 */

/* store_keep: a copy of these; fills build, by their contents. */
int store_keep(struct store *s, const char *kernel, const char *monitor,
	char build[BUILD_ID]);
/*
 * store_add: a finding, f->number and f->name apart, which are filled in; or
 * what did not fail again, if e->result is NULL.  hash is that of the input.
 */
int store_add(struct store *s, struct finding *f, const struct evidence *e,
	uint64_t hash);
/* store_replace: the one with the same signature by f, which is smaller. */
int store_replace(struct store *s, struct finding *f, const struct evidence *e,
	uint64_t hash);
/* store_hit: one more input for the finding with this signature. */
int store_hit(struct store *s, const char *signature, uint64_t hash,
	const char *input);
/* store_index: write index.json anew. */
int store_index(struct store *s);

const char *store_error(const struct store *s);

#endif
