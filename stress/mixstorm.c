/* SPDX-License-Identifier: MIT */
/*
 * mixstorm - all system calls, at random, with arguments meant to hurt.
 *
 * Aimed at whatever the other cases did not think of.  Workers draw calls
 * from a weighted table and arguments from pools of good and bad ones: wild
 * pointers, huge and negative lengths, descriptors that are closed or were
 * never open, paths without an end, numbers that are no system call.
 *
 * A worker keeps a model of its descriptors and checks every result against
 * it; calls may change a zone of its memory, and all the rest must stay the
 * same.  No call, however wild, may kill its caller: stores that must kill
 * are left to children.  Beside the workers runs a canary, which only looks
 * after its own memory, file and pipe.
 */
#include "stress/lib/stress.h"

enum {
	ZONE = 4, /* pages at the end of the heap: calls write there */
	KEEP = 6, /* pages below it, which nothing may change */
	WHO = 2000,
	FIRST_FD = 3, /* 0 to 2 are left alone: verdicts go there */
	FILES = 4,
	PIPE_SIZE = 512,
	TURN = 64, /* calls between two looks at the memory */
};

/* What a descriptor is, as far as the model knows. */
enum kind { CLOSED, PLAIN, PIPE_IN, PIPE_OUT };

static struct hand {
	enum kind kind;
	int peer; /* of a pipe that is whole: index into fill; else -1 */
} hand[NOFILE];

static int fill[NOFILE]; /* bytes in a pipe, by its read end's first fd */
static char *keep, *zone;
static int mypid, last_uptime;
static char path[32];

/* ---- pools */

static const uint64 wild[] = {
	MAXVA,
	MAXVA - 1,
	MAXVA - PGSIZE,
	MAXVA - 2 * PGSIZE,
	MAXVA + PGSIZE,
	KERNBASE,
	1UL << 37,
	0xffffffc080000000UL,
	0xffffffff00000000UL,
	1UL << 63,
	-1UL,
	-8UL,
	-(uint64)PGSIZE,
};

static const int wild_length[] = {
	-1, -4096, 0x7fffffff, -0x7fffffff - 1, 1 << 30, 100000};

static const int wild_fd[] = {
	-1, NOFILE, NOFILE + 1, 1000, 0x7fffffff, -0x7fffffff - 1};

static const char *const bad_paths[] = {"nosuch/x", "f0/x", "/nosuch/x",
	"a-name-that-is-longer-than-any-name-can-be/x"};

static void *
wild_pointer(void)
{
	if (one_in(4)) /* just past the end */
		return zone + ZONE * PGSIZE + below(64);
	return (void *)wild[below(ARRAY_LEN(wild))];
}

/* zone_pointer: a place to read or write, and how many bytes are there. */
static char *
zone_pointer(int *room_left)
{
	int at = one_in(3) ? PGSIZE - below(16) : below(ZONE * PGSIZE);

	*room_left = ZONE * PGSIZE - at;
	return zone + at;
}

static int
any_fd(void)
{
	if (one_in(8))
		return wild_fd[below(ARRAY_LEN(wild_fd))];
	return FIRST_FD + below(NOFILE - FIRST_FD);
}

static enum kind
kind_of(int fd)
{
	return fd >= FIRST_FD && fd < NOFILE ? hand[fd].kind : CLOSED;
}

static int
free_fds(void)
{
	int n = 0;

	for (int fd = FIRST_FD; fd < NOFILE; fd++)
		n += hand[fd].kind == CLOSED;
	return n;
}

/* any_path: a name in our directory, a bad one, or a wild pointer. */
static const char *
any_path(char name[16], int *good)
{
	*good = 0;
	switch (below(6)) {
	case 0:
		return bad_paths[below(ARRAY_LEN(bad_paths))];
	case 1:
		return wild_pointer();
	case 2: /* a string that memory ends before it does */
		memset(zone + ZONE * PGSIZE - 20, 'q', 20);
		return zone + ZONE * PGSIZE - 20;
	default:
		*good = 1;
		return file_name(name, "f", below(FILES));
	}
}

