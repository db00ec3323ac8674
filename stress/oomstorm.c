/* SPDX-License-Identifier: MIT */
/*
 * oomstorm - every call meets the moment when no page is left.
 *
 * Aimed at: a copyout that cannot break a share and writes to it anyway; a
 * fault handler or copyout that panics; pages lost when fork() fails half
 * way, or dropped twice on the way out; exec() that takes down its caller;
 * free pages on another hart's list that nobody finds.
 *
 * A hog holds all memory but a number of pages that we choose.  What may
 * happen then: a call fails with -1; a process that stores to a page which
 * it shares is killed.  What may not: anybody else sees a changed byte, a
 * call that needs no memory fails, a process that owns its pages is killed,
 * or (counted by -x and the runner) a page is gone in the end.
 *
 * A process that has forked shares its stack, and so may be killed at any
 * store; therefore each attempt at fork is made by a process which is
 * expendable, and those that must survive do not fork while memory is out.
 */
#include "stress/lib/stress.h"

enum {
	UNITS = 2,
	WHO = 800,
	SWEEP = 36, /* from no free page up to this many, each is tried */
	BATCH = 12, /* processes that make one attempt each */
	BURST = 12, /* attempts of a process in a wave */
	BOMB = 300, /* pages for the fork bombs */
	LEVELS = 7, /* each bomb wants to be 2 to this power processes */
	GLUTTONS = 6,
	LAZY_MIB = 1024,
};

static struct span span;
static struct gate ready; /* children open it, the parent waits */
static struct gate gate;
static int order[2]; /* what the next free process shall attempt */
static char path[32];

/* ---- attempts */

/* across: where n of the bytes that the kernel writes are in each unit. */
static void *
across(int n)
{
	return span.base + UNIT - n;
}

/* mend_across: after the kernel has written there, so nothing is shared. */
static void
mend_across(void)
{
	page_fill(span_site(&span, SITES - 1), WHO + SITES - 1);
	page_fill(span_site(&span, SITES), WHO + SITES);
}

/* A child that wait() has no memory to report is not lost. */
static void
try_fork(void)
{
	int pid = fork();

	if (pid == 0)
		exit(OPS_BASE);
	if (pid < 0)
		return;
	if (wait(across(2)) == pid)
		mend_across();
	else
		EXPECT(wait(0) == pid, "the child is lost");
}

static void
try_fork_write(void)
{
	int pid = fork();

	page_fill(span_site(&span, 1), pid == 0 ? 1 : 2);
	if (pid == 0)
		exit(OPS_BASE);
	EXPECT_PAGE(span_site(&span, 1), 2);
	page_fill(span_site(&span, 1), WHO + 1);
	if (pid > 0)
		wait(0);
}

static void
try_exec(void)
{
	char status[] = "65"; /* OPS_BASE + 1 */
	char *argv[] = {path, "@exit", status, NULL};

	EXPECT(exec(path, argv) == -1, "exec returned");
	EXPECT_SPAN(&span, WHO);
}

static void
try_sbrk(void)
{
	int pages = 1 + below(8);
	char *mem = sbrk(pages * PGSIZE);

	if (mem == SBRK_ERROR)
		return;
	for (int p = 0; p < pages; p++)
		EXPECT(mem[p * PGSIZE] == 0, "granted page is not zero");
	for (int p = 0; p < pages; p++)
		mem[p * PGSIZE] = 1;
	sbrk(-pages * PGSIZE);
}

static void
try_lazy(void)
{
	char *mem = sbrklazy(2 * UNIT);

	if (mem == SBRK_ERROR)
		return;
	for (int p = 0; p < 4; p++)
		mem[p * UNIT / 2] = 1;
}

static void
try_pipe(void)
{
	int fds[2];

	if (pipe(across(4)) != 0)
		return;
	memmove(fds, across(4), sizeof(fds));
	mend_across();
	EXPECT(write(fds[1], "x", 1) == 1, "a new pipe takes no byte");
	close(fds[0]);
	close(fds[1]);
}

