/* SPDX-License-Identifier: MIT */
/*
 * ram.h - the guest's memory as the host sees it: the snapshot, and putting
 * it back.
 */
#ifndef FUZZ_HOST_RAM_H
#define FUZZ_HOST_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAM_BASE 0x80000000UL
#define RAM_SIZE (136UL << 20)
#define RAM_PAGE 4096UL

struct ram;

/* ram_new: an empty memory file; NULL with a line in err. */
struct ram *ram_new(char *err, size_t size);
void ram_free(struct ram *r);
/* The file's descriptor, for QEMU; it has no name anywhere. */
int ram_fd(const struct ram *r);
/* ram_at: n bytes at physical address pa, or NULL if they are not RAM. */
void *ram_at(const struct ram *r, uint64_t pa, size_t n);

/* ram_skip: a range that is no part of the snapshot; before it is taken. */
void ram_skip(struct ram *r, uint64_t pa, uint64_t n);

/* ram_keep: a range that is put back each time, even if it is skipped. */
void ram_keep(struct ram *r, uint64_t pa, uint64_t n);

/*
 * ram_snapshot: keep all there is now.  satp holds n values of satp: what is
 * mapped under them is what code in the guest can write to, and their tables'
 * dirty bits are what ram_restore() goes by.  False, with a line in err, if
 * the tables are none that it knows.
 */
bool ram_snapshot(struct ram *r, const uint64_t *satp, unsigned n, char *err,
	size_t size);

/*
 * ram_restore: put back what has changed.  With `all`, for a kernel that cannot
 * be trusted with its own tables, all of memory is compared.  Pages that may
 * hold code and have changed are listed in code (at most max page numbers,
 * from RAM_BASE): the guest has to be told of them.  Returns how many; if that
 * is max, some may be missing.
 */
unsigned ram_restore(struct ram *r, bool all, uint32_t *code, unsigned max);

/*
 * ram_verify: the physical address of the first byte that differs from the
 * snapshot, or 0.  Dirty and accessed bits in tables do not count.
 */
uint64_t ram_verify(const struct ram *r);

/* ram_walk: va under satp to a physical address, or 0. */
uint64_t ram_walk(const struct ram *r, uint64_t satp, uint64_t va);

#endif
