/* SPDX-License-Identifier: MIT */
/*
 * exec.c - a program takes the place of another.
 *
 * The new address space is built beside the old one, which stays untouched
 * until nothing can fail any more.  Whole pages of the file are mapped from
 * the page cache: text as it is, data as copy-on-write.  Only a page that is
 * part file and part zeroes is read into a frame of its own.  What lies
 * beyond the file's bytes comes into being when it is touched.
 *
 * The file is hostile: every number from it is checked before it is used.
 */
#include "kernel/check/plant.h"
#include "kernel/file/file.h"
#include "kernel/file/inode.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/pagecache.h"
#include "kernel/mm/stat.h"
#include "kernel/mm/tune.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/zero.h"
#include "kernel/proc/elf.h"
#include "kernel/proc/proc.h"
#include "kernel/stat.h"
#include "kernel/trap/trap.h"

enum {
	MAX_PHDRS = 16,
	MAX_ZEROES = 64 << 20, /* bytes of zero pages mapped one by one */
};

/* The program that is being built. */
struct image {
	struct vm *vm;
	struct inode *ip; /* locked while segments are loaded */
	u64 entry;
	u64 sp;
	u64 argv; /* user address of the array */
	u64 argc;
};

/* The arguments, copied out of the old address space into one page. */
struct args {
	char *page; /* the strings, one behind the other */
	u64 used;   /* bytes of it */
	u64 argc;
	u16 at[MAXARG]; /* where each begins */
};

/* ---- segments */

static u64
segment_perm(const struct elf_phdr *ph)
{
	u64 perm = PTE_R; /* nothing is writable or executable alone */

	if (ph->flags & PHDR_W)
		perm |= PTE_W | PTE_D;
	if (ph->flags & PHDR_X)
		perm |= PTE_X;
	return perm;
}

/* The same for a frame that others have too. */
static u64
shared_perm(u64 perm)
{
	if (!(perm & PTE_W))
		return perm;
	return (perm & ~(PTE_W | PTE_D)) | PTE_COW;
}

/* Map a frame whose reference we have; the frame is put on failure. */
static int
map_frame(struct vm *vm, uaddr va, struct page *pg, u64 perm)
{
	const pte_t *pte = walk(vm, va);
	int err = -ENOEXEC; /* two segments on one page */

	if (pte == NULL || *pte == 0)
		err = vm_map(vm, va, pg, perm);
	if (err && !PLANTED(failnth))
		page_put(pg);
	return err;
}

/* Map the page at va, whole pages of the file from offset off. */
static int
load_shared(struct image *im, uaddr va, u64 off, u64 perm)
{
	struct page *pg = pagecache_get(im->ip, off >> PGSHIFT);

	if (pg == NULL)
		return -ENOMEM;
	return map_frame(im->vm, va, pg, shared_perm(perm));
}

/* Map a page of our own at va: n bytes of the file, then zeroes. */
static int
load_private(struct image *im, uaddr va, u64 off, u64 n, u64 perm)
{
	struct page *pg = page_alloc();
	i64 got;

	if (pg == NULL)
		return -ENOMEM;
	got = inode_read(im->ip, page_kva(pg), off, n);
	if (got != (i64)n) {
		page_put(pg);
		return got < 0 ? (int)got : -ENOEXEC;
	}
	if (!PLANTED(zero_skip))
		memset((char *)page_kva(pg) + n, 0, PGSIZE - n);
	STAT_ADD(bytes_exec, n);
	return map_frame(im->vm, va, pg, perm);
}

/* Untouched memory: one range is remembered, others get the zero page. */
static int
load_zeroes(struct image *im, uaddr lo, uaddr hi, u64 perm)
{
	struct vm *vm = im->vm;

	if (lo >= hi)
		return 0;
	if ((perm & PTE_W) && !(perm & PTE_X) && vm->bss.lo == vm->bss.hi) {
		vm->bss = (struct vm_range){lo, hi};
		return 0;
	}
	if (hi - lo > MAX_ZEROES)
		return -ENOMEM;
	for (; lo < hi; lo += PGSIZE) {
		pte_t *pte = vm_private(vm, lo);

		if (pte == NULL)
			return -ENOMEM;
		if (*pte != 0)
			return -ENOEXEC;
		vm_set(vm, pte,
			PTE_MAKE(kva_to_pa(zero_page),
				shared_perm(perm) | PTE_USER));
	}
	return 0;
}

