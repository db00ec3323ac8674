/* SPDX-License-Identifier: MIT */
/*
 * grind - system calls at random, all results checked:
 *
 *	grind [-s SEED] [-t SECONDS] [-n WORKERS]
 *
 * Each worker draws operations from its own random numbers, which depend on
 * nothing but the seed and the worker's number.  It lives in a folder of its
 * own, and keeps a model: which names lead to which files, what is in them,
 * where each descriptor stands.  So for every call it knows what has to come
 * back.  Only a call that may lack something which all processes share
 * (memory, a process, an inode, a disk block) may also fail; that is counted.
 *
 * Workers beat by writing to a pipe.  When the first process stops reading,
 * because the time is over or because it was killed, the next beat fails,
 * and the worker cleans up and ends.  Without -t that is never.
 */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/memlayout.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/lib/command.h"

enum {
	WORKERS_MAX = 16,
	NAMES = 4,
	SLOTS = 6,               /* descriptors of the model */
	OBJECTS = NAMES + SLOTS, /* each is named or open */
	FILE_MAX = 3000,
	CALL_MAX = 1000, /* bytes of one read or write */
	ARENA_PAGES = 12,
	OPS_PER_BEAT = 8,
	TICKS = 10, /* a second */

	FAIL = 1,
	BROKEN = 2,
	NO_EXEC = 99,
};

struct object { /* a file */
	int links, opens, size;
	int vague; /* a call stopped half way: content and size unknown */
	uchar data[FILE_MAX];
};

struct stream { /* what open() makes and dup() shares */
	struct object *file;
	int refs, at, mode;
};

struct slot { /* a descriptor */
	int fd;
	struct stream *stream;
};

static struct object objects[OBJECTS];
static struct object *names[NAMES];
static struct stream streams[SLOTS];
static struct slot slots[SLOTS];

static uchar buf[CALL_MAX + 64];
static uint64 arena[ARENA_PAGES][PGSIZE / sizeof(uint64)];
static uint64 arena_stamp;

static uint seed = 1;
static int worker;
static uint64 rng;
static int beat;         /* where to write beats */
static int descriptors;  /* free ones at the start */
static const char *step; /* the operation that is being done */
static uint64 nops, nlacks;

/* ---- checking */

static void __attribute__((noreturn))
fail(const char *what, long got, long want)
{
	printf("grind: FAIL: %s: %s: %ld, not %ld (seed %u, worker %d, "
	       "operation %lu)\n",
		step, what, got, want, seed, worker, nops);
	write(beat, "F", 1);
	exit(FAIL);
}

static void
expect(const char *what, long got, long want)
{
	if (got != want)
		fail(what, got, want);
}

/* Did the call fail, as one may that needs what all processes share? */
static int
lacks(long got)
{
	if (got >= 0)
		return 0;
	expect("error", got, -1);
	nlacks++;
	return 1;
}

