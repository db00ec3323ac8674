/* SPDX-License-Identifier: MIT */
/*
 * guest.h - the guest as the host knows it: its two images, its memory, and
 * the places in there that both sides use.
 */
#ifndef FUZZ_HOST_GUEST_H
#define FUZZ_HOST_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/host/elf.h"
#include "fuzz/host/ram.h"
#include "fuzz/monitor/mailbox.h"
#include "fuzz/monitor/state.h"

struct guest {
	const char *kernel_path; /* the caller's, for messages */
	const char *monitor_path;
	struct elf *kernel;
	struct elf *monitor;
	struct ram *ram;
	uint64_t box_pa;
	uint64_t cover_pa;
	uint64_t blocks_pa; /* 0: none */
	uint64_t state_pa;
	struct mailbox *box;         /* in the guest's memory */
	struct cover *cover;         /* too */
	struct monitor_state *state; /* too */
};

/*
 * guest_open: read the two images.  False on failure, with a line in err, and
 * then guest_close() is still to be called.
 */
bool guest_open(struct guest *g, const char *kernel, const char *monitor,
	char *err, size_t size);
void guest_close(struct guest *g);

/*
 * guest_renew: memory that is empty, for a QEMU that is to be started.  What
 * was in the old one is gone.  False on failure, with a line in err.
 */
bool guest_renew(struct guest *g, char *err, size_t size);

/* guest_check: is this kernel, which runs, of the same tree as we? */
bool guest_check(const struct guest *g, char *err, size_t size);

/* guest_snapshot: this is what the guest is put back to from now on.  False,
 * with a line in err, if its page tables are none that we know. */
bool guest_snapshot(struct guest *g, char *err, size_t size);

/* guest_blocks: see vm_blocks(). */
const uint8_t *guest_blocks(const struct guest *g, uint64_t *text, size_t *n);

#endif
