/* SPDX-License-Identifier: MIT */
/* dir.c - names, directories and links. */
#include "usertests.h"

static int
inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : (int)st.ino;
}

/* A new empty file; the name is all that matters. */
static void
touch(const char *path)
{
	EXPECT_EQ(close(open(path, O_CREATE | O_WRONLY)), 0);
}

/* Refused for writing, the directory must not stay in use. */
void
test_openiput(void)
{
	EXPECT_EQ(mkdir("d"), 0);
	if (FORK() == 0) {
		for (int i = 0; i < 20; i++) {
			EXPECT_EQ(open("d", O_RDWR), -1);
			EXPECT_EQ(open("d", O_WRONLY), -1);
			EXPECT_EQ(open("d", O_CREATE | O_RDWR), -1);
		}
		exit(0);
	}
	EXPECT_EXITS(1, 0);
	EXPECT_EQ(unlink("d"), 0);
	EXPECT_EQ(open("d", O_RDONLY), -1);
}

/* The last reference to the removed directory goes with the process. */
void
test_exitiput(void)
{
	for (int i = 0; i < 5; i++) {
		if (FORK() == 0) {
			EXPECT_EQ(mkdir("d"), 0);
			EXPECT_EQ(chdir("d"), 0);
			EXPECT_EQ(unlink("../d"), 0);
			exit(0);
		}
		EXPECT_EXITS(1, 0);
		EXPECT_EQ(dir_count("."), 0);
	}
}

/* A directory without a name takes no new names: nobody would free them. */
void
test_iput(void)
{
	EXPECT_EQ(mkdir("d"), 0);
	EXPECT_EQ(chdir("d"), 0);
	EXPECT_EQ(unlink("../d"), 0);
	EXPECT_EQ(open("f", O_CREATE | O_WRONLY), -1);
	EXPECT_EQ(mkdir("e"), -1);
	EXPECT_EQ(mknod("n", 1, 1), -1);
	EXPECT_EQ(link("/echo", "l"), -1);
	EXPECT_EQ(chdir("/"), 0);
}

void
test_dirtest(void)
{
	int room = inode_of(".");

	EXPECT_EQ(mkdir("d"), 0);
	EXPECT_EQ(mkdir("d"), -1);
	EXPECT_EQ(chdir("d"), 0);
	EXPECT_EQ(inode_of(".."), room);
	touch("f");
	EXPECT_EQ(chdir(".."), 0);
	EXPECT_EQ(inode_of("."), room);

	EXPECT_EQ(unlink("d"), -1);
	EXPECT_EQ(unlink("d/f"), 0);
	EXPECT_EQ(unlink("d"), 0);
	EXPECT_EQ(chdir("d"), -1);
	EXPECT_EQ(unlink("d"), -1);
	EXPECT_EQ(inode_of("/.."), inode_of("/"));
}

void
test_createdelete(void)
{
	enum { PROCS = 4, EACH = 12 };
	static const char *const mine[PROCS] = {"a", "b", "c", "d"};
	char name[DIRSIZ + 1];

	for (int p = 0; p < PROCS; p++) {
		if (FORK() != 0)
			continue;
		for (int i = 0; i < EACH; i++) {
			touch(nth(name, mine[p], i));
			if (i % 3 == 2)
				EXPECT_EQ(unlink(nth(name, mine[p], i - 1)), 0);
		}
		exit(0);
	}
	EXPECT_EXITS(PROCS, 0);

	for (int p = 0; p < PROCS; p++)
		for (int i = 0; i < EACH; i++)
			EXPECT_EQ(file_size(nth(name, mine[p], i)),
				i % 3 == 1 ? -1 : 0);
	EXPECT_EQ(dir_count("."), PROCS * EACH / 3 * 2);
}

void
test_linktest(void)
{
	make_file("one", 500, 1);
	EXPECT_EQ(link("one", "two"), 0);
	EXPECT_EQ(inode_of("one"), inode_of("two"));
	EXPECT_EQ(file_links("two"), 2);
	EXPECT_EQ(unlink("one"), 0);
	EXPECT_EQ(open("one", O_RDONLY), -1);
	EXPECT(file_is("two", 500, 1));
	EXPECT_EQ(file_links("two"), 1);

	EXPECT_EQ(link("two", "two"), -1);
	EXPECT_EQ(link("one", "two"), -1);
	EXPECT_EQ(link("nosuch", "three"), -1);
	EXPECT_EQ(link(".", "three"), -1);
	EXPECT_EQ(link("two", "nosuch/three"), -1);
	EXPECT_EQ(link("two", "."), -1);
	EXPECT_EQ(file_links("two"), 1);
	EXPECT_EQ(dir_count("."), 1);
}

