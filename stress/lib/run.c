/* SPDX-License-Identifier: MIT */
/*
 * run.c - main() of every stress case.
 *
 * The first process only counts, judges and prints.  Each pattern runs in a
 * child of it, so that whatever a pattern does to its memory, files and
 * children ends with it, and that a pattern's random numbers depend on the
 * seed, the round and its place in the table alone.
 *
 * With -x the first process also keeps the books: after every pattern the
 * kernel must have exactly the pages, processes, files, inodes and pipes it
 * had before.  That holds only if nothing else runs; the runner sees to it,
 * and counts once more around the whole case.
 *
 * A few words in place of options make a case a small helper program, so
 * that patterns have something to exec: see assist().
 */
#include "stress.h"

struct run run = {.seed = 1, .seconds = 10, .top = 1, .pattern = "start"};

static char workdir[32];

/* more: is there time left for another turn of a pattern's loop? */
int
more(void)
{
	return uptime() - run.slice_end < 0;
}

/* leave: end a child that has found nothing wrong. */
void
leave(void)
{
	exit(OPS_BASE + run.ops);
}

/* self_path: the path of this program, for exec. */
void
self_path(char path[32])
{
	strcpy(path, "/stress/");
	strcpy(path + strlen(path), stress_case.name);
}

/*
 * assist: be a helper program if the first argument asks for one:
 *	@exit N      exit with status N
 *	@args ...    exit with a number that depends on all arguments
 * stress_argsum() in execstorm.c computes the same number.
 */
static void
assist(int argc, char **argv)
{
	uint64 sum = 0;

	if (argc < 2 || argv[1][0] != '@')
		return;
	if (strcmp(argv[1], "@exit") == 0 && argc == 3)
		exit(atoi(argv[2]));
	if (strcmp(argv[1], "@args") != 0)
		exit(BROKEN);
	for (int i = 2; i < argc; i++) {
		for (const char *s = argv[i]; *s; s++)
			sum = mix64(sum + (uchar)*s);
		sum = mix64(sum + 256);
	}
	exit(OPS_BASE + (int)(sum & 0xffffff));
}

/* ---- options */

static void
usage(const char *why, const char *what)
{
	fprintf(2,
		"%s: %s %s; usage: %s [-s seed] [-t seconds] [-n children] "
		"[-o pattern] [-p] [-x], patterns:",
		stress_case.name, why, what, stress_case.name);
	for (const struct pattern *p = stress_case.patterns; p->name; p++)
		fprintf(2, " %s", p->name);
	fprintf(2, "\n");
	exit(BROKEN);
}

static uint64
number(const char *opt, const char *text, uint64 least, uint64 most)
{
	uint64 value = 0;

	if (text == NULL)
		usage("a number must follow", opt);
	for (const char *s = text; *s; s++) {
		if (*s < '0' || *s > '9' || value > most)
			usage("not a number in range:", text);
		value = value * 10 + (uint64)(*s - '0');
	}
	if (*text == '\0' || value < least || value > most)
		usage("not a number in range:", text);
	return value;
}

static const char *
pattern_option(const char *text)
{
	for (const struct pattern *p = stress_case.patterns; p->name; p++)
		if (text != NULL && strcmp(p->name, text) == 0)
			return p->name;
	usage("no such pattern:", text ? text : "(none given)");
	return NULL;
}

static void
options(char **argv)
{
	for (argv++; *argv; argv++) {
		const char *opt = *argv;

		if (strcmp(opt, "-p") == 0) {
			run.progress = 1;
			continue;
		}
		if (strcmp(opt, "-x") == 0) {
			run.alone = 1;
			continue;
		}
		if (strcmp(opt, "-s") == 0)
			run.seed = number(opt, argv[1], 0, 999999999999);
		else if (strcmp(opt, "-t") == 0)
			run.seconds = (int)number(opt, argv[1], 1, 1000000);
		else if (strcmp(opt, "-n") == 0)
			run.children = (int)number(opt, argv[1], 1, 400);
		else if (strcmp(opt, "-o") == 0)
			run.only = pattern_option(argv[1]);
		else
			usage("no such option:", opt);
		argv++;
	}
}

/* ---- one pattern */

static void
run_pattern(const struct pattern *p, int slice)
{
	struct gate ready;
	int status, pid;

	/* The child starts when we no longer share a page we write to. */
	gate_make(&ready);
	pid = must_fork();
	if (pid == 0) {
		run.top = 0;
		run.ops = 0;
		gate_wait(&ready);
		run.slice_end = uptime() + slice;
		p->run();
		EXPECT(wait(0) == -1, "the pattern left a child behind");
		leave();
	}
	own_pages();
	gate_open(&ready);
	EXPECT(reap_one(&status) == pid, "wait did not return the pattern");
	if (status == FAIL || status == BROKEN || status == SKIPPED) {
		last_line((enum verdict)status);
		exit(status);
	}
	judge(status, 0);
}