static uint64
mix(uint64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* A random number below n. */
static uint
draw(uint n)
{
	rng += 0x9e3779b97f4a7c15;
	return (mix(rng) >> 32) % n;
}

/* Wait for the only child there is, and check who and how. */
static void
expect_child(int pid, int status)
{
	int got = 0;

	expect("wait", wait(&got), pid);
	expect("exit status", got, status);
}

/* ---- files */

static const char *
name_of(int i)
{
	static const char *const list[NAMES] = {"a", "b", "c", "d"};

	return list[i];
}

static struct slot *
find_slot(int want_open)
{
	uint first = draw(SLOTS);

	for (uint i = 0; i < SLOTS; i++) {
		struct slot *s = &slots[(first + i) % SLOTS];

		if ((s->stream != 0) == want_open)
			return s;
	}
	return 0;
}

static struct object *
new_object(void)
{
	struct object *o = objects;

	while (o->links > 0 || o->opens > 0)
		o++;
	o->size = 0;
	o->vague = 0;
	o->links = 1;
	return o;
}

static void
new_stream(struct slot *slot, int fd, struct object *file, int mode)
{
	struct stream *s = streams;

	while (s->refs > 0)
		s++;
	s->refs = 1;
	s->at = 0;
	s->mode = mode;
	s->file = file;
	file->opens++;
	slot->fd = fd;
	slot->stream = s;
}

static void
op_close(void)
{
	struct slot *slot = find_slot(1);

	if (slot == 0)
		return;
	expect("close", close(slot->fd), 0);
	expect("close again", close(slot->fd), -1);
	if (--slot->stream->refs == 0)
		slot->stream->file->opens--;
	slot->stream = 0;
}

static void
op_open(void)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
	struct slot *slot = find_slot(0);
	int name = draw(NAMES);
	int mode = modes[draw(4)];
	int create = draw(3) ? O_CREATE : 0;
	int trunc = mode != O_RDONLY && draw(4) == 0 ? O_TRUNC : 0;
	int fd;

	if (slot == 0) {
		op_close();
		return;
	}
	fd = open(name_of(name), mode | create | trunc);
	if (names[name] == 0 && !create) {
		expect("open without a file", fd, -1);
		return;
	}
	if (lacks(fd)) {
		/* It may have been made before something was lacking. */
		if (names[name] == 0)
			unlink(name_of(name));
		else if (trunc)
			names[name]->vague = 1;
		return;
	}
	if (fd >= NOFILE)
		fail("open", fd, NOFILE - 1);
	if (names[name] == 0)
		names[name] = new_object();
	if (trunc)
		names[name]->size = 0;
	new_stream(slot, fd, names[name], mode);
}

static void
op_dup(void)
{
	struct slot *from = find_slot(1);
	struct slot *to = find_slot(0);

	if (from == 0 || to == 0)
		return;
	to->fd = dup(from->fd);
	if (to->fd <= 2)
		fail("dup", to->fd, from->fd);
	to->stream = from->stream;
	to->stream->refs++;
}

/* A read must give what the model has, and touch nothing behind that. */
static void
op_read(void)
{
	struct slot *slot = find_slot(1);
	uchar *p = buf + draw(32);
	int n = draw(CALL_MAX);
	struct stream *s;
	int want, got;

	if (slot == 0)
		return;
	s = slot->stream;
	memset(buf, 0xa5, sizeof(buf));
	got = read(slot->fd, p, n);
	if (s->file->vague && got > 0)
		s->at += got;
	if (s->file->vague)
		return;

	want = s->file->size - s->at;
	if (want < 0)
		want = 0;
	if (want > n)
		want = n;
	if (s->mode == O_WRONLY)
		want = -1;
	expect("read", got, want);
	if (want < 0)
		want = 0;
	expect("content", memcmp(p, s->file->data + s->at, want), 0);
	expect("byte behind the buffer", p[want], 0xa5);
	s->at += want;
}

static void
op_write(void)
{
	struct slot *slot = find_slot(1);
	uchar *p = buf + draw(32);
	int n = draw(CALL_MAX);
	struct stream *s;
	int got;

	if (slot == 0)
		return;
	s = slot->stream;
	/* Behind the end, after somebody's O_TRUNC: not specified. */
	if (s->file->vague || s->at > s->file->size || s->at + n > FILE_MAX)
		return;
	for (int i = 0; i < n; i++)
		p[i] = draw(256);
	got = write(slot->fd, p, n);
	if (s->mode == O_RDONLY) {
		expect("write to a file open for reading", got, -1);
		return;
	}
	if (got != n) {
		lacks(-1);
		s->file->vague = 1;
		return;
	}
	memcpy(s->file->data + s->at, p, n);
	s->at += n;
	if (s->file->size < s->at)
		s->file->size = s->at;
}

static void
op_fstat(void)
{
	struct slot *slot = find_slot(1);
	struct stat st;

	if (slot == 0)
		return;
	expect("fstat", fstat(slot->fd, &st), 0);
	expect("type", st.type, T_FILE);
	expect("links", st.nlink, slot->stream->file->links);
	if (!slot->stream->file->vague)
		expect("size", st.size, slot->stream->file->size);
}

