/* SPDX-License-Identifier: MIT */
/* dev.h - the devices of the machine, each in its own file. */
#ifndef KERNEL_DEV_DEV_H
#define KERNEL_DEV_DEV_H

#include "kernel/lib/base.h"

struct buf;

/* --- uart.c: ns16550a */
void uart_init(void);
/* uart_write: send n bytes, waiting for the device; any context. */
void uart_write(const char *s, size_t n);
void uart_intr(void); /* hands what came in to console_input() */
/* uart_listen: take input, or leave it waiting in the device. */
void uart_listen(bool on);

/* --- console.c: line editing; device number CONSOLE */
#include "kernel/file.h" /* CONSOLE */
void console_init(void); /* uart, and devsw[CONSOLE] */
void console_input(int c);
/* consputc: the one way of a character to the console; '\b' erases. */
void consputc(int c);
/* console_print: n bytes, kept together against other writers. */
void console_print(const char *s, size_t n);

/* --- plic.c */
void plic_init(void);      /* once: priorities of the devices found */
void plic_init_hart(void); /* on each hart: enable, threshold 0 */
void plic_intr(void);      /* claim and serve what is pending */

/* --- virtio_blk.c */
void disk_init(void);
/*
 * disk_rw: read or write n blocks, each into or from its buf, in any order;
 * sleeps until all are done.  A device error panics: there is no disk to go
 * on with.  The bufs are the caller's (locked) meanwhile.
 */
void disk_rw(struct buf **bufs, int n, bool write);
/* disk_flush: all writes that have ended are on stable storage after it. */
void disk_flush(void);
void disk_intr(void);

/* --- power.c */
/* power_off: end QEMU; exit status 0 if status is 0, else status (1..127). */
void power_off(int status) __noreturn;

/* --- ipi.c: between harts, through the CLINT and the M-mode stub */
void ipi_send(int hart);

#endif
