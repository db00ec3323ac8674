/* SPDX-License-Identifier: MIT */
/*
 * badptr.c - pointers that no program should pass.  The call must fail, the
 * caller must live, and nothing may have changed.
 */
#include "usertests.h"

/* Every call that takes a path must refuse this one. */
static void
refuse_path(const char *path)
{
	char *argv[] = {"x", 0};

	EXPECT_EQ(open(path, O_RDONLY), -1);
	EXPECT_EQ(open(path, O_CREATE | O_RDWR), -1);
	EXPECT_EQ(mkdir(path), -1);
	EXPECT_EQ(mknod(path, 1, 1), -1);
	EXPECT_EQ(chdir(path), -1);
	EXPECT_EQ(unlink(path), -1);
	EXPECT_EQ(link(path, "new"), -1);
	EXPECT_EQ(link("here", path), -1);
	EXPECT_EQ(exec(path, argv), -1);
}

void
test_copyin(void)
{
	int p[2], fd;

	for (int i = 0; i < NNOWHERE; i++) {
		char *bad = (char *)nowhere[i];

		fd = open("f", O_CREATE | O_TRUNC | O_WRONLY);
		EXPECT(fd >= 0);
		EXPECT_EQ(write(fd, bad, 2 * PGSIZE), -1);
		EXPECT_EQ(close(fd), 0);
		EXPECT_EQ(file_size("f"), 0);

		EXPECT(write(1, bad, 2 * PGSIZE) <= 0);

		make_pipe(p);
		EXPECT(write(p[1], bad, 8) <= 0);
		close(p[1]);
		EXPECT_EQ(read(p[0], scratch, 8), 0);
		close(p[0]);
	}

	/* Four bytes are there, four are not: no byte may be invented. */
	char *edge = heap_edge(PGSIZE);
	fill(edge - 4, 0, 4, 5);
	fd = open("f", O_CREATE | O_TRUNC | O_WRONLY);
	EXPECT(write(fd, edge - 4, 8) <= 4);
	close(fd);
	EXPECT(file_size("f") <= 4);
	EXPECT(file_is("f", file_size("f"), 5));
}

void
test_copyout(void)
{
	struct stat *st;
	int p[2], fd;

	make_file("f", 3 * BSIZE, 7);
	for (int i = 0; i < NNOWHERE; i++) {
		char *bad = (char *)nowhere[i];

		fd = open("f", O_RDONLY);
		EXPECT(fd >= 0);
		EXPECT_EQ(read(fd, bad, 2 * PGSIZE), -1);
		EXPECT_EQ(read(fd, scratch, 16), 16);
		EXPECT(filled(scratch, 0, 16, 7));
		st = (struct stat *)bad;
		EXPECT_EQ(fstat(fd, st), -1);
		close(fd);

		make_pipe(p);
		EXPECT_EQ(write(p[1], "abc", 3), 3);
		EXPECT(read(p[0], bad, 2 * PGSIZE) <= 0);
		close(p[0]);
		close(p[1]);
	}
	EXPECT(file_is("f", 3 * BSIZE, 7));
}

void
test_copyinstr1(void)
{
	make_file("here", 10, 1);
	for (int i = 0; i < NNOWHERE; i++)
		refuse_path((char *)nowhere[i]);
	EXPECT_EQ(dir_count("."), 1);
	EXPECT_EQ(file_links("here"), 1);
}

/* A path to "here" of len bytes: "." and as many slashes as it takes. */
static void
stretch(char *path, int len)
{
	memset(path, '/', len);
	path[0] = '.';
	strcpy(path + len - 4, "here");
}

void
test_copyinstr2(void)
{
	static char path[4 * MAXPATH];
	static char arg[(USERSTACK + 1) * PGSIZE];
	char *argv[] = {"/echo", arg, 0};

	make_file("here", 10, 1);
	stretch(path, MAXPATH - 1);
	EXPECT(file_is(path, 10, 1));
	stretch(path, MAXPATH);
	refuse_path(path);
	stretch(path, sizeof(path) - 1);
	refuse_path(path);

	memset(arg, 'a', sizeof(arg) - 1);
	EXPECT_EQ(exec(argv[0], argv), -1);
	EXPECT_EQ(dir_count("."), 1);
}