/* May a whole page be shared whose first n bytes belong to the segment? */
static bool
sharable(const struct elf_phdr *ph, u64 n, u64 perm)
{
	if (!tune.text || ph->offset % PGSIZE != 0)
		return false;
	/* Behind read-only bytes it does no harm to see more of the file. */
	return n == PGSIZE || (!(perm & PTE_W) && ph->memsz == ph->filesz);
}

static int
load_segment(struct image *im, const struct elf_phdr *ph)
{
	u64 perm = segment_perm(ph), done;
	uaddr end = PGROUNDUP(ph->vaddr + ph->memsz);
	int err = 0;

	/* vm_clear() must find what is mapped from here on. */
	im->vm->brk = MAX(im->vm->brk, end);
	for (done = 0; done < ph->filesz && err == 0; done += PGSIZE) {
		u64 n = MIN(ph->filesz - done, (u64)PGSIZE);

		if (sharable(ph, n, perm))
			err = load_shared(
				im, ph->vaddr + done, ph->offset + done, perm);
		else
			err = load_private(im, ph->vaddr + done,
				ph->offset + done, n, perm);
	}
	if (err)
		return err;
	return load_zeroes(im, ph->vaddr + PGROUNDUP(ph->filesz), end, perm);
}

/* The upper half of user space is left for the stack and the heap. */
static bool
segment_sane(const struct elf_phdr *ph, u64 filesize)
{
	return ph->vaddr % PGSIZE == 0 && ph->memsz >= ph->filesz &&
	       ph->vaddr + ph->memsz >= ph->vaddr &&
	       ph->vaddr + ph->memsz <= USERTOP / 2 && ph->filesz <= filesize &&
	       ph->offset <= filesize - ph->filesz;
}

/* ---- the file */

static int
read_exact(struct inode *ip, void *dst, u64 off, u64 n)
{
	i64 got = inode_read(ip, dst, off, n);

	if (got < 0)
		return (int)got;
	return got == (i64)n ? 0 : -ENOEXEC;
}

static int
read_header(struct inode *ip, struct elf_header *eh)
{
	static const u8 magic[] = {
		0x7f, 'E', 'L', 'F', ELF_CLASS64, ELF_LITTLE};
	int err = read_exact(ip, eh, 0, sizeof(*eh));

	if (err)
		return err;
	if (memcmp(eh->ident, magic, sizeof(magic)) != 0 ||
		eh->machine != ELF_RISCV || eh->type != ELF_EXEC ||
		eh->phentsize != sizeof(struct elf_phdr) ||
		eh->phnum > MAX_PHDRS)
		return -ENOEXEC;
	return 0;
}

static int
load_file(struct image *im)
{
	struct elf_header eh;
	struct elf_phdr ph;
	int err;

	if (inode_type(im->ip) != T_FILE)
		return -ENOEXEC;
	err = read_header(im->ip, &eh);
	if (err)
		return err;
	for (int i = 0; i < eh.phnum && err == 0; i++) {
		err = read_exact(
			im->ip, &ph, eh.phoff + i * sizeof(ph), sizeof(ph));
		if (err || ph.type != PHDR_LOAD || ph.memsz == 0)
			continue;
		err = -ENOEXEC;
		if (segment_sane(&ph, inode_size(im->ip)))
			err = load_segment(im, &ph);
	}
	im->entry = eh.entry;
	return err;
}

static int
load_path(struct image *im, const char *path)
{
	int err;

	/* The walk may be the last to leave a folder that is removed. */
	log_begin();
	im->ip = path_lookup(path);
	log_end();
	if (IS_ERR(im->ip))
		return (int)PTR_ERR(im->ip);
	inode_lock(im->ip);
	err = load_file(im);
	inode_unlock(im->ip);
	inode_close(im->ip);
	return err;
}

/* ---- arguments and stack */

/* Copy the strings of the user's argv: 0, -E2BIG, -EFAULT, -ENOMEM. */
static int
args_copyin(struct args *args, struct vm *vm, uaddr uargv)
{
	for (args->argc = 0;; args->argc++) {
		uaddr ustr;
		int n = copyin(vm, &ustr, uargv + 8 * args->argc, 8);

		if (n < 0)
			return n;
		if (ustr == 0)
			return 0;
		if (args->argc == MAXARG)
			return -E2BIG;
		n = copyinstr(
			vm, args->page + args->used, ustr, PGSIZE - args->used);
		if (n < 0)
			return n == -ENAMETOOLONG ? -E2BIG : n;
		args->at[args->argc] = args->used;
		args->used += n + 1;
	}
}

