/* SPDX-License-Identifier: MIT */
/*
 * guest.c - where the host finds what it shares with the guest, and what of
 * the guest's memory is the snapshot.
 *
 * Mailbox, coverage map and blocks are objects of the kernel's, the state of
 * the virtual harts is one of the monitor's; all are found by their symbols.
 * The first three go from one side to the other with every input and are no
 * part of the snapshot, nor is the monitor's memory, but for its state: that
 * is what an input can change in it, so it is put back each time.
 *
 * The addresses come out of files that may be of another version, so every
 * one of them is checked to be RAM before it is used.
 */
#include "fuzz/host/guest.h"

#include <stdio.h>
#include <string.h>

#include "fuzz/host/mailbox.h"
#include "fuzz/monitor/shimcall.h"

bool
guest_open(struct guest *g, const char *kernel, const char *monitor, char *err,
	size_t size)
{
	memset(g, 0, sizeof(*g));
	g->kernel_path = kernel;
	g->monitor_path = monitor;
	g->kernel = elf_open(kernel, err, size);
	if (g->kernel != NULL)
		g->monitor = elf_open(monitor, err, size);
	return g->monitor != NULL;
}

void
guest_close(struct guest *g)
{
	ram_free(g->ram);
	elf_close(g->kernel);
	elf_close(g->monitor);
}

/* ---- places */

/* The physical address of a symbol of the kernel's; 0 if there is none. */
static uint64_t
symbol_pa(const struct elf *kernel, const char *name)
{
	uint64_t va, pa, seg_va, n;

	if (!elf_symbol(kernel, name, &va))
		return 0;
	for (unsigned i = 0; elf_segment(kernel, i, &pa, &seg_va, &n); i++)
		if (va >= seg_va && va - seg_va < n)
			return va - seg_va + pa;
	return 0;
}

static bool
find_in_kernel(struct guest *g)
{
	g->box_pa = symbol_pa(g->kernel, "stampede_mailbox");
	g->cover_pa = symbol_pa(g->kernel, "stampede_cover");
	g->blocks_pa = symbol_pa(g->kernel, "stampede_blocks");
	return g->box_pa != 0 && g->cover_pa != 0;
}

/* The monitor lies where it is linked: physical is virtual. */
static bool
find_in_monitor(struct guest *g)
{
	return elf_symbol(g->monitor, "monitor_state", &g->state_pa);
}

static bool
point_into_ram(struct guest *g)
{
	g->box = ram_at(g->ram, g->box_pa, sizeof(*g->box));
	g->cover = ram_at(g->ram, g->cover_pa, sizeof(*g->cover));
	g->state = ram_at(g->ram, g->state_pa, sizeof(*g->state));
	return g->box != NULL && g->cover != NULL && g->state != NULL;
}

static bool
find_places(struct guest *g, char *err, size_t size)
{
	if (!find_in_kernel(g)) {
		snprintf(err, size,
			"%s has no mailbox or no map: it is no kernel for the "
			"fuzzer; build it with make FUZZ=cover",
			g->kernel_path);
		return false;
	}
	if (!find_in_monitor(g) || !point_into_ram(g)) {
		snprintf(err, size,
			"%s is not the monitor that belongs to this tool",
			g->monitor_path);
		return false;
	}
	return true;
}

bool
guest_renew(struct guest *g, char *err, size_t size)
{
	ram_free(g->ram);
	g->ram = ram_new(err, size);
	return g->ram != NULL && find_places(g, err, size);
}

bool
guest_check(const struct guest *g, char *err, size_t size)
{
	if (mailbox_valid(g->box))
		return true;
	snprintf(err, size,
		"%s: its mailbox is of another version; build kernel and tool "
		"from the same tree",
		g->kernel_path);
	return false;
}

/* ---- the snapshot */

/* Every page table that there is: those of the harts, and of processes that
 * wait.  Returns how many. */
static unsigned
list_tables(const struct monitor_state *state,
	uint64_t satp[VHARTS_MAX + SPACES_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < VHARTS_MAX; i++)
		satp[n++] = state->vharts[i].satp;
	for (unsigned i = 0; i < SPACES_MAX && i < state->nspaces; i++)
		satp[n++] = state->spaces[i];
	return n;
}

bool
guest_snapshot(struct guest *g, char *err, size_t size)
{
	uint64_t satp[VHARTS_MAX + SPACES_MAX];
	unsigned n = list_tables(g->state, satp);

	ram_skip(g->ram, g->box_pa, sizeof(*g->box));
	ram_skip(g->ram, g->cover_pa, sizeof(*g->cover));
	ram_skip(g->ram, MONITOR_BASE, MONITOR_SIZE);
	if (g->blocks_pa != 0)
		ram_skip(g->ram, g->blocks_pa, BLOCKS_MAX);
	ram_keep(g->ram, g->state_pa, sizeof(*g->state));
	/* The kernel could have written there. */
	g->box->ndirty = 0;
	return ram_snapshot(g->ram, satp, n, err, size);
}

/* ---- blocks */

const uint8_t *
guest_blocks(const struct guest *g, uint64_t *text, size_t *n)
{
	if (g->blocks_pa == 0 || !elf_symbol(g->kernel, "kernel_text", text))
		return NULL;
	*n = BLOCKS_MAX;
	return ram_at(g->ram, g->blocks_pa, BLOCKS_MAX);
}
