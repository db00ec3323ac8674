/* SPDX-License-Identifier: MIT */
/*
 * fdt.h - what the kernel wants to know from the device tree (Devicetree
 * Specification, "Flattened Devicetree (DTB) Format").
 */
#ifndef KERNEL_DEV_FDT_H
#define KERNEL_DEV_FDT_H

#include "kernel/lib/base.h"

enum { VIRTIO_SLOTS = 8 };

/* Filled once by fdt_read() on the first hart; fixed after that. */
struct machine {
	int nharts;      /* that we use: 0 to nharts - 1 */
	int harts_found; /* in the tree: may be more than NCPU */
	paddr ram_base;
	u64 ram_size; /* bytes */
	paddr uart;   /* ns16550a; 0: none */
	u32 uart_irq;
	paddr plic;
	paddr clint;   /* machine software interrupts */
	paddr testdev; /* sifive,test0: ends QEMU; 0: none */
	paddr virtio[VIRTIO_SLOTS];
	u32 virtio_irq[VIRTIO_SLOTS];
	int nvirtio;
	u64 timebase; /* ticks of the time CSR in a second */
	char bootargs[256];
};
extern struct machine machine;

/*
 * fdt_read: fill machine from the tree at physical address pa.  Hostile or
 * truncated trees end in a panic with a number, never in a wild access.
 */
void fdt_read(paddr pa);

/*
 * bootarg: the value of boot argument `name` ("name=value", to the next
 * blank; `run=` takes the rest of the line) into buf; false if it is absent.
 * A bare word counts as present with an empty value.  With size 0 nothing is
 * copied.
 */
bool bootarg(const char *name, char *buf, size_t size);

#endif
