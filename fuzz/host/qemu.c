/* SPDX-License-Identifier: MIT */
/*
 * qemu.c - QEMU as a process: what it is started with, and how it ends.
 *
 * It has one hart, the memory file of the host's for RAM, no device but what
 * the machine itself brings, and two pipes by which guest and host ring each
 * other (doorbell.c, fuzz/monitor/ring.c).
 *
 * What keeps it right:
 *
 *   - The guest is hostile, and semihosting lets it open files and start
 *     programs.  QEMU serves supervisor mode too, if that runs just the three
 *     instructions that ask for it; no kernel has them.  Starting programs is
 *     forbidden by the sandbox.
 *   - It never outlives its parent, however that ends, and it keeps none of
 *     the parent's descriptors but the pipes: one of a fork server's would
 *     keep afl-fuzz waiting.
 */
#define _GNU_SOURCE
#include "fuzz/host/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/monitor/shimcall.h"

/* ---- the child */

/* Only the pipes stay open, above all not a fork server's. */
static void
arrange_descriptors(int log, int from_host, int to_host)
{
	int null = open("/dev/null", O_RDWR);

	if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
		dup2(from_host, RING_FROM_HOST) < 0 ||
		dup2(to_host, RING_TO_HOST) < 0)
		_exit(126);
	close_range(3, RING_FROM_HOST - 1, 0);
	close_range(RING_TO_HOST + 1, ~0U, 0);
}

/* End with the parent, and run where it was asked to. */
static void
arrange_process(bool keep_cpu, pid_t parent)
{
	cpu_set_t all;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (keep_cpu)
		return;
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
}

/* Never returns. */
static void
exec_qemu(const struct vm_config *c, const struct ram *r, pid_t parent)
{
	const char *qemu = c->qemu ? c->qemu : "qemu-system-riscv64";
	const char *append = c->append ? c->append : "batch";
	char size[32], memory[128], loader[4200], gdb[64];
	/* An option a line. */
	/* clang-format off */
	const char *argv[] = {
		qemu,
		"-M", "virt,memory-backend=ram",
		"-m", size,
		"-object", memory,
		"-accel", "tcg,thread=single",
		"-smp", "1",
		"-bios", "none",
		"-kernel", c->kernel,
		"-device", loader,
		"-append", append,
		"-display", "none",
		"-monitor", "none",
		"-serial", "none",
		"-nodefaults",
		"-semihosting-config", "enable=on,target=native",
		"-sandbox", "on,spawn=deny",
		/* -S: until gdb lets it go. */
		c->gdb_port ? "-S" : NULL,
		"-gdb", gdb,
		NULL,
	};
	/* clang-format on */

	snprintf(size, sizeof(size), "%luM", RAM_SIZE >> 20);
	snprintf(memory, sizeof(memory),
		"memory-backend-file,id=ram,size=%s,share=on,mem-path="
		"/proc/%d/fd/%d",
		size, (int)parent, ram_fd(r));
	snprintf(loader, sizeof(loader), "loader,file=%s", c->monitor);
	snprintf(gdb, sizeof(gdb), "tcp:127.0.0.1:%d", c->gdb_port);
	execvp(qemu, (char **)argv);
	_exit(127);
}

/* ---- the parent */

void
qemu_init(struct qemu *q)
{
	memset(q, 0, sizeof(*q));
	q->to_guest = q->from_guest = -1;
	q->log = memfd_create("qemu-log", MFD_CLOEXEC);
}

/* A pipe each way; none is left open on failure. */
static bool
open_pipes(int there[2], int back[2], char *err, size_t size)
{
	if (pipe2(there, O_CLOEXEC) < 0) {
		snprintf(err, size, "no pipe: %s", strerror(errno));
		return false;
	}
	if (pipe2(back, O_CLOEXEC) < 0) {
		snprintf(err, size, "no pipe: %s", strerror(errno));
		close(there[0]);
		close(there[1]);
		return false;
	}
	return true;
}

static void
empty_log(struct qemu *q)
{
	if (ftruncate(q->log, 0) == 0)
		lseek(q->log, 0, SEEK_SET);
}

bool
qemu_start(struct qemu *q, const struct vm_config *config, const struct ram *r,
	char *err, size_t size)
{
	int there[2], back[2];
	pid_t parent = getpid();

	if (!open_pipes(there, back, err, size))
		return false;
	empty_log(q);
	q->pid = fork();
	if (q->pid == 0) {
		arrange_process(config->keep_cpu, parent);
		arrange_descriptors(q->log, there[0], back[1]);
		exec_qemu(config, r, parent);
	}
	close(there[0]);
	close(back[1]);
	q->to_guest = there[1];
	q->from_guest = back[0];
	if (q->pid < 0) {
		q->pid = 0;
		snprintf(err, size, "cannot start QEMU: %s", strerror(errno));
		return false;
	}
	if (clock_getcpuclockid(q->pid, &q->clock) != 0)
		q->clock = CLOCK_MONOTONIC;
	return true;
}

void
qemu_stop(struct qemu *q)
{
	if (q->pid > 0) {
		kill(q->pid, SIGKILL);
		while (waitpid(q->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	q->pid = 0;
	if (q->to_guest >= 0)
		close(q->to_guest);
	if (q->from_guest >= 0)
		close(q->from_guest);
	q->to_guest = q->from_guest = -1;
}

void
qemu_close(struct qemu *q)
{
	qemu_stop(q);
	if (q->log >= 0)
		close(q->log);
}

void
qemu_said(const struct qemu *q, char *line, size_t size)
{
	char text[2048];
	ssize_t n = pread(q->log, text, sizeof(text) - 1, 0);
	char *last;

	line[0] = '\0';
	if (n <= 0)
		return;
	text[n] = '\0';
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	last = strrchr(text, '\n');
	snprintf(line, size, "%.200s", last ? last + 1 : text);
}
