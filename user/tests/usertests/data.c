/* SPDX-License-Identifier: MIT */
/* data.c - bytes, files, addresses and programs to test with. */
#include "usertests.h"

char scratch[SCRATCH];

const uint64 nowhere[NNOWHERE] = {
	KERNBASE,             /* physical memory, if someone mapped it */
	TRAPFRAME,            /* where xv6 keeps registers */
	TRAMPOLINE,           /* and its trap code */
	MAXVA,                /* the first that no user address reaches */
	1UL << 47,            /* not canonical in Sv39 */
	0xffffffc000000000UL, /* the lowest of the upper half */
	0xffffffff80000000UL, /* in the upper half */
	0xffffffffffffffffUL, /* wraps around with any length */
};

static uchar
pattern(uint64 at, uint tag)
{
	return (at * 167 + (at >> 8) * 59 + (at >> 16) * 13 + tag * 89) ^ tag;
}

void
fill(void *p, uint64 at, int n, uint tag)
{
	uchar *b = p;

	for (int i = 0; i < n; i++)
		b[i] = pattern(at + i, tag);
}

int
filled(const void *p, uint64 at, int n, uint tag)
{
	const uchar *b = p;

	for (int i = 0; i < n; i++)
		if (b[i] != pattern(at + i, tag))
			return 0;
	return 1;
}

/* The words of a page that stamp() writes: both ends and one between. */
static const int stamp_at[] = {0, PGSIZE / 2 + 8, PGSIZE - 8};

void
stamp(char *p, uint64 bytes, uint64 tag)
{
	for (uint64 i = 0; i + PGSIZE <= bytes; i += PGSIZE)
		for (int k = 0; k < NELEM(stamp_at); k++)
			*(uint64 *)(p + i + stamp_at[k]) = tag * 1000003 + i;
}

int
stamped(const char *p, uint64 bytes, uint64 tag)
{
	for (uint64 i = 0; i + PGSIZE <= bytes; i += PGSIZE)
		for (int k = 0; k < NELEM(stamp_at); k++)
			if (*(const uint64 *)(p + i + stamp_at[k]) !=
				tag * 1000003 + i)
				return 0;
	return 1;
}

/* p and bytes are multiples of 8. */
int
zeroed(const char *p, uint64 bytes)
{
	for (uint64 i = 0; i < bytes; i += 8)
		if (*(const uint64 *)(p + i) != 0)
			return 0;
	return 1;
}

void
make_file(const char *path, int size, uint tag)
{
	int fd = open(path, O_CREATE | O_TRUNC | O_WRONLY);
	int n;

	EXPECT(fd >= 0);
	for (int at = 0; at < size; at += n) {
		n = size - at < SCRATCH ? size - at : SCRATCH;
		fill(scratch, at, n, tag);
		EXPECT_EQ(write(fd, scratch, n), n);
	}
	EXPECT_EQ(close(fd), 0);
}

int
file_is(const char *path, int size, uint tag)
{
	int fd = open(path, O_RDONLY);
	int at = 0;
	int n;

	if (fd < 0)
		return 0;
	while ((n = read(fd, scratch, SCRATCH)) > 0) {
		if (!filled(scratch, at, n, tag))
			break;
		at += n;
	}
	close(fd);
	return n == 0 && at == size;
}

static int
stat_of(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY);
	int err;

	if (fd < 0)
		return -1;
	err = fstat(fd, st);
	close(fd);
	return err;
}

long
file_size(const char *path)
{
	struct stat st;

	return stat_of(path, &st) < 0 ? -1 : (long)st.size;
}

int
file_links(const char *path)
{
	struct stat st;

	return stat_of(path, &st) < 0 ? -1 : st.nlink;
}

int
dir_count(const char *path)
{
	static struct dirent entries[64];
	int fd = open(path, O_RDONLY);
	int count = 0;
	int n;

	EXPECT(fd >= 0);
	while ((n = read(fd, entries, sizeof(entries))) > 0)
		for (int i = 0; i < n / (int)sizeof(entries[0]); i++)
			count += entries[i].inum != 0;
	EXPECT_EQ(n, 0);
	close(fd);
	return count - 2;
}

const char *
nth(char *buf, const char *prefix, int n)
{
	char *p = buf;

	while (*prefix != '\0')
		*p++ = *prefix++;
	for (int unit = 1000; unit > 0; unit /= 10)
		*p++ = '0' + n / unit % 10;
	*p = '\0';
	return buf;
}

uint
next_random(uint *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

uint64
free_memory(void)
{
	struct kstat k;

	quiesce();
	if (kstat(&k, sizeof(k)) == 0)
		return k.pages_free * PGSIZE;
	return (PHYSTOP - KERNBASE) / 8 * 7;
}

char *
heap_edge(int n)
{
	char *top = sbrk(0);
	char *edge = (char *)PGROUNDUP((uint64)top + n);

	EXPECT(sbrk(edge - top) == top);
	return edge;
}

/* The stack pointer is still on the uppermost page of the stack. */
uint64
guard_page(void)
{
	return PGROUNDDOWN(r_sp()) - USERSTACK * PGSIZE + 64;
}

void
peek(uint64 va)
{
	(void)*(volatile char *)va;
}

void
poke(uint64 va)
{
	*(volatile char *)va = 'x';
}

void
make_pipe(int fds[2])
{
	EXPECT_EQ(pipe(fds), 0);
}

int
heard(int fd, char c)
{
	char got;

	return read(fd, &got, 1) == 1 && got == c;
}

void
say(int fd, char c)
{
	EXPECT_EQ(write(fd, &c, 1), 1);
}

int
run_program(char *const argv[], char *buf, int size)
{
	int out[2], n, at = 0, status = 0;

	make_pipe(out);
	if (FORK() == 0) {
		close(1);
		dup(out[1]);
		close(out[0]);
		close(out[1]);
		exec(argv[0], (char **)argv);
		exit(126);
	}
	close(out[1]);
	while (at < size - 1 && (n = read(out[0], buf + at, size - 1 - at)) > 0)
		at += n;
	buf[at] = '\0';
	close(out[0]);
	EXPECT(wait(&status) > 0);
	return status;
}