/* Try each of n names in an order of one's own; how often did it work? */
static int
race(int n, int from, int (*try)(const char *))
{
	char name[DIRSIZ + 1];
	int won = 0;

	for (int i = 0; i < n; i++)
		won += try(nth(name, "n", (from + i) % n)) == 0;
	return won;
}

static int
link_it(const char *name)
{
	return link("seed", name);
}

static int
race_all(int n, int (*try)(const char *))
{
	enum { PROCS = 4 };
	int tell[2], total = 0;
	uchar won;

	make_pipe(tell);
	for (int p = 0; p < PROCS; p++) {
		if (FORK() != 0)
			continue;
		say(tell[1], race(n, p * 2, try));
		exit(0);
	}
	close(tell[1]);
	while (read(tell[0], &won, 1) == 1)
		total += won;
	close(tell[0]);
	EXPECT_EXITS(PROCS, 0);
	return total;
}

void
test_concreate(void)
{
	enum { N = 24 };

	make_file("seed", 100, 1);
	for (int round = 0; round < 2; round++) {
		EXPECT_EQ(race_all(N, link_it), N);
		EXPECT_EQ(dir_count("."), N + 1);
		EXPECT_EQ(file_links("seed"), N + 1);
		EXPECT_EQ(race_all(N, unlink), N);
		EXPECT_EQ(dir_count("."), 1);
		EXPECT_EQ(file_links("seed"), 1);
	}
	EXPECT(file_is("seed", 100, 1));
}

static void
juggle(uint seed, int rounds)
{
	char name[DIRSIZ + 1];

	for (int i = 0; i < rounds; i++) {
		uint r = next_random(&seed);

		nth(name, "x", r / 4 % 3);
		if (r % 4 == 0)
			close(open(name, O_CREATE | O_RDWR));
		else if (r % 4 == 1)
			unlink(name);
		else
			link("target", name);
	}
}

void
test_linkunlink(void)
{
	enum { PROCS = 3 };
	char name[DIRSIZ + 1];
	int target, links = 1;

	make_file("target", 777, 1);
	target = inode_of("target");
	for (int p = 1; p <= PROCS; p++) {
		if (FORK() != 0)
			continue;
		juggle(p, 50);
		exit(0);
	}
	EXPECT_EXITS(PROCS, 0);

	for (int i = 0; i < 3; i++)
		links += inode_of(nth(name, "x", i)) == target;
	EXPECT_EQ(file_links("target"), links);
	for (int i = 0; i < 3; i++)
		unlink(nth(name, "x", i));
	EXPECT_EQ(file_links("target"), 1);
	EXPECT_EQ(dir_count("."), 1);
	EXPECT(file_is("target", 777, 1));
}

void
test_subdir(void)
{
	EXPECT_EQ(mkdir("top"), 0);
	EXPECT_EQ(mkdir("top/mid"), 0);
	EXPECT_EQ(mkdir("top/mid/low"), 0);
	EXPECT_EQ(mkdir("nosuch/mid"), -1);
	make_file("top/f", 300, 1);
	make_file("top/mid/f", 300, 2);
	make_file("top/mid/low/f", 300, 3);

	/* Many ways lead to one file. */
	EXPECT(file_is("top/mid/../f", 300, 1));
	EXPECT(file_is("./top//mid/low/.././f", 300, 2));
	EXPECT(file_is("top/mid/low/../../mid/low/f", 300, 3));
	EXPECT_EQ(chdir("top/mid/low"), 0);
	EXPECT(file_is("../../f", 300, 1));
	EXPECT_EQ(chdir("../.."), 0);
	EXPECT(file_is("mid/low/f", 300, 3));

	/* A link from one directory to another outlives its origin. */
	EXPECT_EQ(link("mid/low/f", "moved"), 0);
	EXPECT_EQ(unlink("mid/low/f"), 0);
	EXPECT(file_is("moved", 300, 3));
	EXPECT_EQ(link("mid/low", "moved2"), -1);
	EXPECT_EQ(link("moved", "mid/f"), -1);

	/* From the leaves to the root, and in no other order. */
	EXPECT_EQ(unlink("mid"), -1);
	EXPECT_EQ(unlink("mid/low"), 0);
	EXPECT_EQ(unlink("mid/low"), -1);
	EXPECT_EQ(unlink("mid"), -1);
	EXPECT_EQ(unlink("mid/f"), 0);
	EXPECT_EQ(unlink("mid"), 0);
	EXPECT_EQ(open("mid/f", O_CREATE | O_RDWR), -1);
	EXPECT_EQ(dir_count("."), 2);
}

