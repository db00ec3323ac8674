/* SPDX-License-Identifier: MIT */
/*
 * call_file.c - operations on descriptors, pipes and files.
 *
 * Descriptors are a process's own, so their numbers are known exactly.  So is
 * what goes through a pipe that no other process has ever had (`solo`): how
 * much is in it, and that a call would never come back, which is then left
 * out.  Of other pipes and of files only that is checked which holds in any
 * order of events.
 */
#include "fuzz/guest/address.h"
#include "fuzz/guest/lane.h"
#include "fuzz/guest/memory.h"
#include "fuzz/guest/model.h"
#include "fuzz/guest/plan.h"
#include "fuzz/guest/report.h"
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "user/user.h"

enum { PIPE_SIZE = 512, PATH_ROOT = 9, PATH_DOTDOT = 11, LEFT_OUT = -3 };

/* A buffer that a call is given. */
struct buffer {
	uint64_t at;
	uint32_t lo;     /* its offset in the arena, if it is there */
	int64_t n;       /* as it is asked for: -1 is possible */
	uint64_t usable; /* bytes of it, from the first on */
};

static struct buffer
buffer_out(unsigned addr, int64_t n)
{
	struct buffer b = {.at = address_of(addr), .n = n};

	b.lo = (uint32_t)(b.at - arena.start);
	b.usable = n <= 0 ? 0 : address_writable(b.at, (uint64_t)n);
	return b;
}

static bool
is_good(const struct buffer *b)
{
	return b->n >= 0 && b->usable == (uint64_t)b->n;
}

/* The kernel has written the first n bytes of it. */
static void
buffer_taken(const struct buffer *b, uint32_t n)
{
	if (n == 0)
		return;
	/* What stopped it may have stopped it in the middle of a block. */
	if (n < b->usable && (!is_good(b) || may_fail())) {
		memory_doubt((unsigned)op_index(), b->lo,
			b->lo + (uint32_t)b->usable);
		memory_check_around(b->lo, b->lo + (uint32_t)b->usable);
		return;
	}
	memory_take((unsigned)op_index(), b->lo, b->lo + n);
	memory_check_around(b->lo, b->lo + n);
}

/* The call failed, perhaps halfway. */
static void
buffer_doubted(const struct buffer *b)
{
	memory_doubt((unsigned)op_index(), b->lo, b->lo + (uint32_t)b->usable);
}

static void
wrong_value(long want, long got)
{
	accuse(ORACLE_value, (uint64_t)want, (uint64_t)got);
}

static int
fd_meant(unsigned value)
{
	return value < SLOTS ? model.slot[value] : prog_bad_fds[value - FD_BAD];
}

static bool
is_solo(const struct fd *f)
{
	return f->kind != FD_FILE && (model.solo & 1UL << f->op);
}

/* ---- descriptors */

static void
pipe_made(const uint16_t *arg, int in, int out)
{
	uint8_t op = (uint8_t)op_index();

	model.fd[in] = (struct fd){.kind = FD_PIPE_IN, .op = op, .reads = 1};
	model.fd[out] = (struct fd){.kind = FD_PIPE_OUT, .op = op, .writes = 1};
	model.slot[arg[0]] = (int8_t)in;
	model.slot[arg[1]] = (int8_t)out;
	model.solo |= 1UL << op;
	model.level[op] = 0;
}

long
do_pipe(const uint16_t *arg)
{
	struct buffer b = buffer_out(arg[2], 2 * sizeof(int));
	int in = model_free_fd(0);
	int out = in < 0 ? -1 : model_free_fd(in + 1);
	bool possible = is_good(&b) && out >= 0;
	long got = pipe((int *)b.at);
	int ends[2];

	if (got == -1) {
		if (possible && !may_fail())
			wrong_value(0, got);
		if (!is_good(&b))
			buffer_doubted(&b);
		return got;
	}
	if (got != 0 || !possible) {
		wrong_value(possible ? 0 : -1, got);
		return got;
	}
	memcpy(ends, (void *)b.at, sizeof(ends));
	if (ends[0] != in || ends[1] != out)
		accuse(ORACLE_value, (uint64_t)in << 32 | (uint32_t)out,
			(uint64_t)ends[0] << 32 | (uint32_t)ends[1]);
	buffer_taken(&b, sizeof(ends));
	pipe_made(arg, in, out);
	return got;
}

