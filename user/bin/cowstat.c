/* SPDX-License-Identifier: MIT */
/*
 * cowstat - print what the kernel counts: cowstat [COMMAND [ARGS...]]
 *
 * With a command, run it, and print by how much the counters differ after it
 * from before it; cowstat's own fork is among them, and so is whatever else
 * runs at that time.  The exit status is the command's.
 */
#include "kernel/types.h"
#include "user/user.h"
#include "user/stampede.h"
#include "user/lib/command.h"

enum { BROKEN = 2, NOTFOUND = 127 };

#define OFFSET(id) __builtin_offsetof(struct kstat, id)

static const struct counter {
	const char *name;
	const char *what;
	uint offset;
} counters[] = {
#define GAUGE(id, text)   {#id, text, OFFSET(id)},
#define COUNTER(id, text) {#id, text, OFFSET(id)},
#include "kernel/kstat.def"
#undef GAUGE
#undef COUNTER
};

static struct kstat before, after;

static uint64
value(const struct kstat *st, const struct counter *c)
{
	return *(const uint64 *)((const char *)st + c->offset);
}

static void
print_all(void)
{
	for (uint i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		printf("%-14s %12lu  %s\n", counters[i].name,
			value(&after, &counters[i]), counters[i].what);
}

static void
print_differences(void)
{
	for (uint i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const struct counter *c = &counters[i];
		long more = value(&after, c) - value(&before, c);

		if (more != 0)
			printf("%-14s %12ld  %s\n", c->name, more, c->what);
	}
}

static void
take(struct kstat *st)
{
	if (kstat(st, sizeof(*st)) == 0)
		return;
	fprintf(2, "cowstat: this kernel does not count what I know\n");
	exit(BROKEN);
}

static int
run(char **argv)
{
	int status = BROKEN;
	int pid = fork();

	if (pid < 0) {
		fprintf(2, "cowstat: no process left\n");
		exit(BROKEN);
	}
	if (pid == 0) {
		fprintf(2, "cowstat: %s: %s\n", argv[0], command_exec(argv));
		exit(NOTFOUND);
	}
	wait(&status);
	return status;
}

int
main(int argc, char **argv)
{
	int status;

	if (argc == 1) {
		take(&after);
		print_all();
		return 0;
	}
	take(&before);
	status = run(argv + 1);
	take(&after);
	print_differences();
	return status;
}
