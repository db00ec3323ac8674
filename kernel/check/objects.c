/* SPDX-License-Identifier: MIT */
/*
 * objects.c - open files, pipes, inodes, buffers and the log.
 *
 * No process is halfway through a call, so nobody holds any of them for a
 * moment only: references come from descriptors and current directories, and
 * buffers and the log are at rest.
 */
#include "kernel/check/audit.h"
#include "kernel/file/bio.h"
#include "kernel/file/file.h"
#include "kernel/file/itable.h"
#include "kernel/file/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/proc/proc.h"

/* References found to each open file and inode; the auditor's. */
static u32 file_found[NFILE];
static u32 inode_found[NINODE];

static void
count_inode(const struct inode *ip)
{
	if (ip >= inode_slot(0) && ip <= inode_slot(NINODE - 1))
		inode_found[ip - inode_slot(0)]++;
}

static void
count_file(const struct file *f)
{
	if (f >= file_slot(0) && f <= file_slot(NFILE - 1))
		file_found[f - file_slot(0)]++;
}

/* What the descriptors and current directories of all processes refer to. */
static void
count_all(void)
{
	memset(file_found, 0, sizeof(file_found));
	memset(inode_found, 0, sizeof(inode_found));
	for (struct proc *p = procs; p < &procs[NPROC]; p++) {
		if (p->state == PROC_FREE || p->state == PROC_ZOMBIE)
			continue;
		for (int fd = 0; fd < NOFILE; fd++)
			count_file(p->files[fd]);
		count_inode(p->cwd);
	}
}

/* A pipe's page has one reference; its two files are two sights of it. */
static void
count_pipe(const struct file *f)
{
	const struct page *pg = page_of(kva_to_pa(f->pipe));
	bool readers, writers;

	if (frame_use(pg) != USE_PIPE)
		frame_count(pg, USE_PIPE);
	pipe_ends(f->pipe, &readers, &writers);
	if ((f->readable && !readers) || (f->writable && !writers))
		audit_report("pipe takes an open end for closed",
			"pipe %lx, readers %d, writers %d", (u64)f->pipe,
			readers, writers);
}

static u32
check_file(const struct file *f, u32 n)
{
	if (f->refs != file_found[n])
		audit_report("open file has another count",
			"file %u, type %d, counted %u, found %u", n, f->type,
			f->refs, file_found[n]);
	if (f->refs == 0)
		return 0;
	if (f->type == FILE_PIPE)
		count_pipe(f);
	else if (f->type == FILE_INODE || f->type == FILE_DEVICE)
		count_inode(f->ip);
	return 1;
}

static void
check_inodes(void)
{
	for (u32 i = 0; i < NINODE; i++) {
		const struct inode *ip = inode_slot(i);

		if (ip->refs != inode_found[i])
			audit_report("inode has another count",
				"inode %u, counted %u, found %u", ip->inum,
				ip->refs, inode_found[i]);
	}
}

void
check_files(void)
{
	u64 used = 0;

	count_all();
	for (u32 i = 0; i < NFILE; i++)
		used += check_file(file_slot(i), i);
	if (used != file_count())
		audit_report("file table has another count",
			"counted %lu, found %lu", file_count(), used);
	check_inodes();
	if (bio_in_use() != log_pinned())
		audit_report("buffers are held by nobody",
			"in use %u, of the log %u", bio_in_use(), log_pinned());
	if (log_in_use() != 0)
		audit_report("log is open without a call", "%u", log_in_use());
}
