/* SPDX-License-Identifier: MIT */
/*
 * runstress - run stress cases, one after the other, and judge them.
 *
 *	runstress [-s seed] [-t seconds] [-n children] [-l limit]
 *		  [-o name,name...] [-p]
 *
 * A case is a program in /stress or one of the extra programs in the table
 * below.  Each runs in a fresh process whose output we read through a pipe.
 * A watchdog, another process, kills the case and all its descendants when
 * the time limit (-l, in seconds) is over.  When the case has ended, and the
 * kernel has given back what it merely caches, everything is counted: free
 * pages, processes, open files, inodes and pipes must be exactly as many as
 * before, whatever the case itself says.
 *
 * Output is TAP 13; everything else is in comment lines.  With -p, lines
 *	# tick NAME TENTHS OPS
 * show progress.  Exit status: 0 all passed or were skipped, 1 something
 * failed, 2 nothing failed but something was broken, or bad usage.
 *
 * The seed of a case derives from the master seed and the name of the case,
 * so that it is the same when the case is run alone.
 */
#include <stddef.h>
#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "user/user.h"
#include "user/stampede.h"

enum {
	MAX_CASES = 40,
	MAX_WORDS = 12, /* of a command line */
	TICKS = 10,     /* of uptime() a second */
	LINE_MAX = 300,
	SETTLE = 50, /* polls, a tick apart, for orphans to end */
	KILL_ROUNDS = 30,
};

enum verdict { PASS, FAIL, BROKEN, SKIPPED, NVERDICT };

static const char *const verdict_name[NVERDICT] = {
	[PASS] = "pass",
	[FAIL] = "fail",
	[BROKEN] = "broken",
	[SKIPPED] = "skipped",
};

/* Programs that are no stress cases, but stress.  %t and %s are filled in. */
static const struct extra {
	const char *name;
	const char *words[6];
	int least_limit; /* seconds, if the limit is not given */
} extras[] = {
	{"cowtest", {"cowtest"}, 120},
	{"usertests", {"usertests", "-q"}, 600},
	{"grind", {"grind", "-p", "-t", "%t", "-s", "%s"}, 0},
};

struct job {
	char name[DIRSIZ + 1];
	const struct extra *extra; /* or NULL: /stress/name */
};

struct result {
	enum verdict verdict;
	char why[LINE_MAX]; /* unless passed */
	int ops;
	int tenths; /* of a second it took */
	long leaked;
};

static struct {
	uint64 seed;
	int seconds;
	int children; /* 0: each case's own */
	int limit;    /* seconds; 0: from the running time */
	const char *only;
	int progress;
} opt = {.seed = 1, .seconds = 10};

static struct job jobs[MAX_CASES];
static int njobs;
static struct kstat before, after;
static struct result result;
static int wait_status;

/* ---- small helpers */

static void
die(const char *what, const char *name)
{
	fprintf(2, "runstress: %s%s\n", what, name);
	exit(BROKEN);
}

static int
starts_with(const char *s, const char *head)
{
	while (*head)
		if (*s++ != *head++)
			return 0;
	return 1;
}

/* print_number: decimal digits of value to text; returns text. */
static char *
print_number(char *text, uint64 value)
{
	char digits[24];
	int n = 0;
	char *p = text;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (n > 0)
		*p++ = digits[--n];
	*p = '\0';
	return text;
}

/* job_seed: what the case called `name` gets from the master seed. */
static uint64
job_seed(const char *name)
{
	uint64 x = opt.seed + 0x9e3779b97f4a7c15UL;

	for (; *name; name++) {
		x = (x ^ (uchar)*name) * 0xbf58476d1ce4e5b9UL;
		x ^= x >> 31;
	}
	return x % 1000000000;
}

extern char end[];
extern char data_start[] __asm__(".startof..data");

/*
 * own_pages: write to all our pages, so that none is shared any more.  Else
 * a case that exhausts memory might rightly get us killed.
 */
