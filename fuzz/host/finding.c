/* SPDX-License-Identifier: MIT */
/*
 * finding.c - the folder of one finding.
 *
 * finding.txt is for programs: a table below says which line holds which
 * field, and writing and reading go by it.  The other files are for people.
 * Nothing here is atomic: the caller writes a folder under a name that nobody
 * looks at, and renames it when it is complete.
 */
#define _GNU_SOURCE
#include "fuzz/host/finding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/host/report.h"
#include "fuzz/wire/text.h"

enum { PATH_ROOM = 1200, KEY_MAX = 32 };

/* The fields as lines of finding.txt.  size 0 marks a number. */
static const struct field {
	const char *key;
	size_t offset;
	size_t size;
} fields[] = {
#define TEXT(field)                                                            \
	{                                                                      \
#field, offsetof(struct finding, field),                       \
			sizeof(((struct finding *)0)->field)                   \
	}
#define NUMBER(field)                                                          \
	{                                                                      \
#field, offsetof(struct finding, field), 0                     \
	}
	NUMBER(number),
	TEXT(signature),
	TEXT(class),
	TEXT(what),
	TEXT(detail),
	TEXT(revision),
	TEXT(build),
	TEXT(input),
	NUMBER(ops),
	NUMBER(lanes),
	NUMBER(harts),
	NUMBER(ops_before),
	NUMBER(reproduced),
	NUMBER(repeats),
	NUMBER(others),
	NUMBER(steady),
#undef TEXT
#undef NUMBER
};

enum { NFIELDS = sizeof(fields) / sizeof(fields[0]) };

void
finding_line(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from != '\0' && n + 1 < size; from++) {
		unsigned char c = (unsigned char)*from;

		to[n++] = c < ' ' || c >= 0x7f ? ' ' : (char)c;
	}
	to[n] = '\0';
}

/* --- files that are on the disk when they are closed */

static FILE *
file_begin(const char *dir, const char *name)
{
	char path[PATH_ROOM];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= PATH_ROOM) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return fopen(path, "wbe");
}

static int
file_end(FILE *file)
{
	int bad = ferror(file) != 0 || fflush(file) != 0 ||
		  fsync(fileno(file)) != 0;

	return fclose(file) != 0 || bad ? -1 : 0;
}

/* --- what is in them */

static int
put_fields(const struct finding *f, const struct evidence *e, FILE *to)
{
	(void)e;
	for (unsigned i = 0; i < NFIELDS; i++) {
		const char *at = (const char *)f + fields[i].offset;
		char line[FINDING_LINE];

		if (fields[i].size == 0) {
			fprintf(to, "%s: %u\n", fields[i].key,
				*(const unsigned *)at);
			continue;
		}
		finding_line(line, sizeof(line), at);
		fprintf(to, "%s: %s\n", fields[i].key, line);
	}
	return 0;
}

static int
put_report(const struct finding *f, const struct evidence *e, FILE *to)
{
	report_write(f, e, to);
	return 0;
}

static int
put_text(const struct finding *f, const struct evidence *e, FILE *to)
{
	char text[TEXT_MAX];

	prog_print(e->prog, text, sizeof(text));
	fprintf(to, "# %s\n%s",
		f->number != 0 ? f->signature : "did not fail again", text);
	return 0;
}

static int
put_binary(const struct finding *f, const struct evidence *e, FILE *to)
{
	uint8_t bytes[PROG_BYTES_MAX];
	size_t n = prog_encode(e->prog, bytes);

	(void)f;
	return fwrite(bytes, 1, n, to) == n ? 0 : -1;
}

static int
put_c(const struct finding *f, const struct evidence *e, FILE *to)
{
	return prog_to_c(e->prog,
		f->number != 0 ? f->signature : "did not fail again", to);
}

static int
put_console(const struct finding *f, const struct evidence *e, FILE *to)
{
	(void)f;
	if (e->result != NULL && e->result->console != NULL)
		fwrite(e->result->console, 1, e->result->console_size, to);
	return 0;
}

static int
put_trace(const struct finding *f, const struct evidence *e, FILE *to)
{
	(void)f;
	if (e->result != NULL && e->result->box != NULL)
		report_trace(e, to);
	return 0;
}

static int
put_again(const char *dir, const char *kernels, const struct finding *f)
{
	FILE *to = file_begin(dir, "again.sh");

	if (to == NULL)
		return -1;
	fprintf(to,
		"#!/bin/sh\n"
		"# Runs this program again, on the kernel that it was found "
		"with.  Exit status:\n"
		"# 1 if it fails, 0 if it does not, 2 if it could not be "
		"run.\n"
		"here=$(cd \"$(dirname \"$0\")\" && pwd) || exit 2\n"
		"build=$here/%s/%s\n"
		"exec \"$build/stampede-fuzz\" repro "
		"--kernel=\"$build/kernel\" "
		"\\\n\t--monitor=\"$build/monitor.elf\" \"$@\" "
		"\"$here/program.bin\"\n",
		kernels, f->build);
	if (fchmod(fileno(to), 0755) != 0) {
		fclose(to);
		return -1;
	}
	return file_end(to);
}

static const struct {
	const char *name;
	int (*put)(const struct finding *, const struct evidence *, FILE *);
} files[] = {
	{"finding.txt", put_fields},
	{"report.md", put_report},
	{"program.prog", put_text},
	{"program.bin", put_binary},
	{"program.c", put_c},
	{"console.txt", put_console},
	{"trace.txt", put_trace},
};

static int
put_file(const char *dir, unsigned i, const struct finding *f,
	const struct evidence *e)
{
	FILE *to = file_begin(dir, files[i].name);
	int bad;

	if (to == NULL)
		return -1;
	bad = files[i].put(f, e, to);
	return file_end(to) != 0 || bad ? -1 : 0;
}

int
finding_write(const char *dir, const char *kernels, const struct finding *f,
	const struct evidence *e, char *err, size_t size)
{
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (put_file(dir, i, f, e) == 0)
			continue;
		snprintf(err, size, "%s/%s: %s", dir, files[i].name,
			strerror(errno));
		return -1;
	}
	if (put_again(dir, kernels, f) == 0)
		return 0;
	snprintf(err, size, "%s/again.sh: %s", dir, strerror(errno));
	return -1;
}

/* --- reading */

static void
take_line(struct finding *f, const char *key, const char *value)
{
	for (unsigned i = 0; i < NFIELDS; i++) {
		char *at = (char *)f + fields[i].offset;

		if (strcmp(fields[i].key, key) != 0)
			continue;
		if (fields[i].size == 0)
			*(unsigned *)at = (unsigned)strtoul(value, NULL, 10);
		else
			finding_line(at, fields[i].size, value);
	}
}

bool
finding_read(const char *dir, struct finding *f)
{
	char path[PATH_ROOM], line[KEY_MAX + FINDING_LINE + 4];
	const char *slash = strrchr(dir, '/');
	FILE *from;

	memset(f, 0, sizeof(*f));
	snprintf(f->name, sizeof(f->name), "%s",
		slash != NULL ? slash + 1 : dir);
	snprintf(path, sizeof(path), "%s/finding.txt", dir);
	from = fopen(path, "rbe");
	if (from == NULL)
		return false;
	while (fgets(line, sizeof(line), from) != NULL) {
		char *colon = strstr(line, ": ");

		line[strcspn(line, "\n")] = '\0';
		if (colon == NULL)
			continue;
		*colon = '\0';
		take_line(f, line, colon + 2);
	}
	fclose(from);
	return f->class[0] != '\0';
}
