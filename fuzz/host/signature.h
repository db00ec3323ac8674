/* SPDX-License-Identifier: MIT */
/*
 * signature.h - a short name of what went wrong: the same for each input that
 * shows the same bug, another one for another bug, and good as a file name.
 */
#ifndef FUZZ_HOST_SIGNATURE_H
#define FUZZ_HOST_SIGNATURE_H

#include <stddef.h>

#include "fuzz/host/elf.h"
#include "fuzz/host/vm.h"

enum { SIGNATURE_MAX = 61 }; /* bytes, with the NUL */

/* class_name: "pass", "panic", and so on. */
const char *class_name(enum vm_class c);

/*
 * signature: of a result, into out.  kernel gives the names of functions; it
 * may be NULL, and then the name is made of the text alone.
 */
void signature(const struct vm_result *r, const struct elf *kernel, char *out,
	size_t size);

#endif
