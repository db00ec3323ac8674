/* SPDX-License-Identifier: MIT */
/*
 * printf.c - formatted messages.
 *
 * A message is formatted into a buffer on the stack and goes to the console
 * in one piece, so that the messages of several harts do not mix and no lock
 * is held while formatting.  The buffer is small, for a kernel stack is; what
 * is longer is cut, and ends in "...".
 */
#include <stdarg.h>

#include "kernel/lib/print.h"
#include "kernel/lib/string.h"
#include "kernel/dev/dev.h"

enum { MESSAGE_MAX = 320, DIGITS_MAX = 20 /* of 2^64 - 1 */ };

/* Where the text goes: what does not fit is counted and dropped. */
struct text {
	char *buf;
	size_t size;
	size_t len;
};

/* One conversion, as it stands between '%' and its letter. */
struct spec {
	bool left;
	bool zeros;
	bool wide; /* 'l' */
	size_t width;
};

static void
put(struct text *out, char c)
{
	if (out->len < out->size)
		out->buf[out->len] = c;
	out->len++;
}

static void
pad(struct text *out, char c, size_t used, size_t width)
{
	for (; used < width; used++)
		put(out, c);
}

static void
put_string(struct text *out, const struct spec *spec, const char *s, size_t len)
{
	if (!spec->left)
		pad(out, ' ', len, spec->width);
	for (size_t i = 0; i < len; i++)
		put(out, s[i]);
	if (spec->left)
		pad(out, ' ', len, spec->width);
}

/* put_number: prefix is "-", "0x" or ""; zeros go between it and digits. */
static void
put_number(struct text *out, const struct spec *spec, const char *prefix,
	u64 value, u32 base)
{
	char digits[DIGITS_MAX];
	size_t n = 0, used;
	char blank = spec->zeros && !spec->left ? '0' : ' ';

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	used = n + strlen(prefix);

	if (!spec->left && blank == ' ')
		pad(out, ' ', used, spec->width);
	while (*prefix != '\0')
		put(out, *prefix++);
	if (blank == '0')
		pad(out, '0', used, spec->width);
	while (n > 0)
		put(out, digits[--n]);
	if (spec->left)
		pad(out, ' ', used, spec->width);
}

static void
put_signed(struct text *out, const struct spec *spec, i64 value)
{
	u64 size = value < 0 ? -(u64)value : (u64)value;

	put_number(out, spec, value < 0 ? "-" : "", size, 10);
}

/* parse_spec: read flags, width and 'l'; returns the place of the letter. */
static const char *
parse_spec(struct spec *spec, const char *fmt)
{
	*spec = (struct spec){0};
	for (; *fmt == '-' || *fmt == '0'; fmt++) {
		if (*fmt == '-')
			spec->left = true;
		else
			spec->zeros = true;
	}
	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		spec->width = spec->width * 10 + (size_t)(*fmt - '0');
	for (; *fmt == 'l'; fmt++)
		spec->wide = true;
	return fmt;
}

/* put_spec: convert the next argument as the letter says. */
static void
put_spec(struct text *out, const struct spec *spec, char letter, va_list *ap)
{
	const char *s;
	char c;

	switch (letter) {
	case 'd':
		put_signed(out, spec,
			spec->wide ? va_arg(*ap, long) : va_arg(*ap, int));
		break;
	case 'u':
	case 'x':
		put_number(out, spec, "",
			spec->wide ? va_arg(*ap, unsigned long)
				   : va_arg(*ap, unsigned int),
			letter == 'x' ? 16 : 10);
		break;
	case 'p':
		put_number(out, spec, "0x", (u64)va_arg(*ap, void *), 16);
		break;
	case 's':
		s = va_arg(*ap, const char *);
		if (s == NULL)
			s = "(null)";
		put_string(out, spec, s, strlen(s));
		break;
	case 'c':
		c = (char)va_arg(*ap, int);
		put_string(out, spec, &c, 1);
		break;
	default: /* "%%", or a letter that the compiler warned of */
		put(out, letter);
	}
}

static void
format(struct text *out, const char *fmt, va_list *ap)
{
	struct spec spec;

	for (; *fmt != '\0'; fmt++) {
		if (*fmt != '%') {
			put(out, *fmt);
			continue;
		}
		fmt = parse_spec(&spec, fmt + 1);
		if (*fmt == '\0')
			return;
		put_spec(out, &spec, *fmt, ap);
	}
}

void
printf(const char *fmt, ...)
{
	static const char cut[] = "...\n";
	char buf[MESSAGE_MAX];
	struct text out = {.buf = buf, .size = sizeof(buf)};
	va_list ap;

	va_start(ap, fmt);
	format(&out, fmt, &ap);
	va_end(ap);

	if (out.len > sizeof(buf)) {
		out.len = sizeof(buf);
		memcpy(buf + sizeof(buf) - strlen(cut), cut, strlen(cut));
	}
	console_print(buf, out.len);
}

int
snprintf(char *buf, unsigned long size, const char *fmt, ...)
{
	struct text out = {.buf = buf, .size = size > 0 ? size - 1 : 0};
	va_list ap;

	va_start(ap, fmt);
	format(&out, fmt, &ap);
	va_end(ap);

	if (size > 0)
		buf[MIN(out.len, out.size)] = '\0';
	return (int)out.len;
}
