/* SPDX-License-Identifier: MIT */
/*
 * exec.c - exec() that cannot build the new program's memory.
 *
 * The programs are made here, a page of code that ends with status WORKED and
 * whatever other segments a scenario wants.  If exec() says no, the old
 * program must be as it was, and the new one can be started after all.
 */
#include "user/tests/failnth/failnth.h"

enum { R = 4, W = 2, X = 1, LOAD = 1, SEGMENTS_MAX = 16 };

/* As the ELF specification has them. */
struct elf_header {
	uchar ident[16];
	ushort type;
	ushort machine;
	uint version;
	uint64 entry;
	uint64 phoff;
	uint64 shoff;
	uint flags;
	ushort ehsize;
	ushort phentsize;
	ushort phnum;
	ushort shentsize;
	ushort shnum;
	ushort shstrndx;
};

struct segment {
	uint type;
	uint flags;
	uint64 offset;
	uint64 vaddr;
	uint64 paddr;
	uint64 filesz;
	uint64 memsz;
	uint64 align;
};

/* li a0, WORKED; li a7, SYS_exit; ecall */
static const uint code[] = {WORKED << 20 | 0x513, 2 << 20 | 0x893, 0x73};

#define CODE_SEGMENT                                                           \
	{                                                                      \
		.type = LOAD, .flags = R | X, .offset = PGSIZE,                \
		.filesz = sizeof(code), .memsz = sizeof(code)                  \
	}

static void
put(int fd, const void *data, int n)
{
	MUST(write(fd, data, n) == n);
}

/* FILE_A becomes a program: a page of headers, one of code, two of data. */
static void
program_make(const struct segment *segments, int n)
{
	const struct elf_header header = {
		.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
		.type = 2,
		.machine = 243,
		.version = 1,
		.phoff = sizeof(header),
		.ehsize = sizeof(header),
		.phentsize = sizeof(*segments),
		.phnum = n,
	};
	int fd = open(FILE_A, O_CREATE | O_TRUNC | O_RDWR);

	MUST(fd >= 0);
	memset(box, 0, sizeof(box));
	put(fd, &header, sizeof(header));
	put(fd, segments, n * sizeof(*segments));
	put(fd, box, PGSIZE - sizeof(header) - n * sizeof(*segments));
	put(fd, code, sizeof(code));
	put(fd, box, PGSIZE - sizeof(code));
	put(fd, box, 2 * PGSIZE);
	MUST(close(fd) == 0);
}

static int
try_exec(const char *path, char **argv)
{
	int status = 0, pid;

	TRY(exec(path, argv));
	EXPECT(arena_intact());
	EXPECT(fd_is_next(3));
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		exec(path, argv);
		exit(BAD);
	}
	EXPECT(wait(&status) == pid && status == WORKED);
	return FAILED;
}

static int
try_program(const struct segment *segments, int n)
{
	char *argv[] = {FILE_A, "argument", 0};

	program_make(segments, n);
	return try_exec(FILE_A, argv);
}

static int
exec_plain(void)
{
	static const struct segment segments[] = {CODE_SEGMENT};

	return try_program(segments, 1);
}

/* Whole pages of data are shared; the last one is in part zeroes. */
static int
exec_data(void)
{
	static const struct segment segments[] = {
		CODE_SEGMENT,
		{LOAD, R | W, 2 * PGSIZE, PGSIZE, 0, PGSIZE + 100, 2 * PGSIZE,
			0},
	};

	return try_program(segments, 2);
}

/* Two of them, so that one is mapped page by page. */
static int
exec_bss(void)
{
	static const struct segment segments[] = {
		CODE_SEGMENT,
		{LOAD, R | W, 2 * PGSIZE, PGSIZE, 0, 100, 5 * PGSIZE, 0},
		{LOAD, R | W, 0, 2 * UNIT - PGSIZE, 0, 0, 3 * PGSIZE, 0},
	};

	return try_program(segments, 3);
}

/* Not at a page boundary of the file: nothing of it can be shared. */
static int
exec_odd(void)
{
	static const struct segment segments[] = {
		CODE_SEGMENT,
		{LOAD, R, PGSIZE + 8, PGSIZE, 0, 2 * PGSIZE, 2 * PGSIZE, 0},
	};

	return try_program(segments, 2);
}

/* Each in a page table of its own, the last in another GiB. */
static int
exec_segments(void)
{
	static struct segment segments[SEGMENTS_MAX] = {CODE_SEGMENT};

	for (int i = 1; i < SEGMENTS_MAX; i++)
		segments[i] = (struct segment){.type = LOAD,
			.flags = R | (i % 2 ? W : 0),
			.offset = i % 4 * PGSIZE,
			.vaddr = (uint64)i * UNIT,
			.filesz = i % 3 ? PGSIZE : 100,
			.memsz = PGSIZE};
	segments[SEGMENTS_MAX - 1].vaddr = 5UL << 30;
	return try_program(segments, SEGMENTS_MAX);
}

static int
exec_big_args(void)
{
	static const struct segment segments[] = {CODE_SEGMENT};
	enum { ARGS = MAXARG - 1, LENGTH = 100 };
	static char text[LENGTH];
	char *argv[ARGS + 1];

	memset(text, 'a', LENGTH - 1);
	for (int i = 0; i < ARGS; i++)
		argv[i] = text;
	argv[ARGS] = 0;
	program_make(segments, 1);
	return try_exec(FILE_A, argv);
}

/* The array of arguments is in memory that nobody has touched. */
static int
exec_empty_args(void)
{
	static const struct segment segments[] = {CODE_SEGMENT};

	program_make(segments, 1);
	return try_exec(FILE_A, (char **)page_empty(0, 0));
}

/* From the root, and through a directory. */
static int
exec_path(void)
{
	static const struct segment segments[] = {CODE_SEGMENT};
	char *argv[] = {"x", 0};

	program_make(segments, 1);
	MUST(mkdir(DIR_A) == 0);
	return try_exec("/" DIR_A "/../" FILE_A, argv);
}

/* A real program: this one.  It may die of the fault once it runs. */
static int
exec_program(void)
{
	char *argv[] = {"failnth", "-x", 0};

	return try_exec("/failnth", argv);
}

const struct scenario exec_scenarios[] = {
	{"exec_plain", exec_plain, 0},
	{"exec_data", exec_data, 0},
	{"exec_bss", exec_bss, 0},
	{"exec_odd", exec_odd, 0},
	{"exec_segments", exec_segments, 0},
	{"exec_big_args", exec_big_args, 0},
	{"exec_empty_args", exec_empty_args, 0},
	{"exec_path", exec_path, 0},
	{"exec_program", exec_program, DIES},
	{},
};
