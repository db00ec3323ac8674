/* SPDX-License-Identifier: MIT */
/*
 * usertests - does the kernel do what xv6 programs rely on?
 *
 * This file runs the tests; usertests/tests.def lists them, and the files
 * beside it hold them by topic.  Each test has a process of its own and an
 * empty directory of its own.  After it the directory is removed with what
 * is in it, and everything that can leak is counted: pages, processes, files,
 * inodes, pipes.  Kernels without kstat() get their pages counted by sbrk(),
 * which takes a while, so then only once a group.
 */
#include "user/tests/usertests/usertests.h"

#define ROOM "/usertests.d"

struct test {
	const char *name;
	const char *what;
	enum group group;
	void (*run)(void);
};

static const struct test tests[] = {
#define TEST(group, name, what) {#name, what, group, test_##name},
#include "user/tests/usertests/tests.def"
#undef TEST
};

static const char *const group_name[NGROUP] = {"quick", "cow", "slow"};

struct options {
	const char *only; /* run this test alone */
	int quick;        /* leave out the slow group */
	int repeat;       /* start again after the last test */
	int stubborn;     /* even if something failed */
};

/* Copy the name of the current directory's first entry; false: none. */
static int
first_entry(char *name)
{
	static struct dirent entries[64];
	int fd = open(".", O_RDONLY);
	int n;

	while ((n = read(fd, entries, sizeof(entries))) > 0) {
		for (int i = 0; i < n / (int)sizeof(entries[0]); i++) {
			memmove(name, entries[i].name, DIRSIZ);
			if (entries[i].inum == 0 || strcmp(name, ".") == 0 ||
				strcmp(name, "..") == 0)
				continue;
			close(fd);
			return 1;
		}
	}
	close(fd);
	return 0;
}

/* Remove the room and the whole tree in it; false: cannot be done. */
static int
room_remove(void)
{
	char name[DIRSIZ + 1] = {0};
	int depth = 0;

	if (chdir(ROOM) < 0)
		return 1;
	for (;;) {
		if (first_entry(name)) {
			if (unlink(name) == 0)
				continue;
			if (chdir(name) < 0)
				break;
			depth++;
			continue;
		}
		chdir("..");
		if (depth-- == 0)
			return unlink(ROOM) == 0;
	}
	chdir("/");
	return 0;
}

/* Returns the test's exit status. */
static int
run_in_child(void (*run)(void))
{
	int status = 0;
	int pid = fork();

	if (pid < 0) {
		printf("\n  cannot fork a process for the test\n");
		return 1;
	}
	if (pid == 0) {
		if (chdir(ROOM) < 0)
			exit(1);
		run();
		exit(0);
	}
	if (wait(&status) != pid) {
		printf("\n  wait() returned another process than the test\n");
		return 1;
	}
	return status;
}

/* Run a function in a room of its own, and tear that down; is all well? */
static int
run_in_room(void (*run)(void))
{
	int status;

	if (mkdir(ROOM) < 0) {
		printf("\n  cannot make %s: is the disk full?\n", ROOM);
		return 0;
	}
	status = run_in_child(run);
	if (status == -1)
		printf("\n  killed by the kernel\n");
	if (!room_remove()) {
		printf("\n  cannot remove %s\n", ROOM);
		return 0;
	}
	return status == 0;
}

static int
run_test(const struct test *t)
{
	struct census before;
	int ok;

	printf("test %s: ", t->name);
	census_take(&before);
	ok = run_in_room(t->run);
	ok &= census_settled(&before);
	if (ok)
		printf("OK\n");
	else
		printf("test %s: FAILED\n", t->name);
	return ok;
}

static void
nothing(void)
{
}

/*
 * What the first test would find untouched, such as this program's own bss,
 * is touched before anything is counted.
 */
static void
warm_up(void)
{
	struct census c;

	room_remove();
	for (int i = 0; i < 2; i++) {
		census_take(&c);
		run_in_room(nothing);
	}
}

/* Run the tests of a group, or the one of them that is asked for. */
static int
run_group(enum group group, const char *only)
{
	struct census before;
	long pages = 0, now;
	int ok = 1;

	census_take(&before);
	if (!before.exact && only == 0)
		pages = pages_by_sbrk();

	for (int i = 0; i < NELEM(tests); i++) {
		if (tests[i].group != group)
			continue;
		if (only == 0 || strcmp(tests[i].name, only) == 0)
			ok &= run_test(&tests[i]);
	}

	if (before.exact)
		return census_settled(&before) && ok;
	if (only == 0 && (now = pages_by_sbrk()) < pages) {
		printf("group %s: lost pages: %ld before, %ld now: FAILED\n",
			group_name[group], pages, now);
		return 0;
	}
	return ok;
}

static int
run_all(const struct options *o)
{
	int ok = 1;

	for (int g = QUICK; g < NGROUP; g++)
		if (o->only != 0 || g != SLOW || !o->quick)
			ok &= run_group(g, o->only);
	printf(ok ? "ALL TESTS PASSED\n" : "SOME TESTS FAILED\n");
	return ok;
}

static int
list(void)
{
	for (int i = 0; i < NELEM(tests); i++)
		printf("%s\t%s\t%s\n", group_name[tests[i].group],
			tests[i].name, tests[i].what);
	return 0;
}

static int
is_test(const char *name)
{
	for (int i = 0; i < NELEM(tests); i++)
		if (strcmp(tests[i].name, name) == 0)
			return 1;
	return 0;
}

static int
usage(void)
{
	fprintf(2, "usage: usertests [-q] [-c | -C] [NAME], or -l to list\n");
	return 1;
}

int
main(int argc, char *argv[])
{
	struct options o = {0};
	int ok;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-l") == 0)
			return list();
		if (strcmp(argv[i], "-x") == 0) /* for the test cow_exec */
			return data_is_as_linked() ? 0 : 1;
		if (strcmp(argv[i], "-q") == 0)
			o.quick = 1;
		else if (strcmp(argv[i], "-c") == 0)
			o.repeat = 1;
		else if (strcmp(argv[i], "-C") == 0)
			o.repeat = o.stubborn = 1;
		else if (argv[i][0] == '-' || o.only != 0)
			return usage();
		else
			o.only = argv[i];
	}
	if (o.only != 0 && !is_test(o.only)) {
		fprintf(2, "usertests: no test is called %s; -l lists them\n",
			o.only);
		return 1;
	}

	chdir("/");
	warm_up();
	do
		ok = run_all(&o);
	while (o.repeat && (ok || o.stubborn));
	return ok ? 0 : 1;
}