static void
try_store(void)
{
	int site = below(span_sites(&span));

	page_fill(span_site(&span, site), 4711);
	for (int i = 0; i < span_sites(&span); i++)
		EXPECT_PAGE(span_site(&span, i), i == site ? 4711 : WHO + i);
	page_fill(span_site(&span, site), WHO + site);
}

/* try_read: the kernel is to write to shared pages; it may refuse. */
static void
try_read(void)
{
	int fd = open("file", O_RDONLY);
	char *to = across(50);
	int got;

	EXPECT(fd >= 0, "open fails without memory");
	got = read(fd, to, 100);
	EXPECT(got == -1 || (got >= 50 && got <= 100), "read returned %d", got);
	for (int i = 0; i < got; i++)
		EXPECT(to[i] == 'f', "byte %d was not read", i);
	close(fd);
}

static void
try_stat(void)
{
	int fd = open("file", O_RDONLY);
	struct stat *to = across(12);
	struct stat got;

	if (fstat(fd, to) == 0) {
		memmove(&got, to, sizeof(got));
		EXPECT(got.type == T_FILE, "fstat: type %d", got.type);
	}
	close(fd);
}

/* Files take no pages of their own: this must work. */
static void
try_file(void)
{
	int fd = open("file", O_CREATE | O_RDWR);

	EXPECT(fd >= 0, "open fails without memory");
	EXPECT(write(fd, "ffff", 4) == 4, "write fails without memory");
	close(fd);
}

static const struct attempt {
	void (*run)(void);
	int how;  /* MAY_DIE, or 0 if it must come back alive */
	int last; /* leaves the span changed, or nobody to go on */
} attempts[] = {
	{try_fork, MAY_DIE, 0},
	{try_fork_write, MAY_DIE, 0},
	{try_exec, MAY_DIE, 1},
	{try_sbrk, 0, 0},
	{try_lazy, MAY_DIE, 0},
	{try_pipe, 0, 0},
	{try_store, MAY_DIE, 0},
	{try_read, 0, 1},
	{try_stat, 0, 1},
	{try_file, 0, 0},
};

static void
make_file(void)
{
	static char text[128];

	self_path(path);
	memset(text, 'f', sizeof(text));
	file_make("file", text, sizeof(text));
}

static void
remove_file(void)
{
	must_unlink("file");
}

static void
set_up(void)
{
	span_make(&span, UNITS);
	span_fill(&span, WHO);
}

/* ---- each number of free pages, one attempt at a time */

static void
attempt_on_order(int i)
{
	uchar which;

	close(order[1]);
	own_pages();
	gate_open(&ready);
	if (read(order[0], &which, 1) != 1)
		return; /* not needed */
	attempts[which].run();
	run.ops++;
}

static void
sweep_batch(struct hog *hog, int pages, int which)
{
	hog_leave(hog, BATCH * ROOM_PER_CHILD);
	must_pipe(order);
	gate_make(&ready);
	for (int i = 0; i < BATCH; i++)
		spawn(attempt_on_order, i);
	own_pages();
	gate_wait(&ready);
	for (int i = 0; i < BATCH; i++) {
		uchar now = (uchar)which;

		hog_leave(hog, pages + i);
		must_write(order[1], &now, 1);
		reap(1, attempts[now].how);
		for (int s = 0; s < span_sites(&span); s++)
			EXPECT_PAGE(span_site(&span, s), WHO + s);
	}
	close(order[0]);
	close(order[1]);
}

/*
 * With n pages left, for every n: so every allocation inside each call is
 * the one that fails.
 */
static void
sweep(void)
{
	static int which[ARRAY_LEN(attempts)];
	struct hog hog;

	for (int i = 0; i < ARRAY_LEN(which); i++)
		which[i] = i;
	shuffle(which, ARRAY_LEN(which));
	set_up();
	hog_start(&hog);
	for (int i = 0; i < ARRAY_LEN(which); i++)
		for (int pages = 0; pages < SWEEP; pages += BATCH)
			sweep_batch(&hog, pages, which[i]);
	hog_stop(&hog);
}

/* ---- everybody at once */

static void
attacker(int index)
{
	own_pages();
	gate_open(&ready);
	gate_wait(&gate);
	for (int i = 0; i < BURST; i++) {
		const struct attempt *a = &attempts[below(ARRAY_LEN(attempts))];

		if (a->last && i < BURST - 1)
			continue;
		run.ops++;
		a->run();
	}
}

