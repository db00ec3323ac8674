/* SPDX-License-Identifier: MIT */
/*
 * elf.h - what exec reads of an ELF file ("Tool Interface Standard ELF
 * Specification"; "RISC-V ELF Specification" for the machine number).
 */
#ifndef KERNEL_PROC_ELF_H
#define KERNEL_PROC_ELF_H

#include "kernel/lib/base.h"

struct elf_header {
	u8 ident[16]; /* 0x7f "ELF", class, byte order, version, padding */
	u16 type;
	u16 machine;
	u32 version;
	u64 entry; /* first instruction */
	u64 phoff; /* file offset of the program headers */
	u64 shoff;
	u32 flags;
	u16 ehsize;
	u16 phentsize;
	u16 phnum;
	u16 shentsize;
	u16 shnum;
	u16 shstrndx;
};

struct elf_phdr {
	u32 type;
	u32 flags;
	u64 offset; /* in the file */
	u64 vaddr;
	u64 paddr;
	u64 filesz; /* bytes in the file; the rest of memsz is zero */
	u64 memsz;
	u64 align;
};

enum {
	ELF_CLASS64 = 2,
	ELF_LITTLE = 1,
	ELF_EXEC = 2,
	ELF_RISCV = 243,
	PHDR_LOAD = 1,
	PHDR_X = 1,
	PHDR_W = 2,
	PHDR_R = 4,
};

#endif
