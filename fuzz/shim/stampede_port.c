/* SPDX-License-Identifier: MIT */
/*
 * stampede_port.c - all that the shim has to know of the kernel in kernel/:
 * what boot/ leaves to us, and the functions wrapped at link time.
 */
#include "fuzz/shim/hooks.h"
#include "kernel/boot/boot.h"
#include "kernel/check/asan.h"
#include "kernel/check/failnth.h"
#include "kernel/check/park.h"
#include "kernel/dev/dev.h"
#include "kernel/dev/fdt.h"
#include "kernel/file/bio.h"
#include "kernel/fs.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/csr.h"

/* Frames beyond the image and the kernel stacks: few enough to run out of. */
enum { POOL_PAGES = 2048 };

/* What they hold at first: below 0x80, so no byte of it is of a pattern. */
#define JUNK 0x6a756e6b6a756e6bUL

/* --- boot/start.c */

__attribute__((section(".bss.stacks")))
u8 hart_stacks[NCPU][2 * KSTACK_SIZE] __aligned(2 * KSTACK_SIZE);
struct machine_scratch machine_scratch[NCPU];
paddr fdt_pa;

#define GIGAPAGE(pa) PTE_MAKE(pa, PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D)

static pte_t boot_table[PT_ENTRIES] __aligned(PGSIZE) = {
	[PT_INDEX(KVBASE, 2)] = GIGAPAGE(0),
	[PT_INDEX(KVBASE + KERNBASE, 2)] = GIGAPAGE(KERNBASE),
};

/* shim_boot: machine mode, at physical addresses; returns the first satp. */
u64 shim_boot(paddr fdt);
u64
shim_boot(paddr fdt)
{
	fdt_pa = fdt;
	asan_boot(boot_table);
	return SATP_SV39 | (u64)boot_table >> PGSHIFT;
}

/* --- the machine: more harts and less memory than QEMU says */

extern char kernel_end[];
void __real_fdt_read(paddr pa);
void __wrap_fdt_read(paddr pa);

void
__wrap_fdt_read(paddr pa)
{
	__real_fdt_read(pa);
	machine.nharts = machine.harts_found = VHARTS_MAX;
	machine.ram_size = PGROUNDUP(kva_to_pa(kernel_end)) - machine.ram_base +
			   POOL_PAGES * PGSIZE + (u64)NPROC * KSTACK_SIZE;
}

/*
 * Memory of a machine that was just switched on may hold anything; QEMU's is
 * all zeroes, and a kernel that forgets to clear a frame would never be seen.
 */
void __real_page_init(paddr start, paddr end);
void __wrap_page_init(paddr start, paddr end);

void
__wrap_page_init(paddr start, paddr end)
{
	volatile u64 *word = pa_to_kva(start);

	for (paddr at = start; at < end; at += sizeof(*word))
		*word++ = JUNK;
	__real_page_init(start, end);
}

void __wrap_ipi_send(int hart);
void
__wrap_ipi_send(int hart)
{
	shim_call(SHIM_IPI, (unsigned long)hart);
}

void __wrap_uart_write(const char *s, size_t n);
void
__wrap_uart_write(const char *s, size_t n)
{
	shim_print(s, n);
}

void __wrap_panic(const char *what, unsigned long data) __noreturn;
void
__wrap_panic(const char *what, unsigned long data)
{
	intr_off();
	printf("panic: %s: 0x%lx\n", what, data);
	failnth_report();
	shim_stop(what, data);
}

/*
 * --- the terminal: what was typed before there was a program to read it
 *
 * Two lines, both of them edited, an end of file, and the beginning of a line.
 */

static void
type_ahead(void)
{
	static const char keys[] = "wrong\025a lime\b\177ne\n"
				   "\b\025another\r\004and";

	for (const char *key = keys; *key != '\0'; key++)
		console_input(*key);
}

/* --- the disk: it takes its time, in which other harts go on */

void __wrap_disk_init(void);
void
__wrap_disk_init(void)
{
	type_ahead(); /* processes can be woken by now */
}

void __wrap_disk_flush(void);
void
__wrap_disk_flush(void)
{
	shim_call(SHIM_DISK, 0);
}

void __wrap_disk_rw(struct buf **bufs, int n, bool write);
void
__wrap_disk_rw(struct buf **bufs, int n, bool write)
{
	shim_call(SHIM_DISK, 0);
	for (int i = 0; i < n; i++) {
		u64 at = (u64)bufs[i]->blockno * BSIZE;

		if (at + BSIZE > (u64)(ramdisk_end - ramdisk_start))
			panic("ramdisk: no such block", bufs[i]->blockno);
		if (write)
			memmove(ramdisk_start + at, bufs[i]->data, BSIZE);
		else
			memmove(bufs[i]->data, ramdisk_start + at, BSIZE);
	}
}

/*
 * --- the audit's rendezvous: idle harts need no waking to stand still
 *
 * Where it takes the kernel's own, the harts that the input does not ask for
 * cannot come.  They do not have to: the snapshot has them where the audit of
 * the executor's warm-up left them, parked, in wfi.
 */

int __real_park_others(void);
void __real_park_release(void);
int __wrap_park_others(void);
void __wrap_park_release(void);

static bool parked_by_us;

int
__wrap_park_others(void)
{
	intr_off();
	if (park_midway() || !shim_call(SHIM_ALONE, 0))
		return __real_park_others();
	parked_by_us = true;
	return 0;
}

void
__wrap_park_release(void)
{
	if (!parked_by_us) {
		__real_park_release();
		return;
	}
	parked_by_us = false;
	intr_on();
}
