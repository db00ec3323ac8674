/* SPDX-License-Identifier: MIT */
/*
 * failnth - whatever cannot be had, nothing is lost: failnth [-ls] [NAME...]
 *
 * Each scenario (the files beside this one hold them by topic) is run again
 * and again, in a new process each time: first without a fault, then with its
 * first allocation failing in the kernel, then with its second, until it has
 * none left to fail.  After each
 *
 *   - it worked all the same, or failed cleanly, or, if that is allowed, the
 *     process was killed;
 *   - free pages, processes, open files, inodes and pipes are as many as
 *     before, and the kernel's audit finds nothing.
 *
 * -l lists the scenarios.  -s tells the site of each fault, for failnth.py,
 * which knows the lines of the sources they stand for.  The first difference
 * ends the run with status 1.  Status 2: a scenario could not be set up.
 */
#include "user/tests/failnth/failnth.h"

/* The kernel's code begins here; failnth() counts from it. */
#define CODE 0xffffffc080000000UL

enum {
	PASSED = 0,
	POINTS_MAX = 2000,
	ORPHAN_TICKS = 100, /* for orphans to be gone */
	SETTLE_TICKS = 10,  /* for the rest */
};

static const struct scenario *const groups[] = {
	fork_scenarios,
	exec_scenarios,
	fault_scenarios,
	copy_scenarios,
	sbrk_scenarios,
	file_scenarios,
	call_scenarios,
};
enum { NGROUPS = sizeof(groups) / sizeof(groups[0]) };

int nth;
static int tell; /* -s */

/* One run of a scenario, and how all of its runs ended. */
struct trial {
	const struct scenario *s;
	int points; /* faults injected */
	int failed;
	int killed;
	int worked;
	int site; /* of the fault in this run; 0: there was none */
};

/* ---- what there is in the machine */

struct census {
	long pages;
	long procs;
	long files;
	long inodes;
	long pipes;
};

static void
census_take(struct census *c)
{
	struct kstat st;

	quiesce();
	if (kstat(&st, sizeof(st)) != 0) {
		printf("failnth: no kstat(): the disk is not the kernel's\n");
		exit(BROKEN);
	}
	c->pages = st.pages_free + st.pages_cached;
	c->procs = st.procs;
	c->files = st.files;
	c->inodes = st.inodes;
	c->pipes = st.pipes;
}

static int
census_equal(const struct census *a, const struct census *b)
{
	return a->pages == b->pages && a->procs == b->procs &&
	       a->files == b->files && a->inodes == b->inodes &&
	       a->pipes == b->pipes;
}

/* Orphans of a killed process may take a while to be gone. */
static int
census_settled(const struct census *before)
{
	int start = uptime(), limit;
	struct census now;

	do {
		census_take(&now);
		if (census_equal(before, &now))
			return 1;
		limit = now.procs > before->procs ? ORPHAN_TICKS : SETTLE_TICKS;
	} while (uptime() - start < limit);
	printf("failnth: now and before: pages %ld %ld, processes %ld %ld, "
	       "files %ld %ld, inodes %ld %ld, pipes %ld %ld\n",
		now.pages, before->pages, now.procs, before->procs, now.files,
		before->files, now.inodes, before->inodes, now.pipes,
		before->pipes);
	return 0;
}

/* ---- one run */

static void
files_remove(void)
{
	unlink(DIR_A "/" FILE_A);
	unlink(DIR_A "/" DIR_A);
	unlink(DIR_A);
	unlink(FILE_A);
	unlink(FILE_B);
}

/* Say what went wrong; returns the exit status for it. */
static int
complain(const struct trial *t, int status, const char *what)
{
	printf("failnth: %s, n=%d, ", t->s->name, nth);
	if (t->site != 0)
		printf("a fault was injected at %p: %s\n",
			(void *)(CODE + t->site), what);
	else
		printf("no fault was injected: %s\n", what);
	return status;
}

/* Run the scenario in a child; its exit status. */
static int
run_child(struct trial *t)
{
	int status, pid = fork();

	if (pid == 0)
		exit(t->s->run());
	if (pid < 0 || wait(&status) != pid) {
		printf("failnth: cannot start a process\n");
		exit(BROKEN);
	}
	t->site = failnth(-pid);
	return status;
}

