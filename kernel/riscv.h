/* SPDX-License-Identifier: MIT */
/*
 * riscv.h - pages and addresses of Sv39 (RISC-V Privileged Architecture,
 * "Sv39: Page-Based 39-bit Virtual-Memory System"), for kernel and user code.
 * What only the supervisor may touch is in trap/csr.h.
 */
#ifndef KERNEL_RISCV_H
#define KERNEL_RISCV_H

#define PGSHIFT 12
#define PGSIZE  4096

#define PGROUNDUP(x)   (((x) + PGSIZE - 1) & ~((unsigned long)PGSIZE - 1))
#define PGROUNDDOWN(x) ((x) & ~((unsigned long)PGSIZE - 1))

/*
 * One past the highest user address.  Sv39 addresses are sign-extended from
 * bit 38; user space is the half where that bit is clear.
 */
#define MAXVA (1UL << 38)

#ifndef __ASSEMBLER__
static inline unsigned long
r_sp(void)
{
	unsigned long sp;

	asm volatile("mv %0, sp" : "=r"(sp));
	return sp;
}

static inline unsigned long
r_tp(void)
{
	unsigned long tp;

	asm volatile("mv %0, tp" : "=r"(tp));
	return tp;
}
#endif

#endif