/* ---- the model */

static void
take_fd(int fd, enum kind kind, int peer)
{
	EXPECT(fd >= FIRST_FD && fd < NOFILE, "descriptor %d", fd);
	EXPECT(hand[fd].kind == CLOSED, "descriptor %d is open already", fd);
	hand[fd].kind = kind;
	hand[fd].peer = peer;
}

/* drop_peer: nothing is known any more of the pipe with this index. */
static void
drop_peer(int peer)
{
	for (int fd = FIRST_FD; peer >= 0 && fd < NOFILE; fd++)
		if (hand[fd].peer == peer)
			hand[fd].peer = -1;
}

static void
drop_fd(int fd)
{
	EXPECT(close(fd) == 0, "close of open descriptor %d failed", fd);
	hand[fd].kind = CLOSED;
	drop_peer(hand[fd].peer);
}

/* ---- descriptors */

static void
call_open(void)
{
	static const int modes[] = {O_RDONLY, O_RDWR, O_RDWR | O_CREATE,
		O_WRONLY | O_CREATE | O_TRUNC, O_RDONLY | O_CREATE};
	char name[16];
	int good, fd;
	const char *p = any_path(name, &good);

	fd = open(p, good ? modes[below(ARRAY_LEN(modes))] : O_RDONLY);
	EXPECT(good || fd == -1, "open of a bad path returned %d", fd);
	EXPECT(fd == -1 || free_fds() > 0, "open returned %d, all are open",
		fd);
	if (fd != -1)
		take_fd(fd, PLAIN, -1);
}

static void
call_close(void)
{
	int fd = any_fd();

	if (kind_of(fd) != CLOSED)
		drop_fd(fd);
	else
		EXPECT(close(fd) == -1, "close of closed %d succeeded", fd);
}

static void
call_dup(void)
{
	int fd = any_fd(), got;
	int can = kind_of(fd) != CLOSED && free_fds() > 0;

	got = dup(fd);
	EXPECT(can ? got >= 0 : got == -1, "dup(%d) returned %d", fd, got);
	if (got >= 0)
		take_fd(got, hand[fd].kind, hand[fd].peer);
}

static void
call_pipe(void)
{
	int fds[2] = {-1, -1}, got;

	if (one_in(3)) {
		got = pipe(wild_pointer());
		EXPECT(got == -1, "pipe to a wild pointer returned %d", got);
		return;
	}
	got = pipe(fds);
	EXPECT(got == (free_fds() >= 2 ? 0 : -1),
		"pipe returned %d with %d descriptors free", got, free_fds());
	if (got != 0)
		return;
	drop_peer(fds[0]); /* of a pipe that had the number before */
	fill[fds[0]] = 0;
	take_fd(fds[0], PIPE_OUT, fds[0]);
	take_fd(fds[1], PIPE_IN, fds[0]);
}

/* read_pipe: only what cannot block, or must fail at once. */
static void
read_pipe(int fd)
{
	int peer = hand[fd].peer, n, room_left, got;
	char *to = zone_pointer(&room_left);

	if (peer < 0 || fill[peer] == 0)
		return;
	if (one_in(4)) {
		got = read(fd, wild_pointer(), 1 + below(fill[peer]));
		EXPECT(got <= 0, "read to a wild pointer returned %d", got);
		drop_fd(fd); /* what is left in it nobody knows */
		return;
	}
	n = 1 + below(PIPE_SIZE);
	if (n > room_left)
		n = room_left;
	got = read(fd, to, n);
	EXPECT(got == (n < fill[peer] ? n : fill[peer]),
		"read of %d from a pipe that holds %d returned %d", n,
		fill[peer], got);
	fill[peer] -= got;
}