long
do_close(const uint16_t *arg)
{
	int fd = fd_meant(arg[0]);
	struct fd *f = model_fd(fd);
	long want = f == NULL ? -1 : 0;
	long got = close(fd);

	if (got != want)
		wrong_value(want, got);
	if (f != NULL)
		f->kind = FD_FREE;
	return got;
}

long
do_dup(const uint16_t *arg)
{
	int fd = fd_meant(arg[0]);
	const struct fd *f = model_fd(fd);
	long want = f == NULL ? -1 : model_free_fd(0);
	long got = dup(fd);

	if (got != want && !(got == -1 && may_fail()))
		wrong_value(want, got);
	if (got < 0)
		return got;
	model.fd[got] = *f;
	model.slot[arg[1]] = (int8_t)got;
	return got;
}

long
do_open(const uint16_t *arg)
{
	unsigned mode = prog_modes[arg[1]];
	int free = model_free_fd(0);
	bool must = arg[0] == PATH_ROOT && mode == O_RDONLY && !may_fail();
	long got = open(prog_paths[arg[0]], (int)mode);

	if (got != free && (got != -1 || must))
		wrong_value(free, got);
	if (got < 0)
		return got;
	model.fd[got] = (struct fd){
		.kind = FD_FILE,
		.reads = !(mode & O_WRONLY),
		.writes = (mode & (O_WRONLY | O_RDWR)) != 0,
	};
	model.slot[arg[2]] = (int8_t)got;
	return got;
}

/* ---- reading */

/* Would the process wait for itself? */
static bool
read_blocks(const struct fd *f)
{
	return f->kind == FD_PIPE_IN && is_solo(f) && model.level[f->op] == 0 &&
	       model_has_end(f->op, FD_PIPE_OUT);
}

/* How many bytes a good read of a solo pipe gives. */
static long
solo_read(const struct fd *f, const struct buffer *b)
{
	long most = model.level[f->op];

	return b->n < most ? b->n : most;
}

static void
read_refused(const struct fd *f, const struct buffer *b)
{
	buffer_doubted(b);
	/* A file may turn out to be a device that cannot be read. */
	if (f->kind == FD_PIPE_IN && is_good(b) && !may_fail())
		wrong_value(0, -1);
}

static void
judge_read(const struct fd *f, const struct buffer *b, long got)
{
	uint64_t bad;

	if (got < 0 || got > b->n || (uint64_t)got > b->usable) {
		wrong_value((long)b->usable, got);
		return;
	}
	if (f->kind == FD_PIPE_IN && is_solo(f)) {
		if (is_good(b) && got != solo_read(f, b))
			wrong_value(solo_read(f, b), got);
		model.level[f->op] -= (uint16_t)got;
	}
	if (f->kind == FD_PIPE_IN && got == 0 && b->n > 0 &&
		model_has_end(f->op, FD_PIPE_OUT))
		wrong_value(b->n, got); /* no end of file: we could write */
	if (plan_bytes_known() &&
		!memory_is_known((const uint8_t *)b->at, (uint64_t)got, &bad))
		accuse(ORACLE_data, 0, bad);
	buffer_taken(b, (uint32_t)got);
}

long
do_read(const uint16_t *arg)
{
	int fd = fd_meant(arg[0]);
	const struct fd *f = model_fd(fd);
	struct buffer b = buffer_out(arg[1], prog_lengths[arg[2]]);
	long got;

	if (f != NULL && read_blocks(f))
		return LEFT_OUT;
	got = read(fd, (void *)b.at, (int)b.n);
	if (f == NULL || !f->reads) {
		if (got != -1)
			wrong_value(-1, got);
		return got;
	}
	if (got == -1)
		read_refused(f, &b);
	else if (b.n >= 0 || got != 0)
		judge_read(f, &b, got);
	return got;
}

/* ---- writing */