static void
op_link(void)
{
	int from = draw(NAMES);
	int to = draw(NAMES);
	int got = link(name_of(from), name_of(to));

	if (names[from] == 0 || names[to] != 0) {
		expect("link", got, -1);
		return;
	}
	if (lacks(got))
		return;
	names[to] = names[from];
	names[to]->links++;
}

static void
op_unlink(void)
{
	int name = draw(NAMES);

	expect("unlink", unlink(name_of(name)), names[name] ? 0 : -1);
	if (names[name])
		names[name]->links--;
	names[name] = 0;
}

static void
op_folder(void)
{
	int fd;

	if (lacks(mkdir("dir")))
		return;
	expect("mkdir again", mkdir("dir"), -1);
	expect("open a folder to write", open("dir", O_RDWR), -1);
	expect("link a folder", link("dir", "dir2"), -1);
	expect("chdir", chdir("dir"), 0);
	expect("remove .", unlink("."), -1);
	expect("remove ..", unlink(".."), -1);
	fd = open("file", O_CREATE | O_RDWR);
	if (!lacks(fd)) {
		expect("close", close(fd), 0);
		expect("remove a full folder", unlink("../dir"), -1);
		expect("chdir to a file", chdir("file"), -1);
	}
	/* It is there if open() lacked something after making it. */
	unlink("file");
	expect("chdir back", chdir(".."), 0);
	expect("remove a folder", unlink("dir"), 0);
	expect("chdir to nothing", chdir("dir"), -1);
}

static void
op_device(void)
{
	struct stat st;

	if (lacks(mknod("device", 1, 0)))
		return;
	expect("mknod again", mknod("device", 1, 0), -1);
	if (!lacks(stat("device", &st)))
		expect("type", st.type, T_DEVICE);
	expect("remove a device", unlink("device"), 0);
}

/* How many descriptors are free, found out by using them all. */
static int
free_descriptors(void)
{
	int held[NOFILE];
	int n = 0;

	while (n < NOFILE && (held[n] = dup(beat)) >= 0)
		n++;
	for (int i = 0; i < n; i++)
		expect("close", close(held[i]), 0);
	return n;
}

/* Nothing may have been lost, above all not by calls that failed. */
static void
op_fill(void)
{
	int n = free_descriptors();

	for (int i = 0; i < SLOTS; i++)
		n += slots[i].stream != 0;
	expect("descriptors", n, descriptors);
}

/* ---- processes and memory */

static void
stamp_arena(uint64 stamp)
{
	arena_stamp = stamp;
	for (int page = 0; page < ARENA_PAGES; page++)
		for (int i = page; i < PGSIZE / 8; i += 64)
			arena[page][i] = mix(stamp + page * 512 + i);
}

static void
check_arena(const char *who)
{
	for (int page = 0; page < ARENA_PAGES; page++)
		for (int i = page; i < PGSIZE / 8; i += 64)
			expect(who, arena[page][i],
				mix(arena_stamp + page * 512 + i));
}

/* Both sides of a fork write to the same pages, and see only their own. */
static void
op_fork(void)
{
	int status = draw(100);
	uint64 mine = mix(rng);
	int pid = fork();

	if (lacks(pid))
		return;
	if (pid == 0) {
		check_arena("child's copy");
		stamp_arena(mine + 1);
		check_arena("child's own");
		exit(status);
	}
	check_arena("parent's copy");
	stamp_arena(mine);
	check_arena("parent's own");
	expect_child(pid, status);
	check_arena("parent's own, later");
}

/* An orphan ends when init has it; the pipe tells. */
static void
op_orphan(void)
{
	int fds[2];
	int pid;

	if (lacks(pipe(fds)))
		return;
	pid = fork();
	if (pid == 0) {
		fork();
		exit(0);
	}
	close(fds[1]);
	if (!lacks(pid))
		expect_child(pid, 0);
	expect("end of a pipe", read(fds[0], buf, 1), 0);
	close(fds[0]);
}