static void
own_pages(void)
{
	volatile char *stack = (char *)PGROUNDDOWN(r_sp());

	for (uint64 p = (uint64)data_start; p < (uint64)end;
		p = PGROUNDDOWN(p) + PGSIZE) {
		volatile char *byte = (char *)p;

		*byte = *byte;
	}
	*stack = *stack;
}

/* ---- which cases there are */

static void
add_job(const char *name, const struct extra *extra)
{
	if (njobs == MAX_CASES)
		die("more cases than MAX_CASES, at ", name);
	strcpy(jobs[njobs].name, name);
	jobs[njobs++].extra = extra;
}

/* sort_jobs: by name, whatever order the directory has. */
static void
sort_jobs(void)
{
	for (int i = 1; i < njobs; i++) {
		struct job job = jobs[i];
		int at = i;

		for (; at > 0 && strcmp(jobs[at - 1].name, job.name) > 0; at--)
			jobs[at] = jobs[at - 1];
		jobs[at] = job;
	}
}

static void
find_jobs(void)
{
	char name[DIRSIZ + 1];
	struct dirent de;
	int fd = open("/stress", O_RDONLY);

	if (fd < 0)
		die("cannot open /stress: is this the right disk image?", "");
	while (read(fd, &de, sizeof(de)) == sizeof(de)) {
		if (de.inum == 0 || de.name[0] == '.')
			continue;
		memmove(name, de.name, DIRSIZ);
		name[DIRSIZ] = '\0';
		add_job(name, NULL);
	}
	close(fd);
	sort_jobs();
	for (uint i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
		add_job(extras[i].name, &extras[i]);
}

/* next_name: copy the next word of a list with commas; 0 at its end. */
static int
next_name(const char **list, char name[DIRSIZ + 1])
{
	int len = 0;

	while (**list == ',')
		(*list)++;
	while (**list != '\0' && **list != ',') {
		if (len < DIRSIZ)
			name[len++] = **list;
		(*list)++;
	}
	name[len] = '\0';
	return len;
}

static int
job_index(const char *name)
{
	for (int i = 0; i < njobs; i++)
		if (strcmp(jobs[i].name, name) == 0)
			return i;
	return -1;
}

static void
unknown_job(const char *name)
{
	fprintf(2, "runstress: no case %s; there are:", name);
	for (int i = 0; i < njobs; i++)
		fprintf(2, " %s", jobs[i].name);
	fprintf(2, "\n");
	exit(BROKEN);
}

/* select_jobs: leave those of -o, in the order of the full list. */
static void
select_jobs(void)
{
	static char wanted[MAX_CASES];
	const char *list = opt.only;
	char name[DIRSIZ + 1];
	int kept = 0;

	if (list == NULL)
		return;
	while (next_name(&list, name)) {
		int i = job_index(name);

		if (i < 0)
			unknown_job(name);
		wanted[i] = 1;
	}
	for (int i = 0; i < njobs; i++)
		if (wanted[i])
			jobs[kept++] = jobs[i];
	njobs = kept;
	if (njobs == 0)
		die("-o names no case", "");
}

/* ---- options */

static void
usage(const char *why, const char *what)
{
	fprintf(2,
		"runstress: %s %s; usage: runstress [-s seed] [-t seconds] "
		"[-n children] [-l limit] [-o name,...] [-p]\n",
		why, what);
	exit(BROKEN);
}

static uint64
number(const char *name, const char *text, uint64 most)
{
	uint64 value = 0;

	if (text == NULL || *text == '\0')
		usage("a number must follow", name);
	for (const char *s = text; *s; s++) {
		if (*s < '0' || *s > '9' || value > most)
			usage("not a number in range:", text);
		value = value * 10 + (uint64)(*s - '0');
	}
	if (value > most)
		usage("not a number in range:", text);
	return value;
}

static void
options(char **argv)
{
	for (argv++; *argv; argv++) {
		const char *name = *argv;

		if (strcmp(name, "-p") == 0) {
			opt.progress = 1;
			continue;
		}
		if (strcmp(name, "-s") == 0)
			opt.seed = number(name, argv[1], 999999999999);
		else if (strcmp(name, "-t") == 0)
			opt.seconds = (int)number(name, argv[1], 1000000);
		else if (strcmp(name, "-n") == 0)
			opt.children = (int)number(name, argv[1], 400);
		else if (strcmp(name, "-l") == 0)
			opt.limit = (int)number(name, argv[1], 10000000);
		else if (strcmp(name, "-o") == 0 && argv[1] != NULL)
			opt.only = argv[1];
		else
			usage("what is", name);
		argv++;
	}
	if (opt.seconds == 0)
		usage("not a number in range:", "0");
}

/* ---- starting a case */

static char word_seed[24], word_seconds[24], word_children[24];

/* exec_stress: become /stress/NAME. */
static void
exec_stress(const struct job *job)
{
	static char path[32];
	static char *argv[MAX_WORDS];
	int n = 0;

	strcpy(path, "/stress/");
	strcpy(path + strlen(path), job->name);
	argv[n++] = path;
	argv[n++] = "-s";
	argv[n++] = word_seed;
	argv[n++] = "-t";
	argv[n++] = word_seconds;
	argv[n++] = "-x";
	if (opt.children) {
		argv[n++] = "-n";
		argv[n++] = word_children;
	}
	if (opt.progress)
		argv[n++] = "-p";
	argv[n] = NULL;
	exec(path, argv);
}

static void
exec_extra(const struct extra *extra)
{
	static char path[32];
	static char *argv[MAX_WORDS];
	int n = 0;

	path[0] = '/';
	strcpy(path + 1, extra->words[0]);
	for (; n < 6 && extra->words[n] != NULL; n++) {
		const char *word = extra->words[n];

		if (strcmp(word, "%t") == 0)
			word = word_seconds;
		if (strcmp(word, "%s") == 0)
			word = word_seed;
		argv[n] = (char *)(uint64)word;
	}
	argv[n] = NULL;
	exec(path, argv);
}

/* start: start the case behind a gate; output goes to the pipe. */
static int
start(const struct job *job, int gate[2], int out[2])
{
	char c;
	int pid = fork();

	if (pid != 0)
		return pid;
	close(gate[1]);
	read(gate[0], &c, 1); /* until the watchdog is there, too */
	close(gate[0]);
	close(1);
	close(2);
	dup(out[1]);
	dup(out[1]);
	close(out[0]);
	close(out[1]);
	if (job->extra)
		exec_extra(job->extra);
	else
		exec_stress(job);
	printf("%s: broken: cannot be executed\n", job->name);
	exit(BROKEN);
}

/*
 * kill_family: kill process first and all that were born since; pids only
 * grow, and nobody but the case makes any.  Spares `me` and its parent.
 */
static void
kill_family(int first, int me)
{
	int newest = fork();

	if (newest == 0)
		exit(0);
	if (newest > 0)
		wait(0);
	else
		newest = first + 10000; /* no slot left: guess */
	for (int pid = first; pid <= newest; pid++)
		if (pid != me)
			kill(pid);
}

/* watchdog: end the case when the limit is over; exits 1 if it did. */
static int
watchdog(int pid, int limit, int gate[2], int out[2])
{
	int me = fork(), stop;

	if (me != 0)
		return me;
	me = getpid();
	close(out[0]);
	close(out[1]);
	pause(0);
	own_pages();
	stop = uptime() + limit * TICKS;
	close(gate[0]);
	close(gate[1]);
	while (uptime() - stop < 0)
		pause(TICKS);
	for (int i = 0; i < KILL_ROUNDS; i++) {
		kill_family(pid, me);
		pause(1);
	}
	exit(1);
}

/* ---- reading what it prints */

/*
 * take_line: a line of output.  Of NAME: progress, verdict and reason we
 * keep what we need; everything but progress goes on to the console.
 */
static void
take_line(const struct job *job, const char *text, int started)
{
	const char *s = text;

	if (starts_with(s, job->name) && s[strlen(job->name)] == ':') {
		s += strlen(job->name) + 2;
		if (starts_with(s, "progress ops=")) {
			printf("# tick %s %d %s\n", job->name,
				uptime() - started, s + 13);
			return;
		}
		for (int v = 0; v < NVERDICT; v++) {
			uint len = strlen(verdict_name[v]);

			if (!starts_with(s, verdict_name[v]))
				continue;
			if (s[len] == ':' && result.why[0] == '\0')
				strcpy(result.why, s + len + 2);
			if (starts_with(s + len, " ops="))
				result.ops = atoi(s + len + 5);
		}
	}
	if (text[0] != '\0')
		printf("# %s\n", text);
}

/* read_output: until all who could write are gone. */
static void
read_output(const struct job *job, int fd, int started)
{
	static char piece[128], line[LINE_MAX - 8];
	int len = 0, got;

	while ((got = read(fd, piece, sizeof(piece))) > 0) {
		for (int i = 0; i < got; i++) {
			if (piece[i] != '\n' && len < (int)sizeof(line) - 1) {
				line[len++] = piece[i];
				continue;
			}
			line[len] = '\0';
			len = 0;
			take_line(job, line, started);
			if (piece[i] != '\n')
				line[len++] = piece[i];
		}
	}
	line[len] = '\0';
	if (len > 0)
		take_line(job, line, started);
}

/* ---- counting */

/* settle: read the counters once no more than `procs` processes are left. */
static void
settle(struct kstat *st, uint64 procs)
{
	for (int polls = 0; polls < SETTLE; polls++) {
		quiesce();
		if (kstat(st, sizeof(*st)) < 0)
			die("kstat failed", "");
		if (st->procs <= procs)
			return;
		pause(1);
	}
}

static long
pages(const struct kstat *st)
{
	return (long)(st->pages_free + st->pages_cached);
}

/* compare: a line for each count which differs; returns how many do. */
static int
compare(void)
{
	const struct {
		const char *name;
		long was, is;
	} counts[] = {
		{"pages", pages(&before), pages(&after)},
		{"procs", (long)before.procs, (long)after.procs},
		{"files", (long)before.files, (long)after.files},
		{"inodes", (long)before.inodes, (long)after.inodes},
		{"pipes", (long)before.pipes, (long)after.pipes},
	};
	int differ = 0;

	for (uint i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (counts[i].was == counts[i].is)
			continue;
		printf("# leak %s %d %d\n", counts[i].name, (int)counts[i].was,
			(int)counts[i].is);
		differ++;
	}
	return differ;
}

/*
 * account: the kernel's audit of itself; a line, and 1, if it found more than
 * after the case before: what is lost stays lost, but once is enough.
 */
static int
account(void)
{
	static int known;
	int findings = audit(), more = findings > known;

	if (findings < 0) {
		printf("# audit: the machine does not come to rest\n");
		return 1;
	}
	if (findings > 0)
		printf("# audit: %d findings%s\n", findings,
			more ? "" : ", as before");
	known = findings;
	return more;
}

/* ---- one case */

static int
limit_of(const struct job *job)
{
	int limit = opt.seconds * 3 + 60;

	if (opt.limit)
		return opt.limit;
	if (job->extra && job->extra->least_limit > limit)
		return job->extra->least_limit;
	return limit;
}

static void
finding(enum verdict v, const char *why)
{
	result.verdict = v;
	if (result.why[0] == '\0' || v == FAIL)
		strcpy(result.why, why);
}

/* judge_status: the verdict that the exit status of the case stands for. */
static void
judge_status(int status)
{
	switch (status) {
	case PASS:
		result.verdict = PASS;
		return;
	case FAIL:
	case BROKEN:
	case SKIPPED:
		result.verdict = (enum verdict)status;
		if (result.why[0] == '\0')
			strcpy(result.why, "it said no more");
		return;
	case -1:
		finding(FAIL, "the case was killed");
		return;
	default:
		finding(FAIL, "the case ended with a strange status");
	}
}

/*
 * reap_both: reap the case and its watchdog, in whatever order they end;
 * the watchdog is needed until the case has ended.
 */
static void
reap_both(int pid, int dog)
{
	int status = FAIL, dog_status = 0, got;

	do {
		got = wait(&wait_status);
		if (got == pid)
			status = wait_status;
		if (got == dog)
			dog_status = wait_status;
	} while (got != pid && got != -1);
	if (dog_status == 0) {
		kill(dog);
		while ((got = wait(&wait_status)) != dog && got != -1)
			;
		dog_status = wait_status;
	}
	judge_status(status);
	if (dog_status == 1)
		finding(FAIL, "time limit");
}

static void
run_job(const struct job *job)
{
	int gate[2], out[2], pid, dog, started;

	memset(&result, 0, sizeof(result));
	print_number(word_seed, job_seed(job->name));
	settle(&before, NPROC);
	started = uptime();
	if (pipe(gate) != 0 || pipe(out) != 0)
		die("cannot make a pipe for ", job->name);
	pid = start(job, gate, out);
	dog = pid < 0 ? -1 : watchdog(pid, limit_of(job), gate, out);
	if (dog < 0)
		die("cannot fork for ", job->name);
	own_pages();
	close(out[1]);
	close(gate[0]);
	close(gate[1]);
	read_output(job, out[0], started);
	close(out[0]);
	reap_both(pid, dog);
	result.tenths = uptime() - started;

	settle(&after, before.procs);
	if (after.procs > before.procs) {
		kill_family(pid, -1);
		finding(FAIL, "processes are left");
	}
	result.leaked = pages(&before) - pages(&after);
	if (compare() > 0 && result.verdict != FAIL)
		finding(FAIL, "counts differ");
	if (account() > 0 && result.verdict != FAIL)
		finding(FAIL, "the kernel's audit found something");
}

static void
print_result(int index, const char *name)
{
	int bad = result.verdict == FAIL || result.verdict == BROKEN;

	printf("%s %d - %s # ", bad ? "not ok" : "ok", index, name);
	if (result.verdict == SKIPPED)
		printf("SKIP %s", result.why);
	else if (result.verdict == BROKEN)
		printf("BROKEN %s", result.why);
	else
		printf("ops=%d secs=%d.%d leaked=%d", result.ops,
			result.tenths / 10, result.tenths % 10,
			(int)result.leaked);
	printf("\n");
	if (result.verdict == FAIL)
		printf("# why %s: %s\n", name, result.why);
}

/*
 * warm_up: go once through all that a run does, so that what the kernel
 * allocates at first use is not taken for a leak of the first case.
 */
static void
warm_up(void)
{
	static const struct extra nothing = {"echo", {"echo"}, 0};
	static const struct job job = {"echo", &nothing};

	run_job(&job);
	if (result.verdict != PASS)
		printf("# the warm-up: %s\n", result.why);
}

int
main(int argc, char **argv)
{
	int count[NVERDICT] = {0};

	options(argv);
	find_jobs();
	select_jobs();
	print_number(word_seconds, (uint64)opt.seconds);
	print_number(word_children, (uint64)opt.children);

	printf("TAP version 13\n1..%d\n", njobs);
	print_number(word_seed, opt.seed);
	printf("# runstress: seed %s, %d s each\n", word_seed, opt.seconds);
	warm_up();
	for (int i = 0; i < njobs; i++) {
		print_number(word_seed, job_seed(jobs[i].name));
		printf("# start %s seed %s\n", jobs[i].name, word_seed);
		run_job(&jobs[i]);
		print_result(i + 1, jobs[i].name);
		count[result.verdict]++;
	}
	printf("# %d passed, %d failed, %d broken, %d skipped\n", count[PASS],
		count[FAIL], count[BROKEN], count[SKIPPED]);
	if (count[FAIL])
		return FAIL;
	return count[BROKEN] ? BROKEN : PASS;
}
