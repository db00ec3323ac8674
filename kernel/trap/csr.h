/* SPDX-License-Identifier: MIT */
/*
 * csr.h - control and status registers (RISC-V Privileged Architecture
 * 1.12; Sstc; numbers where the assembler does not know the names).
 */
#ifndef KERNEL_TRAP_CSR_H
#define KERNEL_TRAP_CSR_H

#include "kernel/check/lockdep.h"

#define csr_read(csr)                                                          \
	({                                                                     \
		u64 csr_value;                                                 \
		asm volatile("csrr %0, " #csr : "=r"(csr_value)::"memory");    \
		csr_value;                                                     \
	})
#define csr_write(csr, value)                                                  \
	asm volatile("csrw " #csr ", %0" ::"rK"((u64)(value)) : "memory")
#define csr_set(csr, bits)                                                     \
	asm volatile("csrs " #csr ", %0" ::"rK"((u64)(bits)) : "memory")
#define csr_clear(csr, bits)                                                   \
	asm volatile("csrc " #csr ", %0" ::"rK"((u64)(bits)) : "memory")
/* csr_read_clear: clear bits, return what the register held before. */
#define csr_read_clear(csr, bits)                                              \
	({                                                                     \
		u64 csr_value;                                                 \
		asm volatile("csrrc %0, " #csr ", %1"                          \
			     : "=r"(csr_value)                                 \
			     : "rK"((u64)(bits))                               \
			     : "memory");                                      \
		csr_value;                                                     \
	})

/* mstatus, sstatus */
#define SSTATUS_SIE      (1UL << 1) /* interrupts on, in supervisor mode */
#define SSTATUS_SPIE     (1UL << 5) /* what SIE becomes at sret */
#define SSTATUS_SPP      (1UL << 8) /* the mode that sret returns to */
#define MSTATUS_MPIE     (1UL << 7)
#define MSTATUS_MPP_MASK (3UL << 11)
#define MSTATUS_MPP_S    (1UL << 11)

/* mie, mip, sie, sip, mideleg */
#define INT_SSOFT  (1UL << 1)
#define INT_MSOFT  (1UL << 3)
#define INT_STIMER (1UL << 5)
#define INT_SEXT   (1UL << 9)

/* scause */
#define CAUSE_INTERRUPT   (1UL << 63)
#define CAUSE_SSOFT       (CAUSE_INTERRUPT | 1)
#define CAUSE_STIMER      (CAUSE_INTERRUPT | 5)
#define CAUSE_SEXT        (CAUSE_INTERRUPT | 9)
#define CAUSE_ECALL_U     8
#define CAUSE_FETCH_FAULT 12
#define CAUSE_LOAD_FAULT  13
#define CAUSE_STORE_FAULT 15

/* satp */
#define SATP_SV39 (8UL << 60)

/* menvcfg (0x30a), stimecmp (0x14d): Sstc */
#define MENVCFG_STCE (1UL << 63)

static inline u64
rdtime(void)
{
	u64 t;

	asm volatile("rdtime %0" : "=r"(t));
	return t;
}

static inline void
intr_on(void)
{
	if (LOCKDEP)
		lockdep_intr_on();
	csr_set(sstatus, SSTATUS_SIE);
}

static inline void
intr_off(void)
{
	csr_clear(sstatus, SSTATUS_SIE);
}

static inline bool
intr_get(void)
{
	return (csr_read(sstatus) & SSTATUS_SIE) != 0;
}

#endif