static bool
write_blocks(const struct fd *f, const struct buffer *b)
{
	return f->kind == FD_PIPE_OUT && is_solo(f) &&
	       model_has_end(f->op, FD_PIPE_IN) &&
	       model.level[f->op] + b->n > PIPE_SIZE;
}

/* Must all of it be taken? */
static bool
write_is_sure(const struct fd *f, const struct buffer *b)
{
	return f->kind == FD_PIPE_OUT && is_good(b) && !may_fail() &&
	       model_has_end(f->op, FD_PIPE_IN);
}

/* Has the pipe, for all that anybody can do, no reader? */
static bool
write_is_vain(const struct fd *f, const struct buffer *b)
{
	return f->kind == FD_PIPE_OUT && b->n > 0 && is_solo(f) &&
	       !model_has_end(f->op, FD_PIPE_IN);
}

long
do_write(const uint16_t *arg)
{
	int fd = fd_meant(arg[0]);
	const struct fd *f = model_fd(fd);
	struct buffer b = buffer_out(arg[1], prog_lengths[arg[2]]);
	long got;

	b.usable = b.n <= 0 ? 0 : address_readable(b.at, (uint64_t)b.n);
	if (f != NULL && write_blocks(f, &b))
		return LEFT_OUT;
	got = write(fd, (void *)b.at, (int)b.n);
	if (f == NULL || !f->writes || write_is_vain(f, &b)) {
		if (got != -1)
			wrong_value(-1, got);
		return got;
	}
	if (got < -1 || (got > 0 && (uint64_t)got > b.usable))
		wrong_value((long)b.usable, got);
	else if (write_is_sure(f, &b) && got != b.n)
		wrong_value(b.n, got);
	if (got > 0 && is_solo(f))
		model.level[f->op] += (uint16_t)got;
	return got;
}

/* ---- files */

static void
judge_stat(const struct buffer *b)
{
	struct stat st;

	memcpy(&st, (void *)b->at, sizeof(st));
	if (st.type < T_DIR || st.type > T_DEVICE || st.nlink < 0)
		accuse(ORACLE_data, T_FILE, (uint64_t)st.type);
	buffer_taken(b, sizeof(st));
}

long
do_fstat(const uint16_t *arg)
{
	int fd = fd_meant(arg[0]);
	const struct fd *f = model_fd(fd);
	struct buffer b = buffer_out(arg[1], sizeof(struct stat));
	bool possible = f != NULL && f->kind == FD_FILE && is_good(&b);
	long got = fstat(fd, (struct stat *)b.at);

	if (got != (possible ? 0 : -1) && !(got == -1 && may_fail()))
		wrong_value(possible ? 0 : -1, got);
	else if (got == 0)
		judge_stat(&b);
	else
		buffer_doubted(&b);
	return got;
}

/* Calls that change the tree of names: others may have done so before. */
static long
judge_name(long got, bool possible)
{
	if (got != -1 && (got != 0 || !possible))
		wrong_value(-1, got);
	return got;
}

/* Is it always there, and never to be made or removed? */
static bool
is_fixed(unsigned path)
{
	return path >= PATH_ROOT && path <= PATH_DOTDOT;
}

long
do_link(const uint16_t *arg)
{
	return judge_name(link(prog_paths[arg[0]], prog_paths[arg[1]]),
		!is_fixed(arg[0]) && !is_fixed(arg[1]));
}

long
do_unlink(const uint16_t *arg)
{
	return judge_name(unlink(prog_paths[arg[0]]), !is_fixed(arg[0]));
}

long
do_mkdir(const uint16_t *arg)
{
	return judge_name(mkdir(prog_paths[arg[0]]), !is_fixed(arg[0]));
}

long
do_mknod(const uint16_t *arg)
{
	short major = (short)prog_modes[arg[1]];

	return judge_name(
		mknod(prog_paths[arg[0]], major, 0), !is_fixed(arg[0]));
}

long
do_chdir(const uint16_t *arg)
{
	long got = chdir(prog_paths[arg[0]]);

	if (got != 0 && arg[0] == PATH_ROOT && !may_fail())
		wrong_value(0, got);
	return judge_name(got, true);
}
