/* SPDX-License-Identifier: MIT */
/* file.h - device numbers, for programs that make device nodes. */
#ifndef KERNEL_FILE_H
#define KERNEL_FILE_H

#define CONSOLE 1

#endif