static void
call_read(void)
{
	int fd = any_fd(), room_left, n, got;
	char *to = zone_pointer(&room_left);

	if (kind_of(fd) == PIPE_OUT) {
		read_pipe(fd);
		return;
	}
	n = one_in(4) ? wild_length[below(ARRAY_LEN(wild_length))]
		      : below(room_left + 1);
	if (one_in(4)) {
		got = read(fd, wild_pointer(), n);
		EXPECT(got <= 0, "read to a wild pointer returned %d", got);
		return;
	}
	got = read(fd, to, n);
	EXPECT(got >= -1 && got <= room_left, "read of %d returned %d", n, got);
	EXPECT(kind_of(fd) == PLAIN || got == -1, "read from %d returned %d",
		fd, got);
}

static void
write_pipe(int fd)
{
	int peer = hand[fd].peer, n, room_left, got;
	char *from = zone_pointer(&room_left);

	if (peer < 0 || fill[peer] == PIPE_SIZE)
		return;
	n = 1 + below(PIPE_SIZE - fill[peer]);
	if (one_in(4)) {
		got = write(fd, wild_pointer(), n);
		EXPECT(got <= 0, "write from a wild pointer returned %d", got);
		return;
	}
	if (n > room_left)
		n = room_left;
	got = write(fd, from, n);
	EXPECT(got == n, "write of %d to a pipe that holds %d returned %d", n,
		fill[peer], got);
	fill[peer] += n;
}

static void
call_write(void)
{
	int fd = any_fd(), room_left, n, got;
	char *from = zone_pointer(&room_left);

	if (kind_of(fd) == PIPE_IN) {
		write_pipe(fd);
		return;
	}
	n = one_in(4) ? wild_length[below(ARRAY_LEN(wild_length))]
		      : below(room_left < 3000 ? room_left + 1 : 3000);
	if (one_in(4)) {
		got = write(fd, wild_pointer(), n);
		EXPECT(got <= 0, "write from a wild pointer returned %d", got);
		return;
	}
	got = write(fd, from, n);
	EXPECT(got >= -1 && got <= room_left, "write of %d returned %d", n,
		got);
	EXPECT(kind_of(fd) == PLAIN || got == -1, "write to %d returned %d", fd,
		got);
}

static void
call_fstat(void)
{
	int fd = any_fd(), room_left, got;
	char *to = zone_pointer(&room_left);

	if (one_in(3))
		to = wild_pointer();
	got = fstat(fd, (struct stat *)to);
	EXPECT(got == 0 || got == -1, "fstat returned %d", got);
	EXPECT(kind_of(fd) != CLOSED || got == -1, "fstat of closed %d", fd);
}

/* ---- names */

static void
call_link(void)
{
	char a[16], b[16];
	int good_a, good_b, got;
	const char *from = any_path(a, &good_a), *to = any_path(b, &good_b);

	got = link(from, to);
	EXPECT((good_a && good_b) || got == -1, "link returned %d", got);
}

static void
call_unlink(void)
{
	char name[16];
	int good, got;

	got = unlink(any_path(name, &good));
	EXPECT(good || got == -1, "unlink returned %d", got);
}

static void
call_mkdir(void)
{
	mkdir("d0");
	unlink("d0");
	EXPECT(mkdir("") == -1, "mkdir of an empty name succeeded");
	EXPECT(mkdir(wild_pointer()) == -1, "mkdir of a wild name succeeded");
}

static void
call_mknod(void)
{
	mknod("m0", 5, 1); /* a device that has no driver */
	unlink("m0");
	EXPECT(mknod(wild_pointer(), 1, 0) == -1,
		"mknod of a wild name succeeded");
}

static void
call_chdir(void)
{
	EXPECT(chdir(".") == 0, "chdir . failed");
	EXPECT(chdir("nosuch") == -1, "chdir to nowhere succeeded");
	EXPECT(chdir(wild_pointer()) == -1, "chdir to a wild name succeeded");
}

/* ---- processes */

static void
wild_store(int i)
{
	volatile char *p = (char *)wild[i % ARRAY_LEN(wild)];

	*p = 1;
}

