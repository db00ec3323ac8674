/* SPDX-License-Identifier: MIT */
/*
 * crash_asan.c - memory errors on purpose, one of each kind that asan.c
 * tells apart (crashes.def).
 */
#include "kernel/check/selftest.h"

#if ASAN
#include "kernel/check/asan.h"
#include "kernel/file/file.h"
#include "kernel/file/itable.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"

static u8 global[13];

/* The same pointer, but the compiler cannot know what it points to. */
static volatile u8 *
hide(const void *p)
{
	asm volatile("" : "+r"(p));
	return (volatile u8 *)p;
}

static u8 *
freed_frame(void)
{
	u8 *frame = kalloc();

	if (frame == NULL)
		panic("selftest: no memory", 0);
	kfree(frame);
	return frame;
}

void
crash_asan_load(void)
{
	(void)*hide(freed_frame() + 100);
}

void
crash_asan_store(void)
{
	*(volatile u64 *)hide(freed_frame() + 8) = 1;
}

void
crash_asan_memset(void)
{
	u8 *frame = freed_frame();

	/* It begins well: the frame below may be in use. */
	memset((u8 *)hide(frame + 40), 1, 24);
}

void
crash_asan_page(void)
{
	page_zero((u8 *)hide(freed_frame()));
}

void
crash_asan_unused(void)
{
	(void)*hide(page_kva(page_at(page_count_total() - 1)));
}

void
crash_asan_file(void)
{
	struct file *f = file_alloc();

	if (f == NULL)
		panic("selftest: no file", 0);
	file_close(f);
	*hide(&f->writable) = true;
}

void
crash_asan_inode(void)
{
	itable_init(); /* which comes later, with the disk */
	(void)*hide(&inode_slot(0)->d);
}

void
crash_asan_proc(void)
{
	struct proc *p = proc_alloc();

	if (p == NULL)
		panic("selftest: no process", 0);
	proc_free(p);
	(void)*hide(p->name);
}

void
crash_asan_kstack(void)
{
	(void)*hide((void *)(kstack_base(NPROC - 1) + 64));
}

void
crash_asan_scope(void)
{
	volatile u8 *outlives;

	{
		u8 inner[24];

		outlives = hide(inner);
		*outlives = 1;
	}
	*outlives = 2;
}

void
crash_asan_global(void)
{
	*hide(global + sizeof(global)) = 1;
}

void
crash_asan_text(void)
{
	static const char text[] = "a text that ends";

	(void)*hide(text + sizeof(text));
}

void
crash_asan_below(void)
{
	u8 local[20];

	*hide(local) = 0;
	*hide((u8 *)hide(local) - 1) = 1;
}

void
crash_asan_above(void)
{
	u8 local[20];

	*hide(local) = 0;
	*hide((u8 *)hide(local) + sizeof(local)) = 1;
}

void
crash_asan_memcpy(void)
{
	u8 local[20];

	memcpy((u8 *)hide(local), global, sizeof(global));
	memcpy((u8 *)hide(local) + sizeof(global), global, sizeof(global));
}

void
crash_asan_pipe(void)
{
	struct pipe *p = pipe_new();

	if (p == NULL)
		panic("selftest: no memory", 0);
	*hide((u8 *)p + PGSIZE - 1) = 1;
}

/* Some other part of the kernel has written to the shadow. */
void
crash_asan_shadow(void)
{
	static u64 word;

	asan_poison(&word, sizeof(word), 0x80);
	(void)*hide(&word);
}
#endif
