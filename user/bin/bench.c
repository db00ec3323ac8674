/* SPDX-License-Identifier: MIT */
/*
 * bench - measure the kernel from the inside: bench [-q] NAME...
 *
 * Runs the measurements whose names begin with one of the given ones, and
 * prints for each result a line
 *
 *	BENCH NAME VALUE UNIT
 *
 * which scripts/bench.py collects from several boots of several kernels and
 * puts into proportion.  -q takes fewer samples.
 *
 * Time is the `time` CSR, which user mode may read.  What repeats is sampled
 * and the median given, for a loaded host makes single samples too long.
 * Everything that is measured in a child hands its result back by a pipe, so
 * that the child's memory goes away with it.
 */
#include "kernel/types.h"
#include "kernel/riscv.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/stampede.h"
#include "user/lib/command.h"

enum {
	TIMEBASE = 10 * 1000 * 1000, /* of QEMU's virt machine */
	NS_PER_TIME = 1000 * 1000 * 1000 / TIMEBASE,
	MIB = 1 << 20,
	SAMPLES = 21,
	SAMPLES_QUICK = 5,
	SAMPLE_MAX = 8 * TIMEBASE / 10, /* for all samples of a median */
	FAULT_PAGES = 1024,             /* a power of two, see page_at() */
	WORKER_PAGES = 64,
	PARALLEL_TIME = TIMEBASE,
	SPARSE = 16,
	AUDIT_PROCS = 500,
};

static int samples = SAMPLES;
static char *heap; /* what the children of a measurement share */
static struct kstat before, after;

static uint64
now(void)
{
	uint64 t;

	asm volatile("rdtime %0" : "=r"(t));
	return t;
}

static void __attribute__((noreturn)) give_up(const char *what)
{
	fprintf(2, "bench: %s failed; give the machine more memory\n", what);
	exit(2);
}

static void
report(const char *group, const char *name, uint64 value, const char *unit)
{
	printf("BENCH %s/%s %lu %s\n", group, name, value, unit);
}

static void
report_mib(const char *group, int mib, uint64 value, const char *unit)
{
	printf("BENCH %s/%dMiB %lu %s\n", group, mib, value, unit);
}

/* ---- parts of a measurement */

static uint64
median(uint64 *v, int n)
{
	for (int i = 1; i < n; i++) {
		uint64 x = v[i];
		int j = i;

		for (; j > 0 && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
	return v[n / 2];
}

/* The median of several calls of once(), as many as fit into the time. */
static uint64
sample(uint64 (*once)(void))
{
	static uint64 taken[SAMPLES];
	uint64 start = now();
	int n = 0;

	do
		taken[n++] = once();
	while (n < samples && now() - start < SAMPLE_MAX);
	return median(taken, n);
}

/* The result of once(), called in a child that then ends. */
static uint64
in_child(uint64 (*once)(void))
{
	uint64 value = 0;
	int fd[2];
	int pid;

	if (pipe(fd) < 0 || (pid = fork()) < 0)
		give_up("starting a child");
	if (pid == 0) {
		value = once();
		write(fd[1], &value, sizeof(value));
		exit(0);
	}
	close(fd[1]);
	if (read(fd[0], &value, sizeof(value)) != sizeof(value))
		give_up("a child");
	close(fd[0]);
	wait(0);
	return value;
}

static char *
more_heap(char *(*grow)(int), int bytes)
{
	char *p = grow(bytes);

	if (p == SBRK_ERROR)
		give_up("sbrk");
	return p;
}

enum order { SCATTERED, SEQUENTIAL, REVERSE, STRIDE, FEW };

/*
 * The page to touch after page i - 1 of n, in the given order.  SCATTERED is
 * a full-period linear congruence, for a power of two: all pages, no runs.
 */
static int
page_at(enum order order, int i, int n)
{
	static int last;

	switch (order) {
	case SCATTERED:
		last = i == 0 ? 0 : (last * 1229 + 17) & (n - 1);
		return last;
	case REVERSE:
		return n - 1 - i;
	case STRIDE:
		return 2 * i;
	case FEW:
		return SPARSE * i;
	default:
		return i;
	}
}

static int
pages_in(enum order order, int n)
{
	if (order == STRIDE)
		return n / 2;
	return order == FEW ? n / SPARSE : n;
}

/* Write to the pages of base, and return how long it took. */
static uint64
write_pages(char *base, int n, enum order order)
{
	int count = pages_in(order, n);
	uint64 start = now();

	for (int i = 0; i < count; i++)
		base[page_at(order, i, n) * PGSIZE] = i;
	return now() - start;
}

static uint64
read_pages(const char *base, int n)
{
	uint64 start = now();

	for (int i = 0; i < n; i++)
		*(volatile const char
				*)&base[page_at(SCATTERED, i, n) * PGSIZE];
	return now() - start;
}

/* ---- fork with a heap of some MiB */

static int heap_mib;

static uint64
fork_exit_wait(void)
{
	uint64 start = now();
	int pid = fork();

	if (pid < 0)
		give_up("fork");
	if (pid == 0)
		exit(0);
	wait(0);
	return now() - start;
}

static uint64
fork_exec(void)
{
	static char *argv[] = {"/bench", 0};
	uint64 start = now();
	int pid = fork();

	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		exec(argv[0], argv);
		give_up("exec");
	}
	wait(0);
	return now() - start;
}

static uint64
fork_write_all(void)
{
	uint64 start = now();
	int pid = fork();

	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		write_pages(heap, heap_mib * (MIB / PGSIZE), SEQUENTIAL);
		exit(0);
	}
	wait(0);
	return now() - start;
}