static void
wild_exec(int i)
{
	char status[] = "65"; /* OPS_BASE + 1 */
	char *argv[] = {path, "@exit", status, NULL};
	char *bad[] = {path, wild_pointer(), NULL};
	char name[16];
	int good;
	const char *p = any_path(name, &good);

	EXPECT(good || exec(p, argv) == -1, "exec of a bad path returned");
	EXPECT(exec(path, bad) == -1, "exec with a wild argument returned");
	EXPECT(exec(path, wild_pointer()) == -1,
		"exec with a wild argv returned");
	exec(path, argv);
	BREAK_OFF("exec %s failed", path);
}

static void
touch_zone(int i)
{
	page_fill(zone + i % ZONE * PGSIZE, (uint64)i);
	EXPECT_PAGE(zone + i % ZONE * PGSIZE, (uint64)i);
	EXPECT_PAGE(keep + i % KEEP * PGSIZE, WHO + i % KEEP);
}

static void
call_fork(void)
{
	int i = below(1000);

	switch (below(4)) {
	case 0:
		EXPECT(dies(wild_store, i), "a store to 0x%lx did not kill",
			wild[i % ARRAY_LEN(wild)]);
		break;
	case 1:
		EXPECT(!dies(wild_exec, i), "exec killed its caller");
		break;
	default:
		EXPECT(!dies(touch_zone, i), "a store killed");
		break;
	}
}

static void
call_wait(void)
{
	EXPECT(wait(wild_pointer()) == -1, "a child out of nothing");
	EXPECT(wait(0) == -1, "a child out of nothing");
}

static void
call_kill(void)
{
	static const int nobody[] = {-1, 0x7fffffff, -0x7fffffff - 1};
	int pid = nobody[below(ARRAY_LEN(nobody))];

	EXPECT(kill(pid) == -1, "kill(%d) found somebody", pid);
}

static void
call_sbrk(void)
{
	char *top = sbrk(0), *got;
	int pages = 1 + below(8);

	switch (below(4)) {
	case 0:
		got = sbrk(pages * PGSIZE);
		EXPECT(got == top, "sbrk moved the heap to 0x%lx", (uint64)got);
		page_fill(got + below(pages) * PGSIZE, 1);
		break;
	case 1:
		got = sbrklazy(pages * UNIT);
		EXPECT(got == top, "sbrk moved the heap to 0x%lx", (uint64)got);
		page_fill(got + (long)below(pages) * UNIT, 1);
		break;
	case 2: /* more than there has ever been */
		sbrk(-0x7fffffff - 1);
		break;
	case 3:
		sys_sbrk(0, wild_length[below(ARRAY_LEN(wild_length))]);
		break;
	}
	if (sbrk(0) > top)
		must_sbrk((int)(top - sbrk(0)));
	EXPECT(sbrk(0) == top, "the heap ends at 0x%lx, not 0x%lx",
		(uint64)sbrk(0), (uint64)top);
}

/* ---- the rest */

static void
call_clock(void)
{
	int now = uptime();

	EXPECT(now - last_uptime >= 0, "uptime went from %d to %d", last_uptime,
		now);
	last_uptime = now;
	EXPECT(getpid() == mypid, "getpid is %d, was %d", getpid(), mypid);
	if (one_in(20))
		pause(one_in(2) ? 0 : -1);
}

static void
call_own(void)
{
	EXPECT(kstat(wild_pointer(), sizeof(struct kstat)) == -1,
		"kstat to a wild pointer succeeded");
	EXPECT(bootargs(wild_pointer(), 64) == -1,
		"bootargs to a wild pointer succeeded");
	if (one_in(30))
		EXPECT(quiesce() == 0, "quiesce failed");
}

/* call_number: a system call by number, all its arguments the same. */
static long
call_number(long number, uint64 arg)
{
	register uint64 a0 __asm__("a0") = arg;
	register uint64 a1 __asm__("a1") = arg;
	register uint64 a2 __asm__("a2") = arg;
	register long a7 __asm__("a7") = number;

	asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
	return (long)a0;
}

