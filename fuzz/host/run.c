/* SPDX-License-Identifier: MIT */
/*
 * run.c - `stampede-fuzz run` and `stampede-fuzz corpus`: programs from files,
 * for people and for `make`.
 *
 * A program that runs more than once must do the same each time: verdict,
 * signature, coverage, and the order of its steps on all harts.  The first
 * run that differs ends the repeats, and is what is shown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/host/commands.h"
#include "fuzz/host/driver.h"
#include "fuzz/host/files.h"
#include "fuzz/host/options.h"
#include "fuzz/host/signature.h"
#include "fuzz/host/stop.h"
#include "fuzz/wire/text.h"

/* What must be the same in each repeat. */
struct sight {
	enum vm_class class;
	char name[SIGNATURE_MAX];
	uint64_t cover;
	uint64_t trace;
};

struct runner {
	struct driver driver;
	unsigned repeat;
	bool trace; /* show it */
	bool json;
	bool quiet; /* one line for each failure only */
	unsigned files;
	unsigned passed;
	unsigned failed;
	unsigned differed;
	unsigned broken;
};

/* --- one program */

static uint64_t
hash_cover(const uint8_t *cover)
{
	uint64_t h = 0xcbf29ce484222325u, word;

	for (size_t i = 0; i < COVER_SIZE; i += sizeof(word)) {
		memcpy(&word, cover + i, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return h;
}

static unsigned
count_edges(const uint8_t *cover)
{
	unsigned n = 0;

	for (size_t i = 0; i < COVER_SIZE; i++)
		n += cover[i] != 0;
	return n;
}

static void
look(const struct runner *run, const struct vm_result *r, struct sight *s)
{
	memset(s, 0, sizeof(*s));
	s->class = r->class;
	signature(r, run->driver.kernel, s->name, sizeof(s->name));
	if (r->class == VM_BROKEN)
		return;
	s->cover = hash_cover(r->cover);
	s->trace = r->box->trace_hash;
}

/* differences: in words; returns whether there are any. */
static bool
differences(
	const struct sight *a, const struct sight *b, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s",
		strcmp(a->name, b->name) ? " verdict" : "",
		a->cover != b->cover ? " coverage" : "",
		a->trace != b->trace ? " trace" : "");
	return out[0] != '\0';
}

/* --- what is shown */

static void
json_text(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void
json_field(const char *name, const char *text)
{
	printf(", \"%s\": ", name);
	json_text(text);
}

static void
print_json(const char *path, const char *verdict, const struct sight *s,
	const struct vm_result *r, unsigned runs, const char *differs)
{
	printf("{\"file\": ");
	json_text(path);
	json_field("verdict", verdict);
	json_field("signature", s->name);
	json_field("what", r->what);
	json_field("detail", r->detail);
	json_field("differs", differs);
	printf(", \"runs\": %u, \"edges\": %u, \"cover\": \"%016llx\", "
	       "\"trace\": \"%016llx\", \"ms\": %.3f}\n",
		runs, r->class == VM_BROKEN ? 0 : count_edges(r->cover),
		(unsigned long long)s->cover, (unsigned long long)s->trace,
		r->ms);
}

static void
print_line(const char *path, const char *verdict, const struct sight *first,
	const struct sight *s, const struct vm_result *r, unsigned runs,
	const char *differs)
{
	printf("%s: %s", path, verdict);
	if (r->class != VM_PASS)
		printf(" %s: %s%s%s", s->name, r->what,
			r->detail[0] != '\0' ? ": " : "", r->detail);
	if (differs[0] != '\0')
		printf(" (run %u differs from the first, which was %s, in%s)",
			runs, first->name, differs);
	putchar('\n');
}

/* The console of a failure, indented so that lines of ours stand out. */
static void
print_console(const struct vm_result *r)
{
	const char *line = r->console;

	while (line != NULL && *line != '\0') {
		int n = (int)strcspn(line, "\n");

		printf("  | %.*s\n", n, line);
		line += n;
		line += *line == '\n';
	}
}

static void
print_event(const struct prog *p, const struct mailbox_trace *event)
{
	char text[TEXT_LINE];

	printf("  %c hart %u", event->what, event->hart);
	if (event->op >= 0 && event->op < p->nops) {
		prog_print_op(&p->ops[event->op], text, sizeof(text));
		printf(" op %d: %s", event->op, text);
	}
	printf(" = %d\n", (int32_t)event->value);
}

static void
print_trace(const struct prog *p, const struct mailbox *box)
{
	uint32_t n = box->ntrace < TRACE_MAX ? box->ntrace : TRACE_MAX;

	for (uint32_t i = 0; i < n; i++)
		print_event(p, &box->trace[i]);
	if (box->ntrace > n)
		printf("  and %u more\n", box->ntrace - n);
}

/* --- verdicts */

/* judge: counts the program, and returns its verdict in a word. */
static const char *
judge(struct runner *run, const struct sight *s, const char *differs)
{
	if (s->class == VM_BROKEN || s->class == VM_SKIPPED) {
		run->broken++;
		return "BROKEN";
	}
	if (differs[0] != '\0') {
		run->differed++;
		return "DIFFERS";
	}
	if (vm_failed(s->class)) {
		run->failed++;
		return "FAIL";
	}
	run->passed++;
	return "pass";
}

/* run_program: until it has run often enough, or differs, or is broken. */
static void
run_program(struct runner *run, const char *path, const struct prog *p)
{
	uint8_t bytes[PROG_BYTES_MAX];
	size_t n = prog_encode(p, bytes);
	struct sight first, now;
	struct vm_result r;
	char differs[64] = "";
	const char *verdict;
	unsigned runs = 0;

	do {
		driver_run(&run->driver, bytes, n, &r);
		look(run, &r, &now);
		if (runs++ == 0)
			first = now;
		if (now.class == VM_BROKEN ||
			differences(&first, &now, differs, sizeof(differs)))
			break;
	} while (runs < run->repeat && !stop_asked());
	verdict = judge(run, &now, differs);
	if (run->json)
		print_json(path, verdict, &now, &r, runs, differs);
	else if (!run->quiet || strcmp(verdict, "pass") != 0)
		print_line(path, verdict, &first, &now, &r, runs, differs);
	if (run->json || r.class == VM_BROKEN)
		return;
	if (run->trace)
		print_trace(p, r.box);
	if (vm_failed(r.class))
		print_console(&r);
}

static void
run_file(struct runner *run, const char *path)
{
	char err[TEXT_ERROR];
	struct prog p;

	run->files++;
	if (prog_load(&p, path, err, sizeof(err)) != 0) {
		run->broken++;
		fprintf(stderr, "%s\n", err);
		return;
	}
	run_program(run, path, &p);
	fflush(stdout);
}

static int
finish(struct runner *run, const char *command)
{
	if (!run->json && (run->quiet || run->files > 1))
		printf("%s: %u programs: %u pass, %u fail, %u differ, "
		       "%u broken\n",
			command, run->files, run->passed, run->failed,
			run->differed, run->broken);
	if (run->failed + run->differed > 0)
		return EXIT_FINDING;
	if (run->broken > 0)
		return EXIT_BROKEN;
	if (stop_asked()) {
		fprintf(stderr, "stampede-fuzz %s: stopped by a signal\n",
			command);
		return EXIT_BROKEN;
	}
	return EXIT_GOOD;
}

/* --- the subcommands */

static struct runner runner;

static int
run_files(const char *command, const struct vm_config *config,
	const struct files *files)
{
	struct runner *run = &runner;
	char err[256];
	int status;

	stop_catch(-1);
	if (!driver_open(&run->driver, config, 0, NULL, err, sizeof(err)))
		options_fail(command, "%s", err);
	/* Its hash is compared, so it is wanted whether it is shown or not. */
	vm_trace(run->driver.vm, run->trace || run->repeat > 1);
	for (size_t i = 0; i < files->n && !stop_asked(); i++)
		run_file(run, files->path[i]);
	status = finish(run, command);
	driver_close(&run->driver);
	return status;
}

static int
command(int argc, char **argv, const char *usage, const char *what)
{
	struct vm_config config;
	struct files files = {0};
	unsigned repeat = 1;
	const struct option_row own[] = {
		{"repeat", OPTION_NUMBER, &repeat, "N",
			"run each N times, which must all be the same", 1,
			100000000},
		{"trace", OPTION_FLAG, &runner.trace, NULL,
			"show in which order the steps were done", 0, 0},
		{"json", OPTION_FLAG, &runner.json, NULL,
			"an object for each program, on a line", 0, 0},
		{0},
	};
	int first = options_parse(&config, own, usage, what, argc, argv);
	char err[256];
	int status;

	runner.repeat = repeat;
	if (first == argc)
		options_fail(argv[0], "give %s; see --help", usage);
	for (int i = first; i < argc; i++) {
		if (!files_add(&files, argv[i], err, sizeof(err)))
			options_fail(argv[0], "%s", err);
	}
	status = run_files(argv[0], &config, &files);
	files_free(&files);
	return status;
}

int
run_main(int argc, char **argv)
{
	return command(argc, argv, "FILE...",
		"Run programs, text or binary, and say what each does; folders "
		"stand for the\nprograms in them.  Exit: 0 all pass, 1 one "
		"fails or differs, 2 broken.");
}

int
corpus_main(int argc, char **argv)
{
	runner.quiet = true;
	return command(argc, argv, "FOLDER...",
		"Run all programs in folders, and name those that fail.\n"
		"Exit: 0 all pass, 1 one fails or differs, 2 broken.");
}
