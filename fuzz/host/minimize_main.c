/* SPDX-License-Identifier: MIT */
/*
 * minimize_main.c - `stampede-fuzz minimize`: one program, made minimal.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/host/commands.h"
#include "fuzz/host/options.h"
#include "fuzz/host/stop.h"
#include "fuzz/host/trial.h"
#include "fuzz/wire/text.h"

enum { DEADLINE_MS = 60000, EVERY = 500 };

static void
show_progress(
	void *ctx, const struct prog *best, const struct minimize_count *count)
{
	bool terminal = isatty(STDERR_FILENO);

	(void)ctx;
	if (!terminal && count->tried % EVERY != 0)
		return;
	fprintf(stderr,
		"%sminimising: %u operations in %u lanes, %u tries, %u known "
		"already%s",
		terminal ? "\r" : "", best->nops, minimize_lanes(best),
		count->tried, count->cached, terminal ? " " : "\n");
}

static bool
asked_to_stop(void *ctx)
{
	(void)ctx;
	return stop_asked();
}

static void
print_program(const char *title, const struct prog *p)
{
	char text[TEXT_MAX];

	prog_print(p, text, sizeof(text));
	printf("# %s: %u operations in %u lanes, %d bytes\n%s", title, p->nops,
		minimize_lanes(p), PROG_HEAD + p->nops * PROG_OP, text);
}

/* Text, unless the name says that bytes are wanted. */
static bool
save(const struct prog *p, const char *path)
{
	size_t n = strlen(path);
	uint8_t bytes[PROG_BYTES_MAX];
	char text[TEXT_MAX];
	FILE *to = fopen(path, "wbe");
	bool bad;

	if (to == NULL)
		return false;
	if (n > 4 && strcmp(path + n - 4, ".bin") == 0) {
		fwrite(bytes, 1, prog_encode(p, bytes), to);
	} else {
		prog_print(p, text, sizeof(text));
		fputs(text, to);
	}
	bad = ferror(to) != 0;
	return fclose(to) == 0 && !bad;
}

static int
run(struct driver *driver, struct prog *p, const char *path, const char *out)
{
	struct minimize_count count = {0};
	struct verdict v;

	print_program(path, p);
	v = trial(driver, p, TRIAL_RUNS);
	if (v.runs == 0)
		options_fail("minimize", "%s: QEMU dies of it each time", path);
	if (v.hits == 0) {
		printf("# it passes: %u of %u runs\n", v.runs, v.runs);
		return EXIT_GOOD;
	}
	printf("# %s: failed so in %u of %u runs\n", v.signature, v.hits,
		v.runs);
	fflush(stdout);
	trial_minimize(driver, p, &v, &count, show_progress, asked_to_stop);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	print_program(stop_asked() ? "stopped" : "minimal", p);
	printf("# %s: failed so in %u of %u runs; %u steps, %u tries, %u "
	       "known already\n",
		v.signature, v.hits, v.runs, count.kept, count.tried,
		count.cached);
	if (out != NULL && !save(p, out))
		options_fail("minimize", "%s: %s", out, strerror(errno));
	return EXIT_FINDING;
}

int
minimize_main(int argc, char **argv)
{
	static struct driver driver;
	const char *out = NULL;
	struct vm_config config;
	const struct option_row own[] = {
		{"out", OPTION_TEXT, &out, "FILE",
			"save it: as bytes if FILE ends in .bin, else as text",
			0, 0},
		{0},
	};
	int first = options_parse(&config, own, "FILE",
		"Make a failing program as small as it goes, failing in the "
		"same way.\nExit: 0 it passes, 1 it fails, 2 broken.",
		argc, argv);
	char err[TEXT_ERROR];
	struct prog p;
	int status;

	if (first + 1 != argc)
		options_fail(argv[0], "give one program, as text or bytes");
	if (prog_load(&p, argv[first], err, sizeof(err)) != 0)
		options_fail(argv[0], "%s", err);
	stop_catch(-1);
	if (!driver_open(&driver, &config, DEADLINE_MS, NULL, err, sizeof(err)))
		options_fail(argv[0], "%s", err);
	status = run(&driver, &p, argv[first], out);
	driver_close(&driver);
	return status;
}