static void
for_heaps(const char *name, uint64 (*once)(void), const int *sizes, int n)
{
	heap = more_heap(sbrk, 0);
	heap_mib = 0;
	for (int i = 0; i < n; i++) {
		int more = (sizes[i] - heap_mib) * MIB;

		write_pages(more_heap(sbrk, more), more / PGSIZE, SEQUENTIAL);
		heap_mib = sizes[i];
		report_mib(name, heap_mib, sample(once) * NS_PER_TIME, "ns");
	}
	sbrk(-heap_mib * MIB);
}

static void
bench_fork_exit_wait(void)
{
	static const int sizes[] = {0, 1, 4, 16, 64};

	for_heaps("fork_exit_wait", fork_exit_wait, sizes, 5);
}

static void
bench_fork_exec(void)
{
	static const int sizes[] = {0, 1, 4, 16, 64};

	for_heaps("fork_exec", fork_exec, sizes, 5);
}

static void
bench_fork_write_all(void)
{
	static const int sizes[] = {1, 4, 16};

	for_heaps("fork_write_all", fork_write_all, sizes, 3);
}

/* ---- the cost of one fault, by kind */

static uint64
call_getpid(void)
{
	uint64 start = now();

	for (int i = 0; i < FAULT_PAGES; i++)
		getpid();
	return now() - start;
}

static uint64
write_shared(void)
{
	return write_pages(heap, FAULT_PAGES, SCATTERED);
}

static uint64
cow_copy(void)
{
	return in_child(write_shared);
}

/* The child is gone before the parent writes: it owns all pages again. */
static uint64
cow_reuse(void)
{
	fork_exit_wait();
	return write_shared();
}

static uint64
kernel_write_shared(void)
{
	uint64 start = now();

	for (int i = 0; i < FAULT_PAGES; i++) {
		int page = page_at(SCATTERED, i, FAULT_PAGES);

		if (fstat(0, (struct stat *)(heap + page * PGSIZE)) < 0)
			give_up("fstat");
	}
	return now() - start;
}

static uint64
copyout(void)
{
	return in_child(kernel_write_shared);
}

static uint64
fill(char *(*grow)(int))
{
	char *base = more_heap(grow, FAULT_PAGES * PGSIZE);
	uint64 time = write_pages(base, FAULT_PAGES, SCATTERED);

	sbrk(-FAULT_PAGES * PGSIZE);
	return time;
}

static uint64
fill_eager(void)
{
	return fill(sbrk);
}

static uint64
fill_lazy(void)
{
	return fill(sbrklazy);
}

static uint64
zero_read(void)
{
	char *base = more_heap(sbrklazy, FAULT_PAGES * PGSIZE);
	uint64 time = read_pages(base, FAULT_PAGES);

	sbrk(-FAULT_PAGES * PGSIZE);
	return time;
}

