/* SPDX-License-Identifier: MIT */
/*
 * coverage.c - `stampede-fuzz coverage`: which blocks of the kernel's code
 * some programs reach, as addresses.  scripts/coverage.py makes tables and
 * pages of them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/host/commands.h"
#include "fuzz/host/driver.h"
#include "fuzz/host/files.h"
#include "fuzz/host/options.h"
#include "fuzz/host/stop.h"
#include "fuzz/wire/text.h"

static const char name[] = "coverage";

static size_t
write_blocks(const struct vm *vm, FILE *to)
{
	uint64_t text;
	size_t n, found = 0;
	const uint8_t *blocks = vm_blocks(vm, &text, &n);

	for (size_t i = 0; blocks != NULL && i < n; i++) {
		if (blocks[i] == 0)
			continue;
		fprintf(to, "%" PRIx64 "\n", text + 2 * i);
		found++;
	}
	return found;
}

/* A run that breaks QEMU would take what was reached so far with it. */
static void
run_all(struct driver *d, const struct files *files)
{
	uint8_t bytes[PROG_BYTES_MAX];
	char err[TEXT_ERROR];
	struct vm_result r;
	struct prog p;

	for (size_t i = 0; i < files->n && !stop_asked(); i++) {
		if (prog_load(&p, files->path[i], err, sizeof(err)) != 0)
			options_fail(name, "%s", err);
		driver_run(d, bytes, prog_encode(&p, bytes), &r);
		if (r.class == VM_BROKEN)
			options_fail(name, "%s: %s: %s", files->path[i], r.what,
				r.detail);
	}
}

int
coverage_main(int argc, char **argv)
{
	static struct driver driver;
	struct vm_config config;
	struct files files = {0};
	const char *out = NULL;
	const struct option_row own[] = {
		{"out", OPTION_TEXT, &out, "FILE", "where the addresses go", 0,
			0},
		{0},
	};
	int first = options_parse(&config, own, "FOLDER...",
		"Run programs on a kernel built with FUZZ=exact, and write the "
		"addresses of the\nblocks they reach.  Exit: 0 done, 2 broken.",
		argc, argv);
	char err[256];
	uint64_t text;
	size_t n;
	FILE *to;

	if (out == NULL || first == argc)
		options_fail(name, "give --out=FILE and folders of programs");
	for (int i = first; i < argc; i++)
		if (!files_add(&files, argv[i], err, sizeof(err)))
			options_fail(name, "%s", err);
	stop_catch(-1);
	if (!driver_open(&driver, &config, 0, NULL, err, sizeof(err)))
		options_fail(name, "%s", err);
	if (vm_blocks(driver.vm, &text, &n) == NULL)
		options_fail(name,
			"%s does not tell blocks; build it with "
			"make FUZZ=exact",
			config.kernel);
	run_all(&driver, &files);
	to = fopen(out, "w");
	if (to == NULL)
		options_fail(name, "%s cannot be written", out);
	printf("coverage: %zu programs reach %zu blocks\n", files.n,
		write_blocks(driver.vm, to));
	if (fclose(to) != 0)
		options_fail(name, "%s cannot be written", out);
	driver_close(&driver);
	files_free(&files);
	return stop_asked() ? EXIT_BROKEN : EXIT_GOOD;
}
