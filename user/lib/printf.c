/* SPDX-License-Identifier: MIT */
/*
 * printf.c - formatted output.
 *
 *	%[-][0][width][.most][l|ll|z]conversion
 *
 * with the conversions d i u x p s c %; width and most may be `*`; `most`
 * cuts strings.  What is not understood is printed as it stands.
 *
 * The text is gathered and goes out by one write(), so that lines of several
 * processes do not mix on the console; only what does not fit into the
 * buffer, which is small because stacks are, takes more.
 */
#include <stdarg.h>
#include "kernel/types.h"
#include "user/user.h"
#include "user/lib/weak.h"

struct out {
	int fd;
	int used;
	char text[256];
};

struct spec {
	int left;  /* flag -: pad on the right */
	int zero;  /* flag 0: pad with zeros */
	int width; /* at least so many characters */
	int most;  /* at most so many of a string; -1: all */
	int wide;  /* the argument has 64 bits */
};

static void
flush(struct out *o)
{
	if (o->used > 0)
		write(o->fd, o->text, o->used);
	o->used = 0;
}

static void
put(struct out *o, char c)
{
	if (o->used == sizeof(o->text))
		flush(o);
	o->text[o->used++] = c;
}

static void
pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

/* Put a prefix (a sign, 0x) and a body of len characters into the field. */
static void
put_field(struct out *o, const struct spec *s, const char *prefix,
	const char *body, int len)
{
	int space = s->width - len - (int)strlen(prefix);

	if (!s->left && !s->zero)
		pad(o, ' ', space);
	while (*prefix)
		put(o, *prefix++);
	if (!s->left && s->zero)
		pad(o, '0', space);
	for (int i = 0; i < len; i++)
		put(o, body[i]);
	if (s->left)
		pad(o, ' ', space);
}

static void
put_number(struct out *o, const struct spec *s, const char *prefix, uint64 v,
	uint base)
{
	char digits[20];
	int at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0);
	put_field(o, s, prefix, digits + at, sizeof(digits) - at);
}

static void
put_string(struct out *o, struct spec *s, const char *text)
{
	int len = 0;

	if (text == 0)
		text = "(null)";
	while (len != s->most && text[len] != '\0')
		len++;
	s->zero = 0;
	put_field(o, s, "", text, len);
}

static int
number_at(const char **at, va_list *args)
{
	int n = 0;

	if (**at == '*') {
		(*at)++;
		return va_arg(*args, int);
	}
	for (; **at >= '0' && **at <= '9'; (*at)++)
		n = n * 10 + (**at - '0');
	return n;
}

/* Read what stands between % and the conversion; move *at behind it. */
static struct spec
spec_at(const char **at, va_list *args)
{
	struct spec s = {.most = -1};

	for (; **at == '-' || **at == '0'; (*at)++) {
		s.left |= **at == '-';
		s.zero |= **at == '0';
	}
	s.width = number_at(at, args);
	if (s.width < 0) {
		s.left = 1;
		s.width = -s.width;
	}
	if (**at == '.') {
		(*at)++;
		s.most = number_at(at, args);
	}
	for (; **at == 'l' || **at == 'z'; (*at)++)
		s.wide = 1;
	return s;
}

static void
put_signed(struct out *o, const struct spec *s, long v)
{
	if (v < 0)
		put_number(o, s, "-", -(uint64)v, 10);
	else
		put_number(o, s, "", v, 10);
}

static uint64
unsigned_arg(const struct spec *s, va_list *args)
{
	return s->wide ? va_arg(*args, uint64) : va_arg(*args, uint);
}

/* Print one argument; returns 0, with nothing done, if c is no conversion. */
static int
convert(struct out *o, struct spec *s, char c, va_list *args)
{
	struct spec address = {.zero = 1, .width = 18};
	char one;

	switch (c) {
	case 'd':
	case 'i':
		put_signed(o, s,
			s->wide ? va_arg(*args, long) : va_arg(*args, int));
		return 1;
	case 'u':
		put_number(o, s, "", unsigned_arg(s, args), 10);
		return 1;
	case 'x':
		put_number(o, s, "", unsigned_arg(s, args), 16);
		return 1;
	case 'p':
		put_number(o, &address, "0x", va_arg(*args, uint64), 16);
		return 1;
	case 's':
		put_string(o, s, va_arg(*args, const char *));
		return 1;
	case 'c':
		one = va_arg(*args, int);
		s->zero = 0;
		put_field(o, s, "", &one, 1);
		return 1;
	case '%':
		put(o, '%');
		return 1;
	}
	return 0;
}

static void
print(int fd, const char *at, va_list *args)
{
	struct out o;

	o.fd = fd;
	o.used = 0;
	while (*at != '\0') {
		const char *start = at;
		struct spec s;

		if (*at++ != '%') {
			put(&o, *start);
			continue;
		}
		s = spec_at(&at, args);
		if (*at != '\0' && convert(&o, &s, *at, args)) {
			at++;
			continue;
		}
		/* In the xv6 of 2022, %l alone is a long number. */
		if (s.wide) {
			put_signed(&o, &s, va_arg(*args, long));
			continue;
		}
		while (start < at)
			put(&o, *start++);
	}
	flush(&o);
}

WEAK void
fprintf(int fd, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(fd, fmt, &args);
	va_end(args);
}

WEAK void
printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(1, fmt, &args);
	va_end(args);
}
