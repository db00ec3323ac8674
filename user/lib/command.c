/* SPDX-License-Identifier: MIT */
/* command.c - from the words of a command line to a running program. */
#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/lib/command.h"
#include "user/lib/weak.h"

static int
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

WEAK int
word_copy(const char **at, const char *stops, char *out)
{
	const char *p = *at;
	char *o = out;
	char quote = 0;

	for (; *p != '\0'; p++) {
		if (quote == 0 && (is_blank(*p) || strchr(stops, *p)))
			break;
		if (quote == 0 && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (*p == quote)
			quote = 0;
		else
			*o++ = *p;
	}
	if (quote)
		return -1;
	*o++ = '\0';
	*at = p;
	return o - out;
}

WEAK const char *
command_split(const char *line, char *out, char **argv, int max)
{
	int argc = 0;
	int n;

	for (;;) {
		while (is_blank(*line))
			line++;
		if (*line == '\0')
			break;
		if (argc + 1 == max)
			return "too many words";
		n = word_copy(&line, "", out);
		if (n < 0)
			return "a quote is not closed";
		argv[argc++] = out;
		out += n;
	}
	argv[argc] = 0;
	return 0;
}

WEAK const char *
command_exec(char **argv)
{
	static const char *const folders[] = {"", "/", "/stress/"};
	static char path[MAXPATH];
	const char *why = "not found";
	struct stat st;

	for (int i = 0; i < 3; i++) {
		if (i > 0 && strchr(argv[0], '/'))
			break;
		if (strlen(folders[i]) + strlen(argv[0]) >= sizeof(path))
			return "the name is too long";
		strcpy(path, folders[i]);
		strcpy(path + strlen(path), argv[0]);
		exec(path, argv);
		if (stat(path, &st) == 0)
			why = "cannot be executed";
	}
	return why;
}

WEAK int
number(const char *s, uint *n)
{
	uint64 v = 0;

	if (*s == '\0')
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		v = v * 10 + (*s - '0');
		if (v > 0xffffffff)
			return -1;
	}
	*n = v;
	return 0;
}
