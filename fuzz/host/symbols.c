/* SPDX-License-Identifier: MIT */
/*
 * symbols.c - addr2line, asked once for many addresses.
 *
 * With -a -p it answers each address by a line "0xADDRESS: FUNCTION at
 * FILE:LINE" and further lines for what that is inlined into.  Its output is
 * kept as it is, and the lines are found in it when they are wanted.
 */
#define _GNU_SOURCE
#include "fuzz/host/symbols.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/host/capture.h"

enum { OUTPUT_MAX = 1 << 17, HEX = 20, TOOL = 256, FOLDER = 1024 };

struct symbols {
	const struct elf *kernel;
	char folder[FOLDER]; /* with a slash; cut off the names of files */
	char output[OUTPUT_MAX];
};

static void
ask(struct symbols *s, const char *path, const uint64_t *addrs, size_t n)
{
	static const char *const options[] = {"-a", "-p", "-f", "-i", "-e"};
	const char *argv[sizeof(options) / sizeof(*options) + SYMBOLS_MAX + 3];
	const char *cross = getenv("CROSS");
	char tool[TOOL], hex[SYMBOLS_MAX][HEX];
	size_t argc = 0;

	snprintf(tool, sizeof(tool), "%saddr2line",
		cross != NULL ? cross : "riscv64-unknown-elf-");
	argv[argc++] = tool;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		argv[argc++] = options[i];
	argv[argc++] = path;
	for (size_t i = 0; i < n && i < SYMBOLS_MAX; i++) {
		snprintf(hex[i], HEX, "0x%" PRIx64, addrs[i]);
		argv[argc++] = hex[i];
	}
	argv[argc] = NULL;
	if (n == 0 || capture(argv, s->output, sizeof(s->output)) < 0)
		s->output[0] = '\0';
}

struct symbols *
symbols_of(const char *path, const struct elf *kernel, const uint64_t *addrs,
	size_t n)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->kernel = kernel;
	if (getcwd(s->folder, sizeof(s->folder) - 1) == NULL)
		s->folder[0] = '\0';
	strcat(s->folder, "/");
	ask(s, path, addrs, n);
	return s;
}

/* Behind "0xADDRESS: " of the answer about addr; NULL if there is none. */
static const char *
answer(const struct symbols *s, uint64_t addr)
{
	const char *line = s->output;

	while (*line != '\0') {
		char *end;

		if (strncmp(line, "0x", 2) == 0 &&
			strtoull(line, &end, 16) == addr &&
			strncmp(end, ": ", 2) == 0)
			return end + 2;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

/* "FUNCTION at FOLDER/FILE:LINE" without the folder, in columns. */
static void
print_line(const struct symbols *s, const char *line, size_t n, FILE *to)
{
	const char *at = memmem(line, n, " at ", 4);
	size_t cut = strlen(s->folder), left;

	if (at == NULL) {
		fprintf(to, "%.*s\n", (int)n, line);
		return;
	}
	fprintf(to, "%-24.*s ", (int)(at - line), line);
	at += 4;
	left = n - (size_t)(at - line);
	if (left > cut && strncmp(at, s->folder, cut) == 0) {
		at += cut;
		left -= cut;
	}
	fprintf(to, "%.*s\n", (int)left, at);
}

static void
print_plain(const struct symbols *s, uint64_t addr, FILE *to)
{
	const char *name = NULL;
	uint64_t offset = 0;

	if (s != NULL && s->kernel != NULL)
		name = elf_function(s->kernel, addr, &offset);
	if (name != NULL)
		fprintf(to, "%s+0x%" PRIx64 "\n", name, offset);
	else
		fprintf(to, "0x%" PRIx64 "\n", addr);
}

void
symbols_print(
	const struct symbols *s, uint64_t addr, FILE *to, const char *prefix)
{
	static const char inlined[] = " (inlined by) ";
	const char *line = s != NULL ? answer(s, addr) : NULL;

	if (line == NULL || strncmp(line, "??", 2) == 0) {
		fputs(prefix, to);
		print_plain(s, addr, to);
		return;
	}
	for (;;) {
		size_t n = strcspn(line, "\n");

		fputs(prefix, to);
		print_line(s, line, n, to);
		line += n + (line[n] == '\n');
		if (strncmp(line, inlined, sizeof(inlined) - 1) != 0)
			break;
		line += sizeof(inlined) - 1;
	}
}

void
symbols_free(struct symbols *s)
{
	free(s);
}
