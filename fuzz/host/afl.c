/* SPDX-License-Identifier: MIT */
/*
 * afl.c - `stampede-fuzz afl`: the target that AFL++ sees.
 *
 * afl-fuzz, afl-showmap and afl-cmin hold a pipe at descriptor 198 that they
 * write commands to and one at 199 that they read answers from; words of 4
 * bytes both ways.  The answer to a command is the process id of what runs,
 * and then how it ended, as wait() would tell; a plain number from 1 to 126
 * is "killed by that signal", so the class of a failure ends up in the name
 * of the file that afl-fuzz keeps.
 *
 * What keeps it right:
 *
 *   - Only a failure of the kernel is a signal.  A QEMU that died is status
 *     0: it says nothing about the input.
 *   - The process id is QEMU's.  If afl-fuzz runs out of patience it kills
 *     QEMU, and vm.c starts another; this process never ends by a guest.
 *   - Bytes 0 to 3 of the map are not the guest's.  AFL++ reads a code in
 *     them, and a map with nothing in it stops it, so byte 1 is always set.
 *   - The map is written before the status is.
 *
 * Without those pipes this is an ordinary program that runs one input, from a
 * file or from standard input: some of the tools call it like that, and try
 * whether it fills a map and dies by a signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <unistd.h>

#include "fuzz/host/commands.h"
#include "fuzz/host/driver.h"
#include "fuzz/host/features.h"
#include "fuzz/host/options.h"
#include "fuzz/host/signature.h"
#include "fuzz/host/stop.h"

enum { CONTROL_FD = 198, STATUS_FD = 199 };

/* Of the first word. */
#define HELLO_OPTIONS        0x80000001u
#define HELLO_MAP_SIZE       0x40000000u
#define HELLO_SHM_CASE       0x01000000u
#define MAP_SIZE_FIELD(size) (((uint32_t)(size)-1) << 1)

enum {
	CASE_HEAD = 4, /* bytes of length before a test case in memory */
	RESERVED = 4,
	/* A process id that is none: the kernel gives them up to 1 << 22. */
	NO_PROCESS = 1 << 29,
};

struct target {
	struct driver driver;
	unsigned features;
	unsigned broken_max;
	size_t map_size;
	uint8_t *map;    /* the whole of it, not always AFL++'s own */
	uint8_t *shared; /* AFL++'s; NULL: there is none */
	size_t shared_size;
	const uint8_t *test_case; /* AFL++'s; NULL: use standard input */
	size_t case_size;
	uint8_t input[INPUT_MAX + 1];
};

/* --- memory shared with AFL++ */

/* attach: the segment whose number is in the environment; 0 is a number. */
static void *
attach(const char *variable, int flags, size_t *size)
{
	const char *text = getenv(variable);
	struct shmid_ds about;
	void *memory;
	int id;

	if (text == NULL)
		return NULL;
	id = atoi(text);
	if (shmctl(id, IPC_STAT, &about) != 0)
		return NULL;
	memory = shmat(id, NULL, flags);
	if (memory == (void *)-1)
		return NULL;
	*size = about.shm_segsz;
	return memory;
}

/* open_map: AFL++'s if it is large enough for ours, else one of our own. */
static bool
open_map(struct target *t)
{
	t->map_size = features_size(t->features);
	t->shared = attach("__AFL_SHM_ID", 0, &t->shared_size);
	if (t->shared != NULL && t->shared_size >= t->map_size) {
		t->map = t->shared;
		return true;
	}
	t->map = calloc(1, t->map_size);
	return t->map != NULL;
}

static void
fill_map(struct target *t, const void *input, size_t n,
	const struct vm_result *r)
{
	if (t->map != t->shared)
		memset(t->map, 0, t->map_size);
	if (r->class != VM_BROKEN && r->class != VM_SKIPPED)
		features_fill(t->features, input, n, r, t->map);
	memset(t->map, 0, RESERVED);
	t->map[1] = 1;
	if (t->shared != NULL && t->map != t->shared)
		memcpy(t->shared, t->map, t->shared_size);
}

/* --- as a server */

static bool
read_word(uint32_t *word)
{
	ssize_t n;

	do
		n = read(CONTROL_FD, word, sizeof(*word));
	while (n < 0 && errno == EINTR && !stop_asked());
	return n == sizeof(*word);
}

static bool
write_word(uint32_t word)
{
	ssize_t n;

	do
		n = write(STATUS_FD, &word, sizeof(word));
	while (n < 0 && errno == EINTR);
	return n == sizeof(word);
}

static bool
say_hello(struct target *t)
{
	uint32_t ack, hello = HELLO_OPTIONS | HELLO_MAP_SIZE |
			      MAP_SIZE_FIELD(t->map_size);

	t->test_case = attach("__AFL_SHM_FUZZ_ID", SHM_RDONLY, &t->case_size);
	if (t->test_case == NULL)
		return write_word(hello);
	if (!write_word(hello | HELLO_SHM_CASE) || !read_word(&ack))
		return false;
	if ((ack & HELLO_SHM_CASE) == 0)
		t->test_case = NULL;
	return true;
}

/* read_all: up to size bytes, and no error is worth more than its input. */
static size_t
read_all(int fd, uint8_t *to, size_t size)
{
	size_t n = 0;
	ssize_t got;

	while (n < size) {
		got = read(fd, to + n, size - n);
		if (got == 0 || (got < 0 && errno != EINTR))
			break;
		if (got > 0)
			n += (size_t)got;
	}
	return n;
}

/* get_case: the input that a command was about; one byte too long is enough
 * to be refused. */
