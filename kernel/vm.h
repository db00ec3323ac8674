/* SPDX-License-Identifier: MIT */
/* vm.h - how sys_sbrk() grows the heap, under the header's name of 2025. */
#ifndef KERNEL_VM_H
#define KERNEL_VM_H

#include "kernel/syscall.h"

#endif
