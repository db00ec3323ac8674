/* SPDX-License-Identifier: MIT */
/*
 * fsscript - do what a script says to the file system: fsscript FILE
 *
 * One operation a line; blank lines and those that start with # are skipped.
 * A ! in front means that the operation must fail.  The first operation that
 * does otherwise ends the script with exit status 1.
 *
 *	mkdir PATH            unlink PATH           link OLD NEW
 *	mknod PATH MAJOR      chdir PATH
 *	open SLOT MODE PATH   MODE: letters out of r w c(reate) t(runcate)
 *	seek SLOT             read on to the end of the file
 *	write SLOT N SEED     N bytes that follow from SEED
 *	close SLOT
 *
 * scripts/powercut.py reads the same language, and so knows what must be on
 * the disk after each line.
 */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/lib/command.h"

enum { SLOTS = 8, WORDS = 8, WRITE_MAX = 8192 };

static char script[16384];
static char words[256];
static int slots[SLOTS];

/* A number that must be one, and below limit; ends the program otherwise. */
static uint
number_below(const char *word, uint limit)
{
	uint n = 0;

	if (word == 0 || number(word, &n) < 0 || n >= limit) {
		fprintf(2, "fsscript: %s: not a number below %d\n",
			word ? word : "(nothing)", (int)limit);
		exit(2);
	}
	return n;
}

static int
open_mode(const char *letters)
{
	int mode = strchr(letters, 'w') ? O_WRONLY : O_RDONLY;

	if (strchr(letters, 'w') && strchr(letters, 'r'))
		mode = O_RDWR;
	if (strchr(letters, 'c'))
		mode |= O_CREATE;
	if (strchr(letters, 't'))
		mode |= O_TRUNC;
	return mode;
}

static int
do_open(char **arg)
{
	uint slot = number_below(arg[0], SLOTS);
	int fd = open(arg[2], open_mode(arg[1]));

	if (fd >= 0)
		slots[slot] = fd;
	return fd;
}

static int
do_seek(char **arg)
{
	static char skipped[WRITE_MAX];
	int fd = slots[number_below(arg[0], SLOTS)];
	int n;

	while ((n = read(fd, skipped, sizeof(skipped))) > 0)
		;
	return n;
}

static int
do_write(char **arg)
{
	static char data[WRITE_MAX];
	int fd = slots[number_below(arg[0], SLOTS)];
	uint n = number_below(arg[1], WRITE_MAX + 1);
	uint seed = number_below(arg[2], 256);
	int put;

	for (uint i = 0; i < n; i++)
		data[i] = (char)(seed * 131 + i * 7 + i / 256);
	put = write(fd, data, (int)n);
	return put == (int)n ? 0 : -1;
}

static int
do_close(char **arg)
{
	return close(slots[number_below(arg[0], SLOTS)]);
}

static int
do_mkdir(char **arg)
{
	return mkdir(arg[0]);
}

static int
do_unlink(char **arg)
{
	return unlink(arg[0]);
}

static int
do_link(char **arg)
{
	return link(arg[0], arg[1]);
}

static int
do_mknod(char **arg)
{
	return mknod(arg[0], (short)number_below(arg[1], 32768), 0);
}

static int
do_chdir(char **arg)
{
	return chdir(arg[0]);
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} operations[] = {
	{"open", 3, do_open},
	{"seek", 1, do_seek},
	{"write", 3, do_write},
	{"close", 1, do_close},
	{"mkdir", 1, do_mkdir},
	{"unlink", 1, do_unlink},
	{"link", 2, do_link},
	{"mknod", 2, do_mknod},
	{"chdir", 1, do_chdir},
};

/* Do one operation: its result, or -2 if it is none. */
static int
operate(char **argv)
{
	const uint count = sizeof(operations) / sizeof(operations[0]);
	int args = 0;

	while (argv[1 + args] != 0)
		args++;
	for (uint i = 0; i < count; i++) {
		if (strcmp(argv[0], operations[i].name) == 0 &&
			operations[i].args == args)
			return operations[i].run(argv + 1);
	}
	return -2;
}

/* Do what a line says; 0 if it went as it should. */
static int
run_line(const char *line, int lineno)
{
	char *argv[WORDS + 1];
	int must_fail = line[0] == '!';
	int result;

	if (line[0] == '#')
		return 0;
	if (strlen(line) >= sizeof(words) ||
		command_split(line + must_fail, words, argv, WORDS) != 0) {
		printf("fsscript: line %d: cannot be read\n", lineno);
		return -1;
	}
	if (argv[0] == 0)
		return 0;
	result = operate(argv);
	if (result == -2 || (result < 0) != must_fail) {
		printf("fsscript: line %d: %s gave %d\n", lineno, line, result);
		return -1;
	}
	return 0;
}

static int
load(const char *path)
{
	int fd = open(path, O_RDONLY);
	int n = -1;

	if (fd >= 0) {
		n = read(fd, script, sizeof(script));
		close(fd);
	}
	if (n < 0 || n == sizeof(script)) {
		fprintf(2, "fsscript: %s: missing or too long\n", path);
		return -1;
	}
	script[n] = '\0';
	return 0;
}

int
main(int argc, char **argv)
{
	int lineno = 0;
	char *end;

	if (argc != 2) {
		fprintf(2, "usage: fsscript FILE\n");
		return 2;
	}
	if (load(argv[1]) < 0)
		return 2;
	for (char *line = script; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (end == 0)
			break;
		*end = '\0';
		if (run_line(line, ++lineno) < 0)
			return 1;
	}
	printf("fsscript: done, %d lines\n", lineno);
	return 0;
}