static void __attribute__((noreturn)) hang(uint how)
{
	volatile int forever = 1;
	int fds[2];
	char c;

	if (how == 0 && pipe(fds) == 0)
		read(fds[0], &c, 1);
	if (how == 1)
		sleep(1000000);
	while (forever)
		continue;
	exit(0);
}

static void
op_kill(void)
{
	uint how = draw(3);
	int pid = fork();

	if (lacks(pid))
		return;
	if (pid == 0)
		hang(how);
	expect("kill", kill(pid), 0);
	expect_child(pid, -1);
	expect("kill the dead", kill(pid), -1);
	expect("wait without a child", wait(0), -1);
}

static uchar
pipe_byte(uint64 key, int i)
{
	return mix(key + i);
}

static void __attribute__((noreturn)) write_pipe(int fd, uint64 key, int total)
{
	for (int i = 0; i < total;) {
		int n = 1 + draw(CALL_MAX);

		if (n > total - i)
			n = total - i;
		for (int k = 0; k < n; k++)
			buf[k] = pipe_byte(key, i + k);
		expect("write to a pipe", write(fd, buf, n), n);
		i += n;
	}
	exit(0);
}

/* What goes into a pipe comes out of it, here into pages shared by fork. */
static void
op_pipe(void)
{
	uchar *to = (uchar *)arena + draw(sizeof(arena) - CALL_MAX);
	int total = draw(3000);
	uint64 key = mix(rng);
	int sum = 0;
	int fds[2];
	int pid, n;

	if (lacks(pipe(fds)))
		return;
	pid = fork();
	if (pid == 0)
		write_pipe(fds[1], key, total);
	close(fds[1]);
	while (pid > 0 && (n = read(fds[0], to, 1 + draw(CALL_MAX))) != 0) {
		if (n < 0)
			fail("read from a pipe", n, total - sum);
		for (int k = 0; k < n; k++)
			expect("byte of a pipe", to[k],
				pipe_byte(key, sum + k));
		sum += n;
	}
	close(fds[0]);
	stamp_arena(key);
	if (lacks(pid))
		return;
	expect("bytes of a pipe", sum, total);
	expect_child(pid, 0);
}

static void __attribute__((noreturn)) exec_echo(int out, char *word)
{
	char *argv[] = {"echo", word, word, 0};

	expect("exec of nothing", exec("/grind/none", argv), -1);
	expect("exec of a folder", exec("/", argv), -1);
	check_arena("memory after a failed exec");
	close(1);
	dup(out);
	close(out);
	exec("/echo", argv);
	exit(NO_EXEC);
}

static void
op_exec(void)
{
	char word[] = "aaaaaaaa";
	int length = sizeof(word) - 1;
	int fds[2];
	int pid, n, status;
	int sum = 0;

	for (int i = 0; i < length; i++)
		word[i] += draw(26);
	if (lacks(pipe(fds)))
		return;
	pid = fork();
	if (pid == 0)
		exec_echo(fds[1], word);
	close(fds[1]);
	while ((n = read(fds[0], buf + sum, CALL_MAX - sum)) > 0)
		sum += n;
	close(fds[0]);
	if (lacks(pid))
		return;
	expect("wait", wait(&status), pid);
	if (lacks(status == NO_EXEC ? -1 : 0))
		return;
	expect("exit status of echo", status, 0);
	expect("length from echo", sum, 2 * length + 2);
	expect("first word", memcmp(buf, word, length), 0);
	expect("second word", memcmp(buf + length + 1, word, length), 0);
}

static void
check_growth(volatile uchar *p, int n)
{
	for (int i = 0; i < n; i += 509)
		expect("byte of new memory", p[i], 0);
	for (int i = 0; i < n; i += 509)
		p[i] = i / 509 + 1;
	for (int i = 0; i < n; i += 509)
		expect("byte of own memory", p[i], (uchar)(i / 509 + 1));
}

static void
op_sbrk(void)
{
	char *old = sbrk(0);
	int n = 1 + draw(60000);
	int lazy = draw(2);
	char *p = lazy ? sbrklazy(n) : sbrk(n);

	if (lacks(p == SBRK_ERROR ? -1 : 0))
		return;
	expect("old end of the heap", (long)p, (long)old);
	check_growth((uchar *)p, n);
	expect("shrink", (long)sbrk(-n), (long)old + n);
	expect("end of the heap", (long)sbrk(0), (long)old);
}