/*
 * Write the strings and the argv array to the top of the stack, which must
 * leave something to run on: 0 or -E2BIG.
 */
static int
stack_fill(struct image *im, const struct args *args, uaddr top, char *kva)
{
	u64 strings = (args->used + 15) & ~15UL;
	u64 array = (8 * (args->argc + 1) + 15) & ~15UL;
	u64 *argv;

	if (strings + array + 256 > PGSIZE)
		return -E2BIG;
	memmove(kva + PGSIZE - strings, args->page, args->used);
	argv = (u64 *)(kva + PGSIZE - strings - array);
	for (u64 i = 0; i < args->argc; i++)
		argv[i] = top - strings + args->at[i];
	argv[args->argc] = 0;
	im->argc = args->argc;
	im->argv = im->sp = top - strings - array;
	return 0;
}

/* A guard page, the stack, and then, in a leaf table of its own, the heap. */
static int
stack_build(struct image *im, const struct args *args)
{
	struct vm *vm = im->vm;
	uaddr lo = PGROUNDUP(vm->brk) + PGSIZE;
	uaddr top = lo + USERSTACK * PGSIZE;
	int err = 0;

	vm->brk = (top + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);
	/* Programs expect memory right below the first break, as on a stack. */
	vm->heap = vm->brk - PGSIZE;
	for (; lo < top && err == 0; lo += PGSIZE) {
		struct page *pg = page_alloc_zeroed();

		if (pg == NULL)
			return -ENOMEM;
		if (lo + PGSIZE == top)
			err = stack_fill(im, args, top, page_kva(pg));
		if (err)
			page_put(pg);
		else
			err = map_frame(vm, lo, pg, PTE_R | PTE_W | PTE_D);
	}
	return err;
}

/* ---- exec */

/* Nothing here can fail. */
static void
image_commit(struct proc *p, const struct image *im, const char *path)
{
	struct vm *old = p->vm;
	const char *name = path;

	for (const char *s = path; *s != '\0'; s++)
		if (*s == '/')
			name = s + 1;
	strlcpy(p->name, name, sizeof(p->name));
	p->vm = im->vm;
	vm_switch(p->vm);
	vm_clear(old);
	p->tf->epc = im->entry;
	p->tf->regs[TF_SP] = im->sp;
	p->tf->regs[TF_A1] = im->argv;
	STAT(execs);
}

/* Replace the calling process's program; argc, or a negative errno. */
static i64
exec(const char *path, const struct args *args)
{
	struct proc *p = myproc();
	struct image im = {.vm = p->vm == &p->vms[0] ? &p->vms[1] : &p->vms[0]};
	int err = vm_init(im.vm);

	if (err)
		return err;
	err = load_path(&im, path);
	if (err == 0)
		err = stack_build(&im, args);
	if (err) {
		vm_clear(im.vm);
		return err;
	}
	image_commit(p, &im, path);
	return (i64)im.argc;
}

/* exec(path, argv) */
i64
sys_exec(const u64 *arg)
{
	struct proc *p = myproc();
	char path[MAXPATH];
	struct args args = {0};
	i64 result = copyinstr(p->vm, path, arg[0], sizeof(path));

	if (result < 0)
		return result;
	args.page = kalloc();
	if (args.page == NULL)
		return -ENOMEM;
	result = args_copyin(&args, p->vm, arg[1]);
	if (result == 0)
		result = exec(path, &args);
	if (MISTAKEN(exec_leak) && result < 0)
		return result;
	kfree(args.page);
	return result;
}

void
exec_init(void)
{
	static char name[] = "init";
	struct args args = {.page = name, .used = sizeof(name), .argc = 1};
	struct proc *p = myproc();
	i64 err;

	fs_init(ROOTDEV);
	p->cwd = path_lookup("/");
	if (IS_ERR(p->cwd))
		panic("init: no root directory", PTR_ERR(p->cwd));
	err = exec("/init", &args);
	if (err < 0)
		panic("init: cannot run /init", err);
	p->tf->regs[TF_A0] = err;
}
