/* SPDX-License-Identifier: MIT */
/*
 * console.c - the terminal: what programs print, and lines typed to them.
 *
 * Typed characters collect in cons.line, where they can still be erased.  The
 * end of the line moves them to the ring cons.ready, from which read() takes
 * one line at a time; ^D there stands for an end of file.  A line that fills
 * cons.line is handed over in parts.
 *
 * No input is lost: when the ring has no room left for one more line, the
 * UART is told to keep what comes in until a reader has made room; and a
 * reader's buffer is made present before anything is taken from the ring.
 */
#include "kernel/dev/dev.h"

#include "kernel/file/file.h"
#include "kernel/lock/spinlock.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"

#define CTRL(letter) ((letter) - '@')

enum {
	LINE_MAX = 128,
	READY_MAX = 1024, /* a power of two: indices wrap */
	PRINT_CHUNK = 256,
	END_OF_FILE = CTRL('D'),
	KILL_LINE = CTRL('U'),
	DUMP_PROCS = CTRL('P'),
	BACKSPACE = '\b',
	DELETE = 0x7f,
};

/* All of it is guarded by lock. */
static struct {
	struct spinlock lock;
	char line[LINE_MAX]; /* being typed */
	u32 len;
	char ready[READY_MAX]; /* finished lines, from tail to head */
	u32 head;
	u32 tail;
	bool full; /* the UART has been told to wait */
} cons = {
	.lock = SPINLOCK(cons, "console"),
};

/* --- output */

void
console_print(const char *s, size_t n)
{
	uart_write(s, n);
}

void
consputc(int c)
{
	char ch = (char)c;

	if (c == BACKSPACE)
		console_print("\b \b", 3);
	else
		console_print(&ch, 1);
}

/*
 * console_write: a bad address ends the write; the count is then of what was
 * printed before, or -EFAULT if that was nothing.
 */
static i64
console_write(struct vm *vm, uaddr ua, u64 n)
{
	char buf[PRINT_CHUNK];
	u64 done = 0;

	while (done < n && !killed(myproc())) {
		u64 now = MIN(n - done, sizeof(buf));
		int err = copyin(vm, buf, ua + done, now);

		if (err)
			return done > 0 ? (i64)done : err;
		console_print(buf, now);
		done += now;
	}
	return (i64)done;
}

/* --- input */

static u32
ready_room(void)
{
	return READY_MAX - (cons.head - cons.tail);
}

static void
erase(void)
{
	cons.len--;
	consputc(BACKSPACE);
}

/* hand_over: the line is finished; there is room, see console_input(). */
static void
hand_over(void)
{
	for (u32 i = 0; i < cons.len; i++)
		cons.ready[cons.head++ % READY_MAX] = cons.line[i];
	cons.len = 0;
	wakeup(&cons);
}

static void
type(char c)
{
	cons.line[cons.len++] = c;
	if (c != END_OF_FILE)
		consputc(c);
	if (c == '\n' || c == END_OF_FILE || cons.len == LINE_MAX)
		hand_over();
}

static void
edit(int c)
{
	switch (c) {
	case '\0':
		break;
	case KILL_LINE:
		while (cons.len > 0)
			erase();
		break;
	case BACKSPACE:
	case DELETE:
		if (cons.len > 0)
			erase();
		break;
	case '\r':
		type('\n');
		break;
	default:
		type((char)c);
	}
}

/* console_input: a character came in; called from the UART's interrupt. */
void
console_input(int c)
{
	if (c == DUMP_PROCS) {
		proc_dump();
		return;
	}
	acquire(&cons.lock);
	edit(c);
	if (ready_room() < LINE_MAX) {
		cons.full = true;
		uart_listen(false);
	}
	release(&cons.lock);
}

/* take_line: move up to n bytes of the first line that is ready to buf. */
static u64
take_line(char *buf, u64 n)
{
	u64 got = 0;

	while (got < n && cons.tail != cons.head) {
		char c = cons.ready[cons.tail % READY_MAX];

		/* Behind text it stays: the next read shall see it alone. */
		if (c == END_OF_FILE && got > 0)
			break;
		cons.tail++;
		if (c == END_OF_FILE)
			break;
		buf[got++] = c;
		if (c == '\n')
			break;
	}
	return got;
}

/*
 * console_read: at most one line, as soon as there is one; 0 at an end of
 * file, -EINTR if killed, -EFAULT or -ENOMEM before anything is taken.
 */
static i64
console_read(struct vm *vm, uaddr ua, u64 n)
{
	char buf[LINE_MAX];
	int err;

	n = MIN(n, sizeof(buf));
	if (n == 0)
		return 0;
	err = user_prefault(vm, ua, n, true);
	if (err)
		return err;

	acquire(&cons.lock);
	while (cons.head == cons.tail) {
		err = sleep_killable(&cons, &cons.lock);
		if (err) {
			release(&cons.lock);
			return err;
		}
	}
	n = take_line(buf, n);
	if (cons.full && ready_room() >= LINE_MAX) {
		cons.full = false;
		uart_listen(true);
	}
	release(&cons.lock);

	copyout_nofail(vm, ua, buf, n);
	return (i64)n;
}

void
console_init(void)
{
	uart_init();
	devsw[CONSOLE].read = console_read;
	devsw[CONSOLE].write = console_write;
}