/* ---- the books, for -x */

struct books {
	uint64 pages, procs, files, inodes, pipes;
};

/*
 * books_read: what the kernel has now.  Orphans that are on their way out
 * are waited for, but not for ever.
 */
static void
books_read(struct books *b, uint64 procs)
{
	struct kstat st;

	for (int polls = 0; polls < 50; polls++) {
		quiesce();
		must_kstat(&st);
		if (st.procs <= procs)
			break;
		pause(1);
	}
	b->pages = st.pages_free + st.pages_cached;
	b->procs = st.procs;
	b->files = st.files;
	b->inodes = st.inodes;
	b->pipes = st.pipes;
}

static void
books_compare(const struct books *was, const struct books *now)
{
	EXPECT(was->procs == now->procs, "%lu processes before, %lu after",
		was->procs, now->procs);
	EXPECT(was->pages == now->pages, "%lu free pages before, %lu after",
		was->pages, now->pages);
	EXPECT(was->files == now->files, "%lu open files before, %lu after",
		was->files, now->files);
	EXPECT(was->inodes == now->inodes, "%lu inodes before, %lu after",
		was->inodes, now->inodes);
	EXPECT(was->pipes == now->pipes, "%lu pipes before, %lu after",
		was->pipes, now->pipes);
}

static void
run_counted(const struct pattern *p, int slice)
{
	struct books before, after;

	if (!run.alone) {
		run_pattern(p, slice);
		return;
	}
	books_read(&before, NPROC);
	run_pattern(p, slice);
	books_read(&after, before.procs);
	books_compare(&before, &after);
}

/* ---- the whole run */

/* slice_ticks: time for one pattern, so that a round fits the run. */
static int
slice_ticks(void)
{
	int patterns = 0, slice;

	for (const struct pattern *p = stress_case.patterns; p->name; p++)
		patterns++;
	if (run.only)
		patterns = 1;
	slice = run.seconds * TICKS / (2 * patterns);
	if (slice < 2)
		return 2;
	return slice > TICKS ? TICKS : slice;
}

/* progress: with -p, a line about every second. */
static void
progress(void)
{
	static int last = -TICKS;
	int now = uptime();

	if (!run.progress || now - last < TICKS)
		return;
	say("progress ops=%d", run.ops);
	last = now;
}

static void
run_round(int round, int slice)
{
	for (int i = 0; stress_case.patterns[i].name; i++) {
		const struct pattern *p = &stress_case.patterns[i];

		if (run.only != NULL && strcmp(run.only, p->name) != 0)
			continue;
		if (round > 0 && uptime() - run.end >= 0)
			return;
		run.pattern = p->name;
		stream_set(mix64(
			run.seed + ((uint64)round << 40) + ((uint64)i << 32)));
		run_counted(p, slice);
		progress();
	}
}

static void
enter_workdir(void)
{
	if (!stress_case.files)
		return;
	strcpy(workdir, "/w.");
	strcpy(workdir + strlen(workdir), stress_case.name);
	tree_remove(workdir);
	must_mkdir(workdir);
	if (chdir(workdir) != 0)
		BREAK_OFF("chdir %s failed", workdir);
}

static void
leave_workdir(void)
{
	if (!stress_case.files)
		return;
	chdir("/");
	EXPECT(unlink(workdir) == 0, "%s is not empty in the end", workdir);
}

static void
size_up(void)
{
	struct kstat st;

	must_kstat(&st);
	run.harts = (int)st.harts;
	if (run.children == 0)
		run.children = stress_case.children;
	if (run.children == 0) /* some for every hart, and some to wait */
		run.children = run.harts < 2   ? 4
			       : run.harts < 8 ? 2 * run.harts
					       : 16;
	say("seed %lu, %d s, %d children", run.seed, run.seconds, run.children);
	if ((long)st.pages_free < stress_case.pages)
		SKIP("needs %d free pages, there are %lu; give it more memory",
			stress_case.pages, st.pages_free);
}

int
main(int argc, char **argv)
{
	int slice;

	assist(argc, argv);
	options(argv);
	size_up();
	slice = slice_ticks();
	enter_workdir();
	if (stress_case.prepare)
		stress_case.prepare();

	run.end = uptime() + run.seconds * TICKS;
	for (int round = 0; round == 0 || uptime() - run.end < 0; round++)
		run_round(round, slice);

	run.pattern = "end";
	if (stress_case.finish)
		stress_case.finish();
	leave_workdir();
	last_line(PASS);
	return PASS;
}
