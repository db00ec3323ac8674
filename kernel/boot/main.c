/* SPDX-License-Identifier: MIT */
/*
 * main.c - the order in which the kernel comes up.
 *
 * The first hart sets everything up; the others wait, then set up what each
 * has for itself.  All of them end in scheduler().
 */
#include "kernel/boot/boot.h"
#include "kernel/check/asan.h"
#include "kernel/check/audit.h"
#include "kernel/check/selftest.h"
#include "kernel/dev/dev.h"
#include "kernel/dev/fdt.h"
#include "kernel/file/file.h"
#include "kernel/mm/tune.h"
#include "kernel/proc/proc.h"
#include "kernel/trap/trap.h"

extern char kernel_end[];

struct hart harts[NCPU];
int nharts;

/* Set with release order once the first hart has built all that is shared. */
static u32 ready_to_run;

static void
hart_init(void)
{
	kvm_init_hart();
	plic_init_hart();
	timer_init_hart();
	__atomic_store_n(&hart_self()->online, 1, __ATOMIC_RELEASE);
}

static void
machine_init(void)
{
	fdt_read(fdt_pa);
	nharts = machine.nharts;
	for (int i = 0; i < nharts; i++)
		machine_scratch[i].msip = machine.clint + 4 * i;
	console_init();
	printf("stampede: %d harts, %lu MiB\n", nharts, machine.ram_size >> 20);
}

static void
kernel_init(void)
{
	machine_init();
	tune_init();
	page_init(PGROUNDUP(kva_to_pa(kernel_end)),
		machine.ram_base + machine.ram_size);
	kvm_init();
	kvm_init_hart();
	asan_init();
	sleep_init();
	proc_init();
	file_init();
	plic_init();
	disk_init();
	page_keep_all();
	audit_init();
	proc_start_init();
}

void
main(void)
{
	trap_init_hart();
	if (hart_id() == 0) {
		kernel_init();
		hart_init();
		__atomic_store_n(&ready_to_run, 1, __ATOMIC_RELEASE);
		selftest();
		scheduler();
	}
	/* Pairs with the store above: what it built is visible. */
	while (!__atomic_load_n(&ready_to_run, __ATOMIC_ACQUIRE))
		if (panicked)
			panic_stop(true);
	while (hart_id() >= nharts)
		asm volatile("wfi"); /* more than the kernel can use */
	hart_init();
	scheduler();
}
