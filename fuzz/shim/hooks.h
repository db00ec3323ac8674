/* SPDX-License-Identifier: MIT */
/*
 * hooks.h - the shim: what is linked into a kernel under test, in supervisor
 * mode, so that it runs on the monitor.  The kernel's own functions are
 * replaced at link time (--wrap, see fuzz/build.mk); its sources know
 * nothing of it.
 */
#ifndef FUZZ_SHIM_HOOKS_H
#define FUZZ_SHIM_HOOKS_H

#include <stddef.h>

#include "fuzz/monitor/mailbox.h"
#include "fuzz/monitor/shimcall.h"

/* shim_call: ask the monitor (shimcall.h). */
static inline unsigned long
shim_call(enum shimcall what, unsigned long arg)
{
	register unsigned long a0 asm("a0") = what;
	register unsigned long a1 asm("a1") = arg;
	register unsigned long a7 asm("a7") = SHIMCALL;

	asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a7) : "memory");
	return a0;
}

/* shim_print: n bytes to the console that the host reads. */
void shim_print(const char *s, size_t n);

/* shim_stop: the kernel is at its end: text (constant) and a number. */
void shim_stop(const char *text, unsigned long value) __attribute__((noreturn));

/* The disk: an image in memory, part of the snapshot. */
extern unsigned char ramdisk_start[], ramdisk_end[];

#endif