void
test_fourteen(void)
{
	EXPECT_EQ(mkdir("dir-of-fourteen"), 0);
	EXPECT_EQ(mkdir("dir-of-fourtee"), -1);
	touch("dir-of-fourtee/twelve-chars");
	touch("dir-of-fourtee/fourteen-chars");
	touch("dir-of-fourtee/fourteen-charsAND-MORE");
	EXPECT_EQ(dir_count("dir-of-fourtee"), 2);
	EXPECT_EQ(inode_of("dir-of-fourteen-or-so/fourteen-charsX"),
		inode_of("dir-of-fourtee/fourteen-chars"));
	EXPECT_EQ(unlink("dir-of-fourtee/fourteen-char"), -1);
	EXPECT_EQ(unlink("dir-of-fourtee/fourteen-charsY"), 0);
	EXPECT_EQ(unlink("dir-of-fourtee/twelve-chars"), 0);
	EXPECT_EQ(unlink("dir-of-fourtee"), 0);
	EXPECT_EQ(dir_count("."), 0);
}

void
test_rmdot(void)
{
	EXPECT_EQ(mkdir("d"), 0);
	EXPECT_EQ(unlink("d/."), -1);
	EXPECT_EQ(unlink("d/.."), -1);
	EXPECT_EQ(unlink("."), -1);
	EXPECT_EQ(unlink(".."), -1);
	EXPECT_EQ(unlink("/"), -1);
	EXPECT_EQ(chdir("d"), 0);
	EXPECT_EQ(unlink("."), -1);
	EXPECT_EQ(unlink(".."), -1);
	EXPECT_EQ(mkdir("."), -1);
	EXPECT_EQ(mkdir(".."), -1);
	EXPECT_EQ(chdir(".."), 0);
	EXPECT_EQ(unlink("d"), 0);
}

void
test_dirfile(void)
{
	int fd;

	make_file("f", 50, 1);
	EXPECT_EQ(chdir("f"), -1);
	EXPECT_EQ(open("f/x", O_RDONLY), -1);
	EXPECT_EQ(open("f/x", O_CREATE | O_RDWR), -1);
	EXPECT_EQ(open("f/.", O_RDONLY), -1);
	EXPECT_EQ(mkdir("f/x"), -1);
	EXPECT_EQ(mkdir("f"), -1);
	EXPECT_EQ(unlink("f/x"), -1);
	EXPECT_EQ(link("f", "f/x"), -1);
	EXPECT(file_is("f", 50, 1));

	EXPECT_EQ(open(".", O_RDWR), -1);
	EXPECT_EQ(open(".", O_WRONLY), -1);
	EXPECT_EQ(open(".", O_CREATE), -1);
	fd = open(".", O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, "x", 1), -1);
	close(fd);
	EXPECT_EQ(dir_count("."), 1);
}

/*
 * At each depth it is another directory that a careless call would keep, so
 * that they would add up.
 */
void
test_iref(void)
{
	make_file("f", 1, 1);
	for (int depth = 0; depth < 50; depth++) {
		EXPECT_EQ(mkdir("n"), 0);
		EXPECT_EQ(chdir("n"), 0);
		EXPECT_EQ(mkdir(""), -1);
		EXPECT_EQ(mknod("", 1, 1), -1);
		EXPECT_EQ(open("", O_CREATE | O_RDWR), -1);
		EXPECT_EQ(link("/echo", ""), -1);
		EXPECT_EQ(unlink(""), -1);
		EXPECT_EQ(dir_count("."), 0);
	}
}