/* Count how a run ended; 0, or the exit status if it must not end so. */
static int
judge(struct trial *t, int status)
{
	if (status == BROKEN)
		return complain(t, BROKEN, "could not be set up");
	if (status != WORKED && t->site == 0)
		return complain(t, BAD, "did not work");
	switch (status) {
	case WORKED:
		t->worked += t->site != 0;
		return 0;
	case FAILED:
		t->failed++;
		return 0;
	case -1:
		t->killed++;
		if (t->s->flags & DIES)
			return 0;
		return complain(t, BAD, "killed, and not refused");
	}
	return complain(t, BAD, "did not fail cleanly");
}

static const char *
outcome_name(int status)
{
	if (status == WORKED)
		return "worked";
	return status == FAILED ? "failed" : "killed";
}

static void
tell_site(const struct trial *t, int status)
{
	if (tell && t->site != 0)
		printf("site %p %s n=%d %s\n", (void *)(CODE + t->site),
			t->s->name, nth, outcome_name(status));
}

/* Run it with the fault in allocation nth; 0, or the exit status. */
static int
run_once(struct trial *t)
{
	struct census before;
	int status, bad, findings, settled;

	files_remove();
	census_take(&before);
	status = run_child(t);
	bad = judge(t, status);
	if (bad)
		return bad;
	tell_site(t, status);
	/* The first run leaves pages behind that this process touched. */
	settled = nth == 0 || census_settled(&before);
	findings = audit();
	if (!settled)
		return complain(t, BAD, "something is lost");
	if (findings < 0)
		return complain(t, BROKEN, "could not be audited");
	if (findings > 0)
		return complain(t, BAD, "the audit has findings");
	if (!arena_intact())
		return complain(t, BAD, "the parent's memory has changed");
	return 0;
}

/* ---- all runs of a scenario */

static int
run_scenario(const struct scenario *s, int *points)
{
	struct trial t = {.s = s};
	int bad;

	for (nth = 0; nth <= POINTS_MAX; nth++) {
		bad = run_once(&t);
		if (bad)
			return bad;
		if (nth > 0 && t.site == 0)
			break;
		t.points += nth > 0;
	}
	if (nth > POINTS_MAX)
		return complain(&t, BROKEN, "does not come to an end");
	printf("%-18s %6d  %6d  %6d  %6d\n", s->name, t.points, t.failed,
		t.killed, t.worked);
	*points += t.points;
	return 0;
}

/* Is the scenario among those named, if any are? */
static int
chosen(const struct scenario *s, char **names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], s->name) == 0)
			return 1;
	return n == 0;
}

static int
known(const char *name)
{
	for (int g = 0; g < NGROUPS; g++)
		for (const struct scenario *s = groups[g]; s->name; s++)
			if (strcmp(s->name, name) == 0)
				return 1;
	return 0;
}

static int
run_all(char **names, int n)
{
	int points = 0, scenarios = 0, bad;

	printf("%-18s %6s  %6s  %6s  %6s\n", "scenario", "points", "failed",
		"killed", "worked");
	for (int g = 0; g < NGROUPS; g++)
		for (const struct scenario *s = groups[g]; s->name; s++) {
			if (!chosen(s, names, n))
				continue;
			bad = run_scenario(s, &points);
			if (bad)
				return bad;
			scenarios++;
		}
	files_remove();
	printf("failnth: %d scenarios, %d faults injected, all is well\n",
		scenarios, points);
	return PASSED;
}

static int
list(void)
{
	for (int g = 0; g < NGROUPS; g++)
		for (const struct scenario *s = groups[g]; s->name; s++)
			printf("%s\n", s->name);
	return PASSED;
}

int
main(int argc, char **argv)
{
	argc--, argv++;
	if (argc > 0 && strcmp(argv[0], "-x") == 0)
		return WORKED; /* exec_program has come this far */
	if (argc > 0 && strcmp(argv[0], "-l") == 0)
		return list();
	if (argc > 0 && strcmp(argv[0], "-s") == 0)
		argc--, argv++, tell = 1;
	for (int i = 0; i < argc; i++)
		if (!known(argv[i])) {
			printf("failnth: there is no scenario %s; "
			       "failnth -l lists them\n",
				argv[i]);
			return BROKEN;
		}
	arena_make();
	return run_all(argv, argc);
}
