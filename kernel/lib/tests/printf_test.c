/* SPDX-License-Identifier: MIT */
/*
 * printf_test.c - kernel/lib/printf.c on the host, against the host's own.
 *
 *	make test ONLY=printf_test
 *	build/test/printf_test
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The host's library keeps its names. */
#define printf   kernel_printf
#define snprintf kernel_snprintf
#include "kernel/lib/printf.c"
#undef printf
#undef snprintf

static char shown[2 * MESSAGE_MAX];
static int pieces; /* calls of console_print */

void
console_print(const char *s, size_t n)
{
	assert_true(n < sizeof(shown));
	memcpy(shown, s, n);
	shown[n] = '\0';
	pieces++;
}

/* Both formatters on the same arguments. */
#define SAME(...)                                                              \
	do {                                                                   \
		char ours[128], theirs[128];                                   \
		int n = kernel_snprintf(ours, sizeof(ours), __VA_ARGS__);      \
                                                                               \
		assert_int_equal(                                              \
			n, snprintf(theirs, sizeof(theirs), __VA_ARGS__));     \
		assert_string_equal(ours, theirs);                             \
	} while (0)

static void
test_numbers(void **state)
{
	(void)state;
	SAME("%d %d %d", 0, INT_MIN, INT_MAX);
	SAME("%ld %ld", LONG_MIN, LONG_MAX);
	SAME("%u %lu", UINT_MAX, ULONG_MAX);
	SAME("%x %lx", 0xdeadbeefU, 0x123456789abcdefUL);
	SAME("[%5d] [%-5d] [%05d] [%-5u]", -42, -42, -42, 42U);
	SAME("[%1d] [%016lx] [%8x]", 12345, 0xabcUL, 0xffU);
	SAME("%p", (void *)0x1234);
}

static void
test_text(void **state)
{
	(void)state;
	SAME("plain 100%%");
	SAME("[%s] [%6s] [%-6s] [%1s]", "abc", "abc", "abc", "abc");
	SAME("[%c] [%3c] [%-3c]", 'a', 'b', 'c');
	SAME("%s", "");
}

static void
test_limits(void **state)
{
	char small[4] = "xyz", *volatile null = NULL;

	(void)state;
	assert_int_equal(kernel_snprintf(small, sizeof(small), "%d", 12345), 5);
	assert_string_equal(small, "123");
	assert_int_equal(kernel_snprintf(small, 0, "%d", 12345), 5);
	assert_string_equal(small, "123");
	kernel_snprintf(small, 1, "abc");
	assert_string_equal(small, "");
	kernel_printf("%s\n", null);
	assert_string_equal(shown, "(null)\n");
}

static void
test_message(void **state)
{
	char full[MESSAGE_MAX], over[MESSAGE_MAX + 1];

	(void)state;
	memset(full, 'x', sizeof(full));
	full[sizeof(full) - 1] = '\0';
	pieces = 0;
	kernel_printf("%s\n", full);
	assert_int_equal(strlen(shown), MESSAGE_MAX);
	assert_int_equal(shown[MESSAGE_MAX - 2], 'x');

	memset(over, 'x', sizeof(over));
	over[sizeof(over) - 1] = '\0';
	kernel_printf("%s\n", over);
	assert_int_equal(strlen(shown), MESSAGE_MAX);
	assert_string_equal(shown + MESSAGE_MAX - 5, "x...\n");
	assert_int_equal(pieces, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