static const uint8_t *
get_case(struct target *t, size_t *n)
{
	uint32_t size;

	if (t->test_case == NULL) {
		*n = read_all(STDIN_FILENO, t->input, sizeof(t->input));
		return t->input;
	}
	memcpy(&size, t->test_case, CASE_HEAD);
	*n = size;
	if (*n > t->case_size - CASE_HEAD)
		*n = t->case_size - CASE_HEAD;
	return t->test_case + CASE_HEAD;
}

static uint32_t
run_case(struct target *t)
{
	struct vm_result r;
	enum vm_class class;
	const uint8_t *input;
	size_t n;

	input = get_case(t, &n);
	class = driver_run(&t->driver, input, n, &r);
	fill_map(t, input, n, &r);
	return vm_failed(class) ? class : 0;
}

/* serve: until the other side ends, or a signal says so. */
static int
serve(struct target *t)
{
	uint32_t command;
	int pid;

	if (!say_hello(t))
		return EXIT_BROKEN;
	while (!stop_asked() && read_word(&command)) {
		pid = vm_pid(t->driver.vm);
		if (!write_word(pid > 0 ? (uint32_t)pid : NO_PROCESS) ||
			!write_word(run_case(t)))
			break;
		if (t->driver.broken_in_row < t->broken_max)
			continue;
		driver_note(&t->driver,
			"broken %u times in a row: giving up; "
			"try the kernel with: stampede-fuzz run FILE",
			t->broken_max);
		return EXIT_BROKEN;
	}
	return EXIT_GOOD;
}

/* --- alone */

static int
open_input(const char *path)
{
	int fd = path == NULL ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		options_fail("afl", "%s: %s", path, strerror(errno));
	return fd;
}

/* run_alone: returns the signal to die by, or 0, or -1 if broken. */
static int
run_alone(struct target *t, int fd)
{
	size_t n = read_all(fd, t->input, sizeof(t->input));
	char name[SIGNATURE_MAX];
	struct vm_result r;
	enum vm_class class;

	class = driver_run(&t->driver, t->input, n, &r);
	fill_map(t, t->input, n, &r);
	signature(&r, t->driver.kernel, name, sizeof(name));
	fprintf(stderr, "%s\n", name);
	if (class == VM_BROKEN)
		return -1;
	return vm_failed(class) ? (int)class : 0;
}

static void
die_by(int sig)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* --- both */

static bool
has_server(void)
{
	return fcntl(CONTROL_FD, F_GETFD) != -1 &&
	       fcntl(STATUS_FD, F_GETFD) != -1;
}

/*
 * be_child: make sure that we end when AFL++ does.  QEMU must not hold its
 * pipes open, and their end is not all to go by: afl-showmap starts two
 * targets, and the second one has the first one's pipes.
 */
static void
be_child(void)
{
	fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
	fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* target_open: everything up to the snapshot; ends the process if it fails. */
static void
target_open(struct target *t, const struct vm_config *config,
	unsigned deadline_ms, const char *log)
{
	char err[512];

	if (!open_map(t))
		options_fail("afl", "no memory for the map");
	if (!driver_open(
		    &t->driver, config, deadline_ms, log, err, sizeof(err)))
		options_fail("afl", "%s", err);
	vm_trace(t->driver.vm, features_trace(t->features));
}

static int
main_server(struct target *t, const struct vm_config *config,
	unsigned deadline_ms, const char *log)
{
	int status;

	be_child();
	stop_catch(CONTROL_FD);
	target_open(t, config, deadline_ms, log);
	t->driver.hasty = true;
	status = serve(t);
	driver_close(&t->driver);
	return status;
}

static int
main_alone(struct target *t, const struct vm_config *config,
	unsigned deadline_ms, const char *log, const char *path)
{
	int fd = open_input(path), sig;

	stop_catch(-1);
	target_open(t, config, deadline_ms, log);
	sig = run_alone(t, fd);
	driver_close(&t->driver);
	if (sig > 0)
		die_by(sig);
	return sig == 0 ? EXIT_GOOD : EXIT_BROKEN;
}

static struct target target;

int
afl_main(int argc, char **argv)
{
	struct vm_config config;
	const char *log = NULL, *features = FEATURES_DEFAULT;
	unsigned deadline_ms = 50000;
	const struct option_row own[] = {
		{"log", OPTION_TEXT, &log, "FILE",
			"what happens, added to it [none]", 0, 0},
		{"features", OPTION_TEXT, &features, "LIST",
			"what is in the map [" FEATURES_DEFAULT "]", 0, 0},
		{"deadline-ms", OPTION_NUMBER, &deadline_ms, "N",
			"kill QEMU after it; below afl-fuzz's -t [50000]", 8,
			3600000},
		{"broken-max", OPTION_NUMBER, &target.broken_max, "N",
			"give up after so many in a row [20]", 1, 1000000},
		{0},
	};
	char err[256];
	int first;

	target.broken_max = 20;
	first = options_parse(&config, own, "[FILE]",
		"Run what AFL++ sends; or, without AFL++, FILE or standard "
		"input once, and\ndie by the signal that AFL++ would be told.",
		argc, argv);
	if (argc - first > 1)
		options_fail(
			"afl", "%s: give one file at most", argv[first + 1]);
	if (!features_parse(features, &target.features, err, sizeof(err)))
		options_fail("afl", "--features: %s", err);
	if (has_server())
		return main_server(&target, &config, deadline_ms, log);
	return main_alone(&target, &config, deadline_ms, log, argv[first]);
}
