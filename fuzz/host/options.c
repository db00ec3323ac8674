/* SPDX-License-Identifier: MIT */
/*
 * options.c - tables of options, read with getopt_long().
 *
 * The kernel and the monitor are looked for beside the executable, so that a
 * call needs no option however and from wherever the tool is started; afl-fuzz
 * starts it from a folder of its own.
 */
#define _GNU_SOURCE
#include "fuzz/host/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_MAX = 32, BUDGET_MAX = 600000 };

struct parser {
	const char *command;
	struct option_row rows[ROWS_MAX];
	struct option longs[ROWS_MAX + 2]; /* and help, and the end */
	size_t n;
};

_Noreturn void
options_fail(const char *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "stampede-fuzz %s: ", command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_BROKEN);
}

/* Lasts as long as the process, as arguments do. */
struct default_path {
	char text[PATH_MAX + 32];
};

static struct default_path default_kernel, default_monitor;

/* beside: the path of a file in the folder of this executable. */
static const char *
beside(struct default_path *path, const char *name)
{
	char self[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return name;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	snprintf(path->text, sizeof(path->text), "%s/%s", self, name);
	return path->text;
}

static void
add_rows(struct parser *p, const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		struct option *o = &p->longs[p->n];

		if (p->n == ROWS_MAX)
			abort();
		o->name = rows->name;
		o->has_arg = rows->type == OPTION_FLAG ? no_argument
						       : required_argument;
		p->rows[p->n++] = *rows;
	}
}

static void
print_help(const struct parser *p, const char *usage, const char *what)
{
	char left[64];

	printf("usage: stampede-fuzz %s [options] %s\n%s\n\n", p->command,
		usage, what);
	for (size_t i = 0; i < p->n; i++) {
		const struct option_row *row = &p->rows[i];

		snprintf(left, sizeof(left), "--%s%s%s", row->name,
			row->arg != NULL ? "=" : "",
			row->arg != NULL ? row->arg : "");
		printf("  %-22s %s\n", left, row->what);
	}
	printf("  %-22s %s\n", "--help", "this");
}

static unsigned
number(const struct parser *p, const struct option_row *row, const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
		value < row->min || value > row->max)
		options_fail(p->command, "--%s=%s: give a number from %u to %u",
			row->name, text, row->min, row->max);
	return (unsigned)value;
}

static void
take(const struct parser *p, const struct option_row *row, const char *arg)
{
	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)row->to = true;
		break;
	case OPTION_NUMBER:
		*(unsigned *)row->to = number(p, row, arg);
		break;
	case OPTION_TEXT:
		*(const char **)row->to = arg;
		break;
	}
}

/* parse: getopt_long() until the end; returns the first operand's index. */
static int
parse(struct parser *p, const char *usage, const char *what, int argc,
	char **argv)
{
	int index, c;

	p->longs[p->n].name = "help";
	p->longs[p->n].val = 'h';
	optind = 1;
	while ((c = getopt_long(argc, argv, ":h", p->longs, &index)) != -1) {
		if (c == 'h') {
			print_help(p, usage, what);
			exit(EXIT_GOOD);
		}
		if (c == ':')
			options_fail(p->command, "%s needs an argument",
				argv[optind - 1]);
		if (c != 0)
			options_fail(p->command,
				"%s: no such option; see "
				"stampede-fuzz %s --help",
				argv[optind - 1], p->command);
		take(p, &p->rows[index], optarg);
	}
	return optind;
}

/* For what is started by others, such as afl-fuzz. */
static bool
is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

int
options_parse(struct vm_config *vm, const struct option_row *own,
	const char *usage, const char *what, int argc, char **argv)
{
	bool any_cpu = false;
	const struct option_row common[] = {
		{"kernel", OPTION_TEXT, &vm->kernel, "ELF",
			"the kernel [plain/kernel beside this program]", 0, 0},
		{"monitor", OPTION_TEXT, &vm->monitor, "ELF",
			"the monitor [monitor.elf beside this program]", 0, 0},
		{"qemu", OPTION_TEXT, &vm->qemu, "PROGRAM",
			"[qemu-system-riscv64]", 0, 0},
		{"budget-ms", OPTION_NUMBER, &vm->budget_ms, "N",
			"CPU time for one input, before a second run", 0,
			BUDGET_MAX},
		{"append", OPTION_TEXT, &vm->append, "TEXT",
			"boot arguments for the kernel", 0, 0},
		{"verify", OPTION_FLAG, &vm->verify, NULL,
			"or SNAPSHOT_VERIFY=1: compare all of RAM after each "
			"restore",
			0, 0},
		{"any-cpu", OPTION_FLAG, &any_cpu, NULL,
			"QEMU may run on CPUs that this process may not", 0, 0},
		{0},
	};
	struct parser p = {.command = argv[0]};
	int first;

	memset(vm, 0, sizeof(*vm));
	vm->verify = is_set("SNAPSHOT_VERIFY");
	add_rows(&p, own);
	add_rows(&p, common);
	first = parse(&p, usage, what, argc, argv);
	if (vm->kernel == NULL)
		vm->kernel = beside(&default_kernel, "plain/kernel");
	if (vm->monitor == NULL)
		vm->monitor = beside(&default_monitor, "monitor.elf");
	/* Ringing each other is cheapest between processes on one CPU. */
	vm->keep_cpu = !any_cpu;
	return first;
}
