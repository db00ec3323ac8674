/* SPDX-License-Identifier: MIT */
/*
 * scene - one of everything that the audit looks at: scene N | scene close
 *
 * Sets up page tables that two processes share and such that they do not, a
 * page of zeroes, a child asleep at an empty pipe, a pipe without a reader, a
 * dead child that nobody waited for, and an open file.  Then come N pairs of
 * audits, each a line `scene: FIRST SECOND` with their findings: a kernel with
 * a planted bug spoils something for the first of each pair.
 *
 * scene close: the end of the pipe is closed, so the child has to wake up; one
 * audit.  Ends with 0 if the last audit found nothing, else with 1.
 */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/stampede.h"

enum {
	PAGE = 4096,
	SPAN = 2 << 20, /* what one page table maps */
	REST = 3,       /* ticks until a child has surely come to rest */
};

static void __attribute__((noreturn)) give_up(const char *what)
{
	fprintf(2, "scene: %s failed; give the machine more memory\n", what);
	exit(2);
}

static int
start(void)
{
	int pid = fork();

	if (pid < 0)
		give_up("fork");
	return pid;
}

static void
make_pipe(int ends[2])
{
	if (pipe(ends) != 0)
		give_up("pipe");
}

/* So much more memory, of which four pages are written to, and one read. */
static void
grow(int bytes)
{
	volatile char *heap = sbrklazy(bytes);

	if (heap == SBRK_ERROR)
		give_up("sbrklazy");
	for (int i = 0; i < 4; i++)
		heap[i * PAGE] = 1;
	if (heap[4 * PAGE] != 0)
		give_up("demand-zero memory");
}

/* Start a child that reads from a pipe; the end that we write to. */
static int
start_reader(void)
{
	int ends[2];
	char byte;

	make_pipe(ends);
	if (start() == 0) {
		close(ends[1]);
		exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ends[0]);
	return ends[1];
}

/* The children end when we do: their pipe is closed then. */
int
main(int argc, char **argv)
{
	static char *nowhere[] = {"/nosuchprogram", 0};
	int closing = argc > 1 && strcmp(argv[1], "close") == 0;
	int pairs = argc > 1 && !closing ? atoi(argv[1]) : 0;
	int lost[2], end, second = 0;

	exec(nowhere[0], nowhere);
	grow(SPAN);
	end = start_reader();
	if (start() == 0)
		exit(0);
	grow(SPAN / 2);
	if (open("/README.md", O_RDONLY) < 0)
		give_up("open");
	make_pipe(lost);
	close(lost[0]);
	pause(REST);

	if (closing) {
		close(end);
		pause(REST);
		second = audit();
		printf("scene: %d\n", second);
	}
	for (int i = 0; i < pairs; i++) {
		int first = audit();

		second = audit();
		printf("scene: %d %d\n", first, second);
	}
	return second != 0;
}