static uint64
zero_write(void)
{
	char *base = more_heap(sbrklazy, FAULT_PAGES * PGSIZE);
	uint64 time;

	read_pages(base, FAULT_PAGES);
	time = write_pages(base, FAULT_PAGES, SCATTERED);
	sbrk(-FAULT_PAGES * PGSIZE);
	return time;
}

static void
bench_fault(void)
{
	static const struct {
		const char *name;
		uint64 (*once)(void);
	} kinds[] = {
		{"getpid", call_getpid},
		{"cow_copy", cow_copy},
		{"cow_reuse", cow_reuse},
		{"copyout", copyout},
		{"fill_eager", fill_eager},
		{"fill_lazy", fill_lazy},
		{"zero_read", zero_read},
		{"zero_write", zero_write},
	};

	heap = more_heap(sbrk, FAULT_PAGES * PGSIZE);
	write_shared();
	for (uint i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		report("fault", kinds[i].name,
			sample(kinds[i].once) * NS_PER_TIME / FAULT_PAGES,
			"ns");
	sbrk(-FAULT_PAGES * PGSIZE);
}

/* ---- breaking neighbours in one fault: patterns of access */

static enum order pattern;

static uint64
write_pattern(void)
{
	return write_pages(heap, FAULT_PAGES, pattern);
}

static uint64
cow_pattern(void)
{
	return in_child(write_pattern);
}

static uint64
pages_of_pattern(void)
{
	kstat(&before, sizeof(before));
	write_pattern();
	kstat(&after, sizeof(after));
	return after.pages_alloc - before.pages_alloc;
}

static void
bench_around(void)
{
	static const char *const names[] = {[SCATTERED] = "scattered",
		[SEQUENTIAL] = "sequential",
		[REVERSE] = "reverse",
		[STRIDE] = "stride2",
		[FEW] = "sparse"};

	heap = more_heap(sbrk, FAULT_PAGES * PGSIZE);
	write_shared();
	for (pattern = SCATTERED; pattern <= FEW; pattern++) {
		report("around_time", names[pattern],
			sample(cow_pattern) * NS_PER_TIME, "ns");
		report("around_pages", names[pattern],
			in_child(pages_of_pattern), "pages");
	}
	sbrk(-FAULT_PAGES * PGSIZE);
}

/* ---- throughput of all harts */

static uint64
loop_alloc_free(uint64 end)
{
	uint64 ops = 0;

	for (; now() < end; ops += WORKER_PAGES) {
		write_pages(more_heap(sbrk, WORKER_PAGES * PGSIZE),
			WORKER_PAGES, SCATTERED);
		sbrk(-WORKER_PAGES * PGSIZE);
	}
	return ops;
}

static uint64
loop_cow_fault(uint64 end)
{
	char *base = more_heap(sbrk, WORKER_PAGES * PGSIZE);
	uint64 ops = 0;

	for (; now() < end; ops += WORKER_PAGES) {
		int pid;

		write_pages(base, WORKER_PAGES, SCATTERED);
		pid = fork();
		if (pid < 0)
			give_up("fork");
		if (pid == 0) {
			write_pages(base, WORKER_PAGES, SCATTERED);
			exit(0);
		}
		wait(0);
	}
	return ops;
}

static uint64
loop_fork(uint64 end)
{
	uint64 ops = 0;

	for (; now() < end; ops++)
		fork_exit_wait();
	return ops;
}

/* Work until the time is up, from when all writers of the gate are gone. */
static void __attribute__((noreturn))
worker(uint64 (*loop)(uint64), const int *gate, const int *results)
{
	uint64 ops;
	char c;

	close(gate[1]);
	read(gate[0], &c, 1);
	ops = loop(now() + PARALLEL_TIME);
	write(results[1], &ops, sizeof(ops));
	exit(0);
}

/* Run loop on every hart at the same time; operations a second, summed. */
static uint64
in_parallel(uint64 (*loop)(uint64))
{
	uint64 total = 0;
	uint64 ops;
	int gate[2], results[2];

	kstat(&before, sizeof(before));
	if (pipe(gate) < 0 || pipe(results) < 0)
		give_up("pipe");
	for (uint64 i = 0; i < before.harts; i++) {
		int pid = fork();

		if (pid < 0)
			give_up("fork");
		if (pid == 0)
			worker(loop, gate, results);
	}
	close(gate[0]);
	close(gate[1]);
	close(results[1]);
	while (read(results[0], &ops, sizeof(ops)) == sizeof(ops))
		total += ops;
	close(results[0]);
	while (wait(0) >= 0)
		;
	return total * TIMEBASE / PARALLEL_TIME;
}

static void
bench_scale(void)
{
	report("scale", "alloc_free", in_parallel(loop_alloc_free), "pages/s");
	report("scale", "cow_fault", in_parallel(loop_cow_fault), "pages/s");
	report("scale", "fork", in_parallel(loop_fork), "forks/s");
}

/* ---- the audit */

static uint64
once_audit(void)
{
	uint64 start = now();

	if (audit() != 0)
		give_up("the audit");
	return (now() - start) * NS_PER_TIME;
}

/* With as many processes as there may be, each with a stack of its own. */
static void
bench_audit(void)
{
	int gate[2], children = 0, pid = 0;
	char c;

	report("audit", "idle", sample(once_audit), "ns");
	if (pipe(gate) < 0)
		give_up("pipe");
	for (; children < AUDIT_PROCS && (pid = fork()) > 0; children++)
		;
	if (pid == 0) {
		close(gate[1]);
		read(gate[0], &c, 1);
		exit(0);
	}
	report("audit", "procs", (uint64)children, "processes");
	report("audit", "full", sample(once_audit), "ns");
	close(gate[1]);
	while (wait(0) > 0)
		;
	close(gate[0]);
}

/* ---- what whole programs cost */

static void
work(const char *name, char **argv)
{
	uint64 start = now();
	int status = 0;
	int pid;

	kstat(&before, sizeof(before));
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		fprintf(2, "bench: %s: %s\n", argv[0], command_exec(argv));
		exit(2);
	}
	wait(&status);
	kstat(&after, sizeof(after));
	report(name, "status", status != 0, "failed");
	report(name, "time", (now() - start) * NS_PER_TIME, "ns");
#define GAUGE(id, what)
#define COUNTER(id, what) report(name, #id, after.id - before.id, "count");
#include "kernel/kstat.def"
#undef GAUGE
#undef COUNTER
}

