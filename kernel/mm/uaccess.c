/* SPDX-License-Identifier: MIT */
/*
 * uaccess.c - the kernel reads and writes user memory.
 *
 * Never through user addresses: each page is looked up in the process's own
 * table, with the rights that the process itself has, and then reached
 * through the kernel's map of all memory.  A page that lacks the right goes
 * through vm_fault(), as if the process had touched it; so a kernel write
 * cannot reach a page that is shared or read-only.
 */
#include "kernel/check/plant.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/vm.h"
#include "kernel/mm/zero.h"

/* Where the byte at va is for the kernel, or NULL if that takes a fault. */
static void *
user_byte(const struct vm *vm, uaddr va, bool write)
{
	u64 need = PTE_V | PTE_U | (write ? PTE_W : PTE_R);
	const pte_t *pte = walk(vm, va);

	if (pte == NULL)
		return NULL;
	if (PLANTED(copyout_shared) && (*pte & PTE_COW) && !is_zero_page(*pte))
		need &= ~PTE_W;
	if ((*pte & need) != need)
		return NULL;
	return pa_to_kva(PTE_PA(*pte) + va % PGSIZE);
}

/* The same, after making it present: 0, -EFAULT or -ENOMEM. */
static int
user_reach(struct vm *vm, uaddr va, bool write, void **kva)
{
	int err;

	if (va >= USERTOP)
		return -EFAULT;
	*kva = user_byte(vm, va, write);
	if (*kva != NULL)
		return 0;
	err = vm_fault(vm, va, write ? FAULT_WRITE : FAULT_READ, true);
	if (err)
		return err;
	*kva = user_byte(vm, va, write);
	return *kva == NULL ? -EFAULT : 0;
}

static u64
left_in_page(uaddr va)
{
	return PGSIZE - va % PGSIZE;
}

int
copyin(struct vm *vm, void *dst, uaddr src, u64 len)
{
	while (len > 0) {
		u64 n = MIN(len, left_in_page(src));
		void *kva;
		int err = user_reach(vm, src, false, &kva);

		if (err)
			return err;
		memmove(dst, kva, n);
		dst = (char *)dst + n;
		src += n;
		len -= n;
	}
	return 0;
}

int
copyout(struct vm *vm, uaddr dst, const void *src, u64 len)
{
	while (len > 0) {
		u64 n = MIN(len, left_in_page(dst));
		void *kva;
		int err = user_reach(vm, dst, true, &kva);

		if (err)
			return err;
		memmove(kva, src, n);
		src = (const char *)src + n;
		dst += n;
		len -= n;
	}
	return 0;
}

int
copyinstr(struct vm *vm, char *dst, uaddr src, u64 size)
{
	u64 at = 0;

	while (at < size) {
		u64 part = MIN(left_in_page(src + at), size - at), len;
		void *kva;
		int err = user_reach(vm, src + at, false, &kva);

		if (err)
			return err;
		len = strnlen(kva, part);
		memmove(dst + at, kva, len);
		at += len;
		if (len < part) {
			dst[at] = '\0';
			return (int)at;
		}
	}
	return -ENAMETOOLONG;
}

int
user_prefault(struct vm *vm, uaddr va, u64 len, bool write)
{
	uaddr end = va + len;

	if (end < va)
		return -EFAULT;
	while (va < end) {
		void *kva;
		int err = user_reach(vm, va, write, &kva);

		if (err)
			return err;
		va += left_in_page(va);
	}
	return 0;
}

/* After a prefault only a broken kernel can fail here. */
void
copyout_nofail(struct vm *vm, uaddr dst, const void *src, u64 len)
{
	if (copyout(vm, dst, src, len) != 0)
		panic("copyout_nofail: page went away", dst);
}

void
copyin_nofail(struct vm *vm, void *dst, uaddr src, u64 len)
{
	if (copyin(vm, dst, src, len) != 0)
		panic("copyin_nofail: page went away", src);
}
