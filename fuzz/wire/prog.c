/* SPDX-License-Identifier: MIT */
/*
 * prog.c - the tool for programs:
 *
 *	prog text|binary|c|check [-o OUT] FILE
 *
 * reads a program in either form and writes it as text, as bytes for the
 * wire, or as a C file that any xv6-like kernel can run; check writes
 * nothing.  FILE may be - for standard input.
 *
 * Exit: 0 done, 1 FILE is not a program, 2 wrong use or nothing written.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/wire/text.h"

enum { EXIT_GOOD, EXIT_BAD_PROGRAM, EXIT_BROKEN };

static const char usage[] =
	"usage: prog text|binary|c|check [-o OUT] FILE\n"
	"  text    write FILE as text, for people\n"
	"  binary  write it as bytes, for the wire\n"
	"  c       write it as C, for the shell of any xv6-like kernel\n"
	"  check   only say whether it is a program\n"
	"FILE is a program in either form, - is standard input.\n";

static int
write_text(const struct prog *p, const char *name, FILE *to)
{
	char text[TEXT_MAX];
	size_t n = prog_print(p, text, sizeof(text));

	(void)name;
	return fwrite(text, 1, n, to) == n ? 0 : -1;
}

static int
write_binary(const struct prog *p, const char *name, FILE *to)
{
	unsigned char bytes[PROG_BYTES_MAX];
	size_t n = prog_encode(p, bytes);

	(void)name;
	return fwrite(bytes, 1, n, to) == n ? 0 : -1;
}

static int
write_nothing(const struct prog *p, const char *name, FILE *to)
{
	(void)p;
	(void)name;
	(void)to;
	return 0;
}

static const struct command {
	const char *name;
	int (*write)(const struct prog *, const char *, FILE *);
} commands[] = {
	{"text", write_text},
	{"binary", write_binary},
	{"c", prog_to_c},
	{"check", write_nothing},
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* Write to the file out, or to standard output if that is NULL. */
static int
write_out(const struct command *command, const struct prog *p, const char *name,
	const char *out)
{
	FILE *to = out != NULL ? fopen(out, "wb") : stdout;

	if (to != NULL && command->write(p, name, to) == 0 &&
		(out != NULL ? fclose(to) : fflush(to)) == 0)
		return EXIT_GOOD;
	fprintf(stderr, "prog: %s: %s\n", out != NULL ? out : "standard output",
		strerror(errno));
	return EXIT_BROKEN;
}

/* "prog" of "some/prog.text", for the head of what is made of it. */
static void
base_name(const char *path, char *to, size_t size)
{
	const char *slash = strrchr(path, '/');
	char *dot;

	snprintf(to, size, "%s", slash != NULL ? slash + 1 : path);
	dot = strchr(to, '.');
	if (dot != NULL)
		*dot = '\0';
}

int
main(int argc, char **argv)
{
	const struct command *command = NULL;
	const char *out = NULL, *file = NULL;
	char err[TEXT_ERROR], name[64];
	struct prog p;

	for (int i = 1; i < argc; i++) {
		if (command == NULL)
			command = find_command(argv[i]);
		else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
			out = argv[++i];
		else if (file == NULL &&
			 (argv[i][0] != '-' || argv[i][1] == '\0'))
			file = argv[i];
		else
			command = NULL;
		if (command == NULL)
			break;
	}
	if (file == NULL || command == NULL) {
		fputs(usage, stderr);
		return EXIT_BROKEN;
	}
	if (prog_load(&p, file, err, sizeof(err)) != 0) {
		fprintf(stderr, "%s\n", err);
		return EXIT_BAD_PROGRAM;
	}
	base_name(file, name, sizeof(name));
	return write_out(command, &p, name, out);
}