static void
bench_cowtest(void)
{
	static char *argv[] = {"cowtest", 0};

	work("work/cowtest", argv);
}

static void
bench_usertests(void)
{
	static char *argv[] = {"usertests", "-q", 0};

	work("work/usertests", argv);
}

static void
bench_pipeline(void)
{
	static char *argv[] = {"sh", "-c", "cat README.md | grep a | wc", 0};

	work("work/pipeline", argv);
}

static const struct {
	const char *name;
	void (*run)(void);
} benches[] = {
	{"fork_exit_wait", bench_fork_exit_wait},
	{"fork_exec", bench_fork_exec},
	{"fork_write_all", bench_fork_write_all},
	{"fault", bench_fault},
	{"around", bench_around},
	{"scale", bench_scale},
	{"audit", bench_audit},
	{"work/cowtest", bench_cowtest},
	{"work/usertests", bench_usertests},
	{"work/pipeline", bench_pipeline},
};

static int
begins_with(const char *name, const char *with)
{
	while (*with != '\0' && *name == *with) {
		name++;
		with++;
	}
	return *with == '\0';
}

/* Run what begins with the given name; how many that were. */
static int
run_named(const char *name)
{
	int found = 0;

	for (uint i = 0; i < sizeof(benches) / sizeof(benches[0]); i++) {
		if (!begins_with(benches[i].name, name))
			continue;
		benches[i].run();
		found++;
	}
	return found;
}

/* Without arguments it ends at once: that is what fork_exec executes. */
int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-q") == 0) {
			samples = SAMPLES_QUICK;
		} else if (run_named(argv[i]) == 0) {
			fprintf(2, "bench: nothing is called %s\n", argv[i]);
			return 2;
		}
	}
	return 0;
}
