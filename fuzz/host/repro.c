/* SPDX-License-Identifier: MIT */
/*
 * repro.c - `stampede-fuzz repro`: one program, and all that it does.
 *
 * With --gdb it runs twice.  The first run tells how it fails, and that is
 * where the debugger shall stop.  In the second QEMU waits for the debugger
 * before its first instruction: a whole input takes less time than it takes
 * to attach.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz/host/commands.h"
#include "fuzz/host/driver.h"
#include "fuzz/host/options.h"
#include "fuzz/host/report.h"
#include "fuzz/host/stop.h"
#include "fuzz/host/trial.h"
#include "fuzz/wire/text.h"

enum { DEADLINE_MS = 60000, GDB_BUDGET_MS = 600000 };

/* Parts that have nothing to say are left out. */
static void
print_part(const char *title, const struct evidence *e,
	void (*print)(const struct evidence *, FILE *))
{
	printf("\n%s\n", title);
	print(e, stdout);
}

static void
print_failure(const struct evidence *e)
{
	if (e->result->box->nreports > 0)
		print_part("oracles:", e, report_oracles);
	if (e->result->class == VM_AUDIT)
		print_part("audit:", e, report_audit);
	print_part("where:", e, report_where);
}

static void
print_result(const struct evidence *e)
{
	const struct vm_result *r = e->result;
	char name[SIGNATURE_MAX];

	printf("verdict: %s\n", class_name(r->class));
	if (r->what[0] != '\0')
		printf("what: %s\n", r->what);
	if (r->detail[0] != '\0')
		printf("detail: %s\n", r->detail);
	printf("time: %.2f ms\n", r->ms);
	if (r->box == NULL || r->class == VM_BROKEN)
		return;
	if (vm_failed(r->class)) {
		signature(r, e->kernel, name, sizeof(name));
		printf("signature: %s\n", name);
		print_failure(e);
	}
	if (r->console != NULL && r->console_size > 0)
		print_part("console:", e, report_console);
}

static int
status_of(enum vm_class was)
{
	if (vm_failed(was))
		return EXIT_FINDING;
	return was == VM_PASS ? EXIT_GOOD : EXIT_BROKEN;
}

/* run: once, in full; returns what happened. */
static enum vm_class
run(const struct vm_config *config, unsigned deadline_ms, const struct prog *p,
	bool quiet)
{
	static struct driver driver;
	uint8_t bytes[PROG_BYTES_MAX];
	struct vm_result result;
	struct evidence e = {.prog = p, .result = &result};
	char err[TEXT_ERROR];
	enum vm_class class;

	if (!driver_open(&driver, config, deadline_ms, NULL, err, sizeof(err)))
		options_fail("repro", "%s", err);
	e.kernel = driver.kernel;
	e.kernel_path = config->kernel;
	vm_trace(driver.vm, true);
	if (config->gdb_port == 0)
		class = trial_once(&driver, p, &result);
	else /* who kills QEMU from the debugger does not want it again */
		class = vm_run(
			driver.vm, bytes, prog_encode(p, bytes), &result);
	if (!quiet && result.box != NULL && class != VM_BROKEN)
		print_part("trace:", &e, report_trace);
	if (!quiet)
		print_result(&e);
	driver_close(&driver);
	return class;
}

/*
 * Where to stop.  Every end of an input comes through the monitor's ring();
 * its events behind EVENT_DONE are those that went wrong.
 */
static const char *
breakpoint(enum vm_class was)
{
	switch (was) {
	case VM_PANIC:
		return "break __wrap_panic";
	case VM_ORACLE:
		return "break report";
	case VM_AUDIT:
	case VM_PASS:
		return "break ring if event == EVENT_DONE";
	default:
		return "break ring if event > EVENT_DONE";
	}
}

static enum vm_class
debug(struct vm_config *config, unsigned port, const struct prog *p)
{
	enum vm_class class = run(config, DEADLINE_MS, p, true);

	printf("verdict without gdb: %s\n\nIn another terminal:\n\n"
	       "  gdb-multiarch -q %s -ex 'set confirm off' "
	       "-ex 'add-symbol-file %s' "
	       "-ex 'target remote 127.0.0.1:%u' -ex '%s' -ex continue\n\n"
	       "QEMU waits for it; end with Ctrl-C.\n",
		class_name(class), config->kernel, config->monitor, port,
		breakpoint(class));
	fflush(stdout);
	config->gdb_port = (int)port;
	config->budget_ms = GDB_BUDGET_MS;
	return run(config, 0, p, false);
}

int
repro_main(int argc, char **argv)
{
	unsigned gdb = 0;
	struct vm_config config;
	const struct option_row own[] = {
		{"gdb", OPTION_NUMBER, &gdb, "PORT",
			"wait for gdb there, and say how to start it", 1,
			65535},
		{0},
	};
	int first = options_parse(&config, own, "FILE",
		"Run one program and show all that it does.\n"
		"Exit: 0 it passes, 1 it fails, 2 broken.",
		argc, argv);
	char err[TEXT_ERROR], text[TEXT_MAX];
	struct prog p;

	if (first + 1 != argc)
		options_fail(argv[0], "give one program, as text or bytes");
	if (prog_load(&p, argv[first], err, sizeof(err)) != 0)
		options_fail(argv[0], "%s", err);
	prog_print(&p, text, sizeof(text));
	fputs(text, stdout);
	if (gdb != 0)
		return status_of(debug(&config, gdb, &p));
	return status_of(run(&config, DEADLINE_MS, &p, false));
}