/* A store behind the end of the heap, or to text, ends a process. */
static void
op_stray(void)
{
	char *above = (char *)PGROUNDUP((uint64)sbrk(0));
	char *target = draw(2) ? above : (char *)&op_stray;
	int pid = fork();

	if (lacks(pid))
		return;
	if (pid == 0) {
		*(volatile char *)target = 1;
		exit(0);
	}
	expect_child(pid, -1);
}

/* ---- calls that must fail */

static void
op_badfd(void)
{
	static const int list[] = {-1, NOFILE, NOFILE + 1, 1 << 30, -(1 << 30)};
	int fd = list[draw(sizeof(list) / sizeof(list[0]))];
	struct stat st;

	expect("read", read(fd, buf, 1), -1);
	expect("write", write(fd, buf, 1), -1);
	expect("close", close(fd), -1);
	expect("dup", dup(fd), -1);
	expect("fstat", fstat(fd, &st), -1);
	expect("kill", kill(0x7fffffff), -1);
	expect("wait", wait(0), -1);
}

static void
op_badptr(void)
{
	static const uint64 list[] = {
		KERNBASE, TRAPFRAME, TRAMPOLINE, MAXVA, 1UL << 63, ~(uint64)0};
	void *bad = (void *)list[draw(sizeof(list) / sizeof(list[0]))];
	int fds[2];

	expect("open", open(bad, O_RDONLY), -1);
	expect("unlink", unlink(bad), -1);
	expect("link", link(bad, "a"), -1);
	expect("mkdir", mkdir(bad), -1);
	expect("chdir", chdir(bad), -1);
	expect("mknod", mknod(bad, 1, 0), -1);
	expect("exec", exec(bad, (char **)bad), -1);
	expect("exec arguments", exec("/echo", (char **)bad), -1);
	expect("fstat", fstat(beat, bad), -1);
	expect("pipe", pipe(bad), -1);
	if (lacks(pipe(fds)))
		return;
	if (write(fds[1], bad, 1) > 0) /* xv6 says 0, and not -1 */
		fail("write", 1, -1);
	close(fds[0]);
	expect("write without a reader", write(fds[1], buf, 1), -1);
	close(fds[1]);
}

static void
op_time(void)
{
	int before = uptime();
	int pid = getpid();

	expect("sleep", sleep(1), 0);
	if (uptime() < before + 1)
		fail("uptime", uptime(), before + 1);
	expect("getpid", getpid(), pid);
}

/* ---- workers */

static const struct op {
	const char *name;
	uint weight;
	void (*run)(void);
} ops[] = {
	{"open", 12, op_open},
	{"close", 6, op_close},
	{"dup", 4, op_dup},
	{"read", 16, op_read},
	{"write", 16, op_write},
	{"fstat", 6, op_fstat},
	{"link", 6, op_link},
	{"unlink", 6, op_unlink},
	{"folder", 3, op_folder},
	{"device", 2, op_device},
	{"fill", 2, op_fill},
	{"fork", 8, op_fork},
	{"orphan", 3, op_orphan},
	{"kill", 4, op_kill},
	{"pipe", 6, op_pipe},
	{"exec", 4, op_exec},
	{"sbrk", 6, op_sbrk},
	{"stray", 1, op_stray},
	{"badfd", 3, op_badfd},
	{"badptr", 3, op_badptr},
	{"time", 1, op_time},
};

