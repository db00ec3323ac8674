/* SPDX-License-Identifier: MIT */
/*
 * execstorm - exec that works, exec that fails at every stage, and exec
 * while others hold the pages that it lets go.
 *
 * Aimed at the moment when a process swaps its memory: shared pages dropped
 * twice or not at all; an exec that fails after it has begun to change the
 * caller; arguments read from bad or shared pages; programs whose headers
 * lie; frames lost when there is no memory for the new image.
 */
#include "stress/lib/stress.h"

enum {
	UNITS = 2,
	WHO = 400,
	LOAD = 1,    /* program header: to be loaded */
	STATUS = 99, /* what the small programs exit with */
	HEIRS = 3,
};

/* Executables as the ELF specification lays them out, 64 bits. */
struct elf {
	uint magic;
	uchar class, data, version, pad[9];
	ushort type, machine;
	uint version2;
	uint64 entry, phoff, shoff;
	uint flags;
	ushort ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct segment {
	uint type, flags;
	uint64 off, vaddr, paddr, filesz, memsz, align;
};

/* The smallest program: one page of text that says exit(STATUS). */
static struct image {
	struct elf elf;
	struct segment seg;
	uint code[8];
} image;

static struct span span;
static struct gate ready; /* children open it, the parent waits */
static struct gate gate;
static char path[32];
static char *strings; /* 2 * MAXARG pages for arguments */
static int heard[2];  /* heirs say so when all is well */
static char big_args[MAXARG + 8][PGSIZE / 8];
static char *argv[MAXARG + 10];

/* ---- programs that are wrong in one place each */

static void
image_good(void)
{
	memset(&image, 0, sizeof(image));
	image.elf.magic = 0x464c457f; /* "\x7f" "ELF" */
	image.elf.class = 2;
	image.elf.data = 1;
	image.elf.version = 1;
	image.elf.type = 2;
	image.elf.machine = 243;
	image.elf.version2 = 1;
	image.elf.phoff = sizeof(struct elf);
	image.elf.ehsize = sizeof(struct elf);
	image.elf.phentsize = sizeof(struct segment);
	image.elf.phnum = 1;
	image.seg.type = LOAD;
	image.seg.flags = 5; /* read, execute */
	image.seg.off = 0;
	image.seg.filesz = sizeof(image);
	image.seg.memsz = sizeof(image);
	image.seg.align = PGSIZE;
	image.elf.entry = (uint64)((char *)image.code - (char *)&image);
	image.code[0] = 0x00000513 | STATUS << 20; /* li a0, STATUS */
	image.code[1] = 0x00000893 | 2 << 20;      /* li a7, 2: exit */
	image.code[2] = 0x00000073;                /* ecall */
}

static void
bad_magic(void)
{
	image.elf.magic++;
}

static void
headers_outside(void)
{
	image.elf.phoff = 1 << 30;
}

static void
headers_wrap(void)
{
	image.elf.phoff = -(uint64)8;
}

static void
data_outside(void)
{
	image.seg.off = PGSIZE * 4;
}

static void
smaller_than_file(void)
{
	image.seg.memsz = 1;
}

static void
address_odd(void)
{
	image.seg.vaddr = 123;
}

static void
address_wraps(void)
{
	image.seg.vaddr = -(uint64)PGSIZE;
	image.seg.memsz = 2 * PGSIZE;
}

static void
address_kernel(void)
{
	image.seg.vaddr = 0xffffffc080000000UL;
}

static void
address_top(void)
{
	image.seg.vaddr = MAXVA - PGSIZE;
}

static void
size_past_top(void)
{
	image.seg.memsz = MAXVA;
}

static void
size_wraps(void)
{
	image.seg.memsz = -(uint64)PGSIZE;
}

/* Must exec() refuse it?  If not, it may do so, or run it. */
static const struct mutation {
	void (*apply)(void);
	int size; /* of the file; 0: all of it */
	int must_fail;
} mutations[] = {
	{bad_magic, 0, 1},
	{headers_outside, 0, 1},
	{headers_wrap, 0, 1},
	{data_outside, 0, 1},
	{smaller_than_file, 0, 1},
	{address_odd, 0, 1},
	{address_wraps, 0, 1},
	{address_kernel, 0, 1},
	{address_top, 0, 1},
	{size_past_top, 0, 1},
	{size_wraps, 0, 1},
	{image_good, 3, 1},
	{image_good, sizeof(struct elf) - 1, 1},
	{image_good, sizeof(struct elf) + 8, 1},
	{image_good, sizeof(struct image) - 8, 1},
};

static void
write_programs(void)
{
	char name[16];

	self_path(path);
	image_good();
	file_make("good", &image, sizeof(image));
	file_make("empty", &image, 0);
	must_mkdir("dir");
	for (int i = 0; i < ARRAY_LEN(mutations); i++) {
		const struct mutation *m = &mutations[i];

		image_good();
		m->apply();
		file_make(file_name(name, "bad", i), &image,
			m->size ? m->size : (int)sizeof(image));
	}
	for (int i = 0; i < MAXARG + 8; i++)
		memset(big_args[i], 'a' + i % 26, sizeof(big_args[i]) - 1);
}

static void
remove_programs(void)
{
	char name[16];

	must_unlink("good");
	must_unlink("empty");
	must_unlink("dir");
	for (int i = 0; i < ARRAY_LEN(mutations); i++)
		must_unlink(file_name(name, "bad", i));
}

/* ---- exec fails, and the caller has lost nothing */

static void
expect_intact(const char *what)
{
	int bad;

	for (int i = 0; i < span_sites(&span); i++) {
		bad = page_bad(span_site(&span, i), WHO + i, -1);
		EXPECT(bad < 0, "exec of %s changed site %d word %d", what, i,
			bad);
	}
	run.ops++;
}

static void
refused(const char *what, char **args)
{
	int got = exec(what, args);

	EXPECT(got == -1, "exec of a bad %s returned %d", what, got);
	expect_intact("a bad program");
}

static void
refuse_arguments(void)
{
	char *top = sbrk(0);

	for (int i = 0; i < MAXARG + 8; i++)
		argv[i] = big_args[0] + sizeof(big_args[0]) - 2;
	argv[MAXARG + 8] = NULL;
	refused(path, argv); /* too many */

	argv[12] = NULL;
	for (int i = 0; i < 12; i++)
		argv[i] = big_args[i];
	refused(path, argv); /* more than the stack holds */

	argv[0] = path;
	argv[1] = (char *)MAXVA;
	argv[2] = NULL;
	refused(path, argv);
	argv[1] = top + PGSIZE;
	refused(path, argv);
	argv[1] = (char *)KERNBASE;
	refused(path, argv);

	refused(path, (char **)(MAXVA - 8));
	refused(path, (char **)-8L);
	refused(path, (char **)(top + PGSIZE));
	refused((char *)MAXVA, argv);
	refused(top + PGSIZE, argv);
}

static void
refuse_all(int i)
{
	static char long_path[2 * MAXPATH];
	char *args[] = {path, NULL};
	char name[16];

	memset(long_path, 'p', sizeof(long_path) - 1);
	page_fill(span_site(&span, i % span_sites(&span)),
		WHO + i % span_sites(&span));
	refused("", args);
	refused("nosuch", args);
	refused("nosuch/file", args);
	refused("good/file", args);
	refused("empty", args);
	refused("dir", args);
	refused(long_path, args);
	for (int m = 0; m < ARRAY_LEN(mutations); m++)
		if (mutations[m].must_fail)
			refused(file_name(name, "bad", m), args);
	refuse_arguments();
	if (exec("good", args) == -1)
		EXPECT(0, "exec of a good program failed");
}

static void
exits_with(int wanted, int n)
{
	for (int i = 0; i < n; i++) {
		int status;

		EXPECT(reap_one(&status) > 0, "a child is lost");
		if (status != wanted)
			judge(status, 0);
		EXPECT(status == wanted, "exit status %d, should be %d", status,
			wanted);
		run.ops++;
	}
}

static void
bad(void)
{
	span_make(&span, UNITS);
	span_fill(&span, WHO);
	for (int i = 0; i < run.children; i++)
		spawn(refuse_all, i);
	exits_with(STATUS, run.children);
	EXPECT_SPAN(&span, WHO);
}

/* ---- exec works, with the arguments that were given */

/* args_sum: what "@args" of lib/run.c makes of the same arguments. */
static int
args_sum(char **args)
{
	uint64 sum = 0;

	for (; *args; args++) {
		for (const char *s = *args; *s; s++)
			sum = mix64(sum + (uchar)*s);
		sum = mix64(sum + 256);
	}
	return OPS_BASE + (int)(sum & 0xffffff);
}

/*
 * draw_args: random arguments, each across a boundary of two pages, one of
 * which is the boundary of two units.
 */
static void
draw_args(void)
{
	int n = below(MAXARG - 3), left = 2000;

	argv[0] = path;
	argv[1] = "@args";
	for (int i = 0; i < n; i++) {
		int len = below(left / (n - i) + 1);
		char *at = strings + (2 * i + 1) * PGSIZE - below(len + 1);

		memset(at, 'A' + below(50), len);
		at[len] = '\0';
		argv[2 + i] = at;
		left -= len;
	}
	argv[2 + n] = NULL;
}

static void
args_worker(int i)
{
	do {
		int wanted;

		draw_args();
		wanted = args_sum(argv + 2);
		if (must_fork() == 0) {
			exec(path, argv);
			BREAK_OFF("exec %s failed", path);
		}
		for (int p = 0; p < 2 * MAXARG; p += 1 + below(4))
			strings[p * PGSIZE] = 0; /* while exec reads there */
		exits_with(wanted, 1);
	} while (more());
}

static void
args(void)
{
	span_make(&span, UNITS);
	strings = span.base + UNIT - (MAXARG + 1) * PGSIZE;
	herd(run.children, 2, args_worker);
}

/* ---- exec lets pages go that others hold, and are writing to */

static void
sibling(int i)
{
	char status[] = "65"; /* OPS_BASE + 1 */
	char *args[] = {path, "@exit", status, NULL};

	gate_wait(&gate);
	dawdle(3000);
	if (i % 2) {
		int failed = one_in(3) && exec("empty", args) == -1;

		exec(path, args);
		BREAK_OFF("exec %s failed, %d", path, failed);
	}
	for (int s = 0; s < span_sites(&span); s++)
		page_fill(span_site(&span, s), i * 100 + s);
	EXPECT_SPAN(&span, i * 100);
	run.ops++;
}

static void
siblings(void)
{
	span_make(&span, UNITS);
	do {
		span_fill(&span, WHO);
		gate_make(&gate);
		for (int i = 0; i < run.children; i++)
			spawn(sibling, i);
		gate_open(&gate);
		if (one_in(2))
			page_fill(span_site(&span, SITES), WHO + SITES);
		reap(run.children, 0);
		EXPECT_SPAN(&span, WHO);
	} while (more());
}

/* The parent itself execs, and its children keep the memory. */
static void
heir(int i)
{
	gate_wait(&gate); /* opens when the parent's new program ends */
	EXPECT_SPAN(&span, WHO);
	page_fill(span_site(&span, i), i);
	EXPECT(write(heard[1], "k", 1) == 1, "an heir cannot write");
}

static void
testator(int i)
{
	char status[] = "65";
	char *args[] = {path, "@exit", status, NULL};

	span_fill(&span, WHO);
	gate_make(&gate);
	for (int n = 0; n < HEIRS; n++)
		spawn(heir, n);
	exec(path, args);
	BREAK_OFF("exec %s failed", path);
}

static void
parents(void)
{

	span_make(&span, UNITS);
	do {
		int n, seen = 0;
		char c;

		must_pipe(heard);
		n = herd(run.children, 1 + HEIRS, testator);
		close(heard[1]);
		while (read(heard[0], &c, 1) == 1)
			seen++;
		close(heard[0]);
		EXPECT(seen == n * HEIRS, "%d of %d heirs reported", seen,
			n * HEIRS);
	} while (more());
}

/* ---- no memory for the new program */

static void
starved(int i)
{
	char status[] = "65"; /* OPS_BASE + 1 */
	char *args[] = {path, "@exit", status, NULL};

	own_pages();
	gate_open(&ready);
	gate_wait(&gate);
	for (int tries = 0; tries < 3; tries++)
		EXPECT(exec("nosuch", args) == -1, "exec of no file worked");
	exec(path, args);
	expect_intact("a program that memory has no room for");
}

static void
nomem(void)
{
	int n = room(run.children, 1);
	struct hog hog;

	span_make(&span, 1);
	span_fill(&span, WHO);
	hog_start(&hog);
	do {
		hog_leave(&hog, n * ROOM_PER_CHILD);
		gate_make(&ready);
		gate_make(&gate);
		for (int i = 0; i < n; i++)
			spawn(starved, i);
		own_pages();
		gate_wait(&ready);
		hog_leave(&hog, below(40));
		gate_open(&gate);
		reap(n, MAY_DIE);
		EXPECT_SPAN(&span, WHO);
	} while (more());
	hog_stop(&hog);
}

STRESS(execstorm, .what = "exec gives all of the new program or none of it",
	.files = 1, .prepare = write_programs, .finish = remove_programs,
	.patterns = {{"bad", bad}, {"args", args}, {"siblings", siblings},
		{"parents", parents}, {"nomem", nomem}});