static void
call_unknown(void)
{
	static const long numbers[] = {0, -1, 22, 63, 1000, 1L << 31, 1L << 40,
		-0x4000000000000000L, 0x7fffffff};
	long number = numbers[below(ARRAY_LEN(numbers))];
	long got = call_number(number, (uint64)wild_pointer());

	EXPECT((int)got == -1, "system call %ld returned %ld", number, got);
}

static const struct call {
	const char *name;
	int weight;
	void (*run)(void);
} calls[] = {
	{"open", 10, call_open},
	{"close", 8, call_close},
	{"dup", 4, call_dup},
	{"pipe", 5, call_pipe},
	{"read", 14, call_read},
	{"write", 12, call_write},
	{"fstat", 6, call_fstat},
	{"link", 3, call_link},
	{"unlink", 2, call_unlink},
	{"mkdir", 1, call_mkdir},
	{"mknod", 1, call_mknod},
	{"chdir", 2, call_chdir},
	{"fork", 5, call_fork}, /* and exec, and stores */
	{"wait", 4, call_wait},
	{"kill", 3, call_kill},
	{"sbrk", 6, call_sbrk},
	{"clock", 4, call_clock}, /* uptime, getpid, pause */
	{"own", 3, call_own},     /* kstat, bootargs, quiesce */
	{"unknown", 3, call_unknown},
};

static const struct call *
draw(void)
{
	int total = 0, at;

	for (int i = 0; i < ARRAY_LEN(calls); i++)
		total += calls[i].weight;
	at = below(total);
	for (int i = 0;; i++) {
		at -= calls[i].weight;
		if (at < 0)
			return &calls[i];
	}
}

static void
worker(void)
{
	keep = pages_get(KEEP + ZONE);
	zone = keep + KEEP * PGSIZE;
	for (int p = 0; p < KEEP; p++)
		page_fill(keep + p * PGSIZE, WHO + p);
	mypid = getpid();
	last_uptime = uptime();
	do {
		for (int i = 0; i < TURN; i++) {
			const struct call *c = draw();

			run.pattern = c->name; /* for messages */
			c->run();
			run.ops++;
		}
		for (int p = 0; p < KEEP; p++)
			EXPECT_PAGE(keep + p * PGSIZE, WHO + p);
	} while (more());
}

/* ---- the canary */

static void
canary(void)
{
	static uint64 text[16], back[16];
	int fds[2], fd;
	char *mine = pages_get(KEEP);

	for (int i = 0; i < 16; i++)
		text[i] = page_word(WHO, i);
	for (int p = 0; p < KEEP; p++)
		page_fill(mine + p * PGSIZE, WHO * 2 + p);
	must_pipe(fds);
	do {
		must_write(fds[1], text, sizeof(text));
		file_make("canary", text, sizeof(text));
		for (int p = 0; p < KEEP; p++)
			EXPECT_PAGE(mine + p * PGSIZE, WHO * 2 + p);
		must_read(fds[0], back, sizeof(back));
		EXPECT(memcmp(text, back, sizeof(text)) == 0,
			"the canary's pipe has other bytes");
		fd = must_open("canary", O_RDONLY);
		must_read(fd, back, sizeof(back));
		EXPECT(memcmp(text, back, sizeof(text)) == 0,
			"the canary's file has other bytes");
		close(fd);
		run.ops++;
	} while (more());
	must_unlink("canary");
}

static void
member(int i)
{
	if (i == 0)
		canary();
	else
		worker();
}

static void
mix(void)
{
	char name[16];

	self_path(path);
	herd(run.children + 1, 2, member);
	for (int i = 0; i < FILES; i++)
		unlink(file_name(name, "f", i));
	unlink("d0");
	unlink("m0");
}

STRESS(mixstorm, .what = "no call can hurt more than its caller asked for",
	.files = 1, .patterns = {{"mix", mix}});