static void
one_operation(void)
{
	const struct op *op = ops;
	uint total = 0;
	uint at;

	for (uint i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		total += ops[i].weight;
	for (at = draw(total); at >= op->weight; op++)
		at -= op->weight;
	step = op->name;
	nops++;
	op->run();
}

/* grind.WORKER.PID */
static const char *
folder_name(void)
{
	static char name[] = "grind.a.00000";
	int pid = getpid();

	name[6] = 'a' + worker;
	for (int i = sizeof(name) - 2; name[i] != '.'; i--) {
		name[i] = '0' + pid % 10;
		pid /= 10;
	}
	return name;
}

static void
remove_files(void)
{
	for (int i = 0; i < NAMES; i++)
		unlink(name_of(i));
}

static void
enter_folder(void)
{
	/* It may be left over from a machine that was cut off. */
	mkdir(folder_name());
	expect("chdir to the folder", chdir(folder_name()), 0);
	remove_files();
	unlink("device");
	unlink("dir/file");
	unlink("dir");
}

static void
leave_folder(void)
{
	for (int i = 0; i < SLOTS; i++)
		op_close();
	remove_files();
	expect("chdir back", chdir(".."), 0);
	expect("remove the folder", unlink(folder_name()), 0);
}

static void __attribute__((noreturn)) work(void)
{
	step = "start";
	rng = mix(seed * 64UL + worker);
	descriptors = free_descriptors();
	enter_folder();
	stamp_arena(rng);
	do {
		for (int i = 0; i < OPS_PER_BEAT; i++)
			one_operation();
	} while (write(beat, nlacks ? "l" : "b", 1) == 1);
	step = "end";
	leave_folder();
	exit(0);
}

/* ---- the first process */

/* Read beats until the time is over or something is wrong. */
static void
watch(int fd, uint seconds)
{
	static char beats[512];
	uint64 end = uptime() + (uint64)seconds * TICKS;
	uint64 total = 0, lacking = 0;
	int good = 1;
	int n;

	while (good && (seconds == 0 || (uint)uptime() < end)) {
		n = read(fd, beats, sizeof(beats));
		if (n <= 0)
			break;
		total += n;
		for (int i = 0; i < n; i++) {
			lacking += beats[i] == 'l';
			good &= beats[i] != 'F';
		}
	}
	printf("grind: %lu operations", total * OPS_PER_BEAT);
	if (lacking)
		printf(", some without the memory or disk they need");
	printf("\n");
}

/* Start the workers; returns how many, and the end to read their beats. */
static int
start_workers(int workers, int *beats)
{
	int fds[2];

	if (pipe(fds) < 0)
		return 0;
	*beats = fds[0];
	beat = fds[1];
	for (worker = 0; worker < workers; worker++) {
		int pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			close(fds[0]);
			work();
		}
	}
	close(fds[1]);
	return worker;
}

static int
reap_workers(void)
{
	int failed = 0;
	int status;

	while (wait(&status) > 0) {
		if (status != 0 && status != FAIL)
			printf("grind: FAIL: a worker ended with %d (seed %u)"
			       "\n",
				status, seed);
		failed |= status != 0;
	}
	return failed;
}

static int
parse(int argc, char **argv, uint *seconds, uint *workers)
{
	for (int i = 1; i < argc; i += 2) {
		uint *to = 0;

		if (strcmp(argv[i], "-s") == 0)
			to = &seed;
		if (strcmp(argv[i], "-t") == 0)
			to = seconds;
		if (strcmp(argv[i], "-n") == 0)
			to = workers;
		if (to == 0 || i + 1 == argc || number(argv[i + 1], to) < 0)
			return -1;
	}
	return *workers >= 1 && *workers <= WORKERS_MAX ? 0 : -1;
}

int
main(int argc, char **argv)
{
	uint seconds = 0;
	uint workers = 4;
	int beats = -1;

	if (parse(argc, argv, &seconds, &workers) < 0) {
		fprintf(2, "usage: grind [-s SEED] [-t SECONDS] "
			   "[-n WORKERS, 1 to 16]\n");
		return BROKEN;
	}
	printf("grind: seed %u, %u workers\n", seed, workers);
	if (start_workers(workers, &beats) != (int)workers) {
		fprintf(2, "grind: no pipe or processes left for %u workers\n",
			workers);
		return BROKEN;
	}
	watch(beats, seconds);
	close(beats);
	if (reap_workers())
		return FAIL;
	printf("grind: OK\n");
	return 0;
}