void
test_copyinstr3(void)
{
	char *edge = heap_edge(2 * PGSIZE);
	char **argv = (char **)edge - 1;

	make_file("here", 10, 1);

	/* The string would go on where the heap has ended. */
	memmove(edge - 4, "here", 4);
	refuse_path(edge - 4);
	edge[-1] = 'x';
	refuse_path(edge - 1);

	/* With its NUL as the last byte it is a string like others. */
	strcpy(edge - 5, "here");
	EXPECT(file_is(edge - 5, 10, 1));
	strcpy(edge - PGSIZE - 2, "here");
	EXPECT(file_is(edge - PGSIZE - 2, 10, 1));

	/* Neither does the vector of arguments end. */
	argv[0] = "/echo";
	EXPECT_EQ(exec("/echo", argv), -1);
	EXPECT_EQ(dir_count("."), 1);
}

void
test_rwsbrk(void)
{
	char *gone = heap_edge(2 * PGSIZE) - PGSIZE;
	int fd;

	fill(gone, 0, PGSIZE, 2);
	EXPECT(sbrk(-PGSIZE) == gone + PGSIZE);

	fd = open("f", O_CREATE | O_RDWR);
	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, gone, BSIZE), -1);
	EXPECT_EQ(write(fd, gone + PGSIZE - 8, 8), -1);
	EXPECT_EQ(file_size("f"), 0);
	close(fd);

	make_file("f", BSIZE, 3);
	fd = open("f", O_RDONLY);
	EXPECT_EQ(read(fd, gone, 10), -1);
	EXPECT_EQ(read(fd, gone + PGSIZE - 8, 8), -1);
	close(fd);
	EXPECT_KILLED(poke, gone);

	/* Had one of these reads reached a page, it would be seen now. */
	EXPECT(sbrk(PGSIZE) == gone);
	EXPECT(zeroed(gone, PGSIZE));
}

/*
 * Pages of a process hold text, data or nothing, but no path of a file that
 * exists here; some are not mapped at all.
 */
void
test_validatetest(void)
{
	uint64 end = (uint64)sbrk(0) + 64 * PGSIZE;

	for (uint64 va = 0; va < end; va += PGSIZE) {
		EXPECT_EQ(link("nosuch", (char *)va), -1);
		EXPECT_EQ(link((char *)va, "new"), -1);
	}
	EXPECT_EQ(dir_count("."), 0);
}

void
test_argptest(void)
{
	char *last = heap_edge(PGSIZE) - 1;
	int fd;

	make_file("f", BSIZE, 4);
	fd = open("f", O_RDWR);
	EXPECT(fd >= 0);
	*last = 'k';
	EXPECT_EQ(read(fd, last, -1), -1);
	EXPECT_EQ(write(fd, last, -1), -1);
	EXPECT_EQ(read(fd, last, 1), 1);
	EXPECT(filled(last, 0, 1, 4));
	close(fd);
	EXPECT(file_is("f", BSIZE, 4));
}

void
test_pgbug(void)
{
	static const uint64 wild[] = {
		0x5eaf00d5eaf00d5eUL, 0x00ffff8000001234UL, 0x1234567UL << 20};
	char *argv[] = {0};

	for (int i = 0; i < NELEM(wild); i++) {
		EXPECT_EQ(exec((char *)wild[i], argv), -1);
		EXPECT_EQ(exec("/echo", (char **)wild[i]), -1);
		EXPECT_EQ(pipe((int *)wild[i]), -1);
	}
}

/* The arguments before the wild one have been taken already by then. */
void
test_badarg(void)
{
	char *argv[MAXARG];

	for (int round = 0; round < 40 * NNOWHERE; round++) {
		int good = round % (MAXARG - 1);

		for (int i = 0; i < good; i++)
			argv[i] = "taken";
		argv[good] = (char *)nowhere[round % NNOWHERE];
		argv[good + 1] = 0;
		EXPECT_EQ(exec("/echo", argv), -1);
	}
}
