/* SPDX-License-Identifier: MIT */
/*
 * say.c - output and verdicts.
 *
 * Many processes print at once, so a message is put together first and goes
 * out in one write.  The forms, which the runner reads:
 *
 *	NAME: fail: FILE:LINE: PATTERN: MESSAGE     somebody found something
 *	NAME: VERDICT ops=N                         the last line
 */
#include <stdarg.h>
#include "stress.h"

struct line {
	int len;
	char text[256];
};

/* Not on the stack, which is small, and whose page may have to be copied. */
static struct line line;

static const char *const verdict_name[NVERDICT] = {
	[PASS] = "pass",
	[FAIL] = "fail",
	[BROKEN] = "broken",
	[SKIPPED] = "skipped",
};

static void
put(char c)
{
	if (line.len < (int)sizeof(line.text) - 1)
		line.text[line.len++] = c;
}

static void
put_string(const char *s)
{
	if (s == NULL)
		s = "(null)";
	while (*s)
		put(*s++);
}

static void
put_number(uint64 value, int base)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (n > 0)
		put(digits[--n]);
}

static void
put_signed(long value)
{
	if (value < 0)
		put('-');
	put_number(value < 0 ? -(uint64)value : (uint64)value, 10);
}

/* put_format: %d %u %x %s %c, with l for long; no widths. */
static void
put_format(const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		int wide = 0;

		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		if (*++fmt == 'l') {
			wide = 1;
			fmt++;
		}
		switch (*fmt) {
		case 'd':
			put_signed(wide ? va_arg(ap, long) : va_arg(ap, int));
			break;
		case 'u':
		case 'x':
			put_number(wide ? va_arg(ap, uint64)
					: va_arg(ap, unsigned),
				*fmt == 'x' ? 16 : 10);
			break;
		case 's':
			put_string(va_arg(ap, const char *));
			break;
		case 'c':
			put(va_arg(ap, int));
			break;
		default:
			put('%');
			if (*fmt == '\0')
				return;
			if (*fmt != '%')
				put(*fmt);
		}
	}
}

/* flush: one line, one write.  If it fails there is nobody left to tell. */
static void
flush(void)
{
	line.text[line.len++] = '\n';
	write(1, line.text, line.len);
	line.len = 0;
}

/* say: print "NAME: message". */
void
say(const char *fmt, ...)
{
	va_list ap;

	put_string(stress_case.name);
	put_string(": ");
	va_start(ap, fmt);
	put_format(fmt, ap);
	va_end(ap);
	flush();
}

/* last_line: what the first process of a case prints in the end. */
void
last_line(enum verdict v)
{
	say("%s ops=%d", verdict_name[v], run.ops);
}

/*
 * verdict_at: say what was found and where, and end this process with the
 * verdict.  The first process of the case adds the last line; any other has
 * a parent which passes the verdict on.
 */
void
verdict_at(enum verdict v, const char *file, int lineno, const char *fmt, ...)
{
	va_list ap;

	put_string(stress_case.name);
	put_string(": ");
	put_string(verdict_name[v]);
	put_string(": ");
	if (v != SKIPPED) {
		put_string(file);
		put(':');
		put_signed(lineno);
		put_string(": ");
		put_string(run.pattern);
		put_string(": ");
	}
	va_start(ap, fmt);
	put_format(fmt, ap);
	va_end(ap);
	flush();

	if (run.top)
		last_line(v);
	exit(v);
}