static void
wave(void)
{
	int n = room(run.children, 2);
	struct hog hog;

	set_up();
	hog_start(&hog);
	do {
		hog_leave(&hog, n * ROOM_PER_CHILD);
		gate_make(&ready);
		gate_make(&gate);
		for (int i = 0; i < n; i++)
			spawn(attacker, i);
		own_pages();
		gate_wait(&ready);
		hog_leave(&hog, below(n * 8));
		gate_open(&gate);
		reap(n, MAY_DIE);
		EXPECT_SPAN(&span, WHO);
	} while (more());
	hog_stop(&hog);
}

/* ---- more is shared than there is memory to break it */

static void
breaker(int i)
{
	int sites = span_sites(&span), first = below(sites);

	own_pages();
	gate_open(&ready);
	gate_wait(&gate);
	for (int s = 0; s < sites; s++)
		page_fill(span_site(&span, (first + s) % sites), i * 100);
	for (int s = 0; s < sites; s++)
		EXPECT_PAGE(span_site(&span, s), i * 100);
	run.ops += sites;
}

static void
burst(void)
{
	int n = room(run.children, 1);
	struct hog hog;

	set_up();
	hog_start(&hog);
	do {
		hog_leave(&hog, n * ROOM_PER_CHILD);
		gate_make(&ready);
		gate_make(&gate);
		for (int i = 0; i < n; i++)
			spawn(breaker, i);
		own_pages();
		gate_wait(&ready);
		hog_leave(&hog, n * span_sites(&span) / 2);
		gate_open(&gate);
		reap(n, MAY_DIE);
		EXPECT_SPAN(&span, WHO);
	} while (more());
	hog_stop(&hog);
}

/* ---- lazy memory runs out under the hands of all */

static void
glutton(int i)
{
	char *mem = sbrklazy(LAZY_MIB << 20);

	gate_wait(&gate);
	if (mem == SBRK_ERROR)
		return;
	for (int p = 0; p < LAZY_MIB * 256; p++)
		*(int *)(mem + (long)p * PGSIZE) = p;
	EXPECT(0, "%d MiB were written, more than there are", LAZY_MIB);
}

static void
lazy(void)
{
	struct kstat st;
	int n = run.children < GLUTTONS ? run.children : GLUTTONS;

	must_kstat(&st);
	if (st.pages_total >= LAZY_MIB * 256UL)
		return; /* it would fit */
	set_up();
	gate_make(&gate);
	for (int i = 0; i < n; i++)
		spawn(glutton, i);
	own_pages();
	gate_open(&gate);
	EXPECT(reap(n, MAY_DIE) == n, "not all were killed");
	EXPECT_SPAN(&span, WHO);
	run.ops += n;
}

/* ---- a fork bomb in a small room */

static void
bomb(int unused)
{
	own_pages();
	gate_open(&ready);
	gate_wait(&gate);
	for (int level = 0; level < LEVELS && fork() >= 0; level++)
		page_fill(span_site(&span, 0), level);
}

static void
bombs(void)
{
	struct hog hog;
	int alive[2], n = room(4, 1);

	set_up();
	hog_start(&hog);
	hog_leave(&hog, BOMB + n * ROOM_PER_CHILD);
	must_pipe(alive);
	gate_make(&ready);
	gate_make(&gate);
	for (int i = 0; i < n; i++)
		spawn(bomb, i);
	close(alive[1]);
	own_pages();
	gate_wait(&ready);
	hog_leave(&hog, BOMB);
	gate_open(&gate);
	reap(n, MAY_DIE);
	wait_eof(alive[0]);
	EXPECT_SPAN(&span, WHO);
	hog_stop(&hog);
	run.ops++;
}

STRESS(oomstorm, .what = "without memory calls fail, and nothing else happens",
	.files = 1, .pages = 3000, .prepare = make_file, .finish = remove_file,
	.patterns = {{"sweep", sweep}, {"wave", wave}, {"burst", burst},
		{"lazy", lazy}, {"bombs", bombs}});
