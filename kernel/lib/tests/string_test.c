/* SPDX-License-Identifier: MIT */
/*
 * string_test.c - kernel/lib/string.c on the host, against loops that are too
 * simple to be wrong: every alignment of both ends, every short length, every
 * overlap, and nothing touched outside.
 *
 *	make test ONLY=string_test
 *	build/test/string_test
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The host's library keeps its names. */
#define printf  kernel_printf
#define memset  kernel_memset
#define memmove kernel_memmove
#define memcpy  kernel_memcpy
#define memcmp  kernel_memcmp
#define strlen  kernel_strlen
#define strnlen kernel_strnlen
#define strcmp  kernel_strcmp
#define strncmp kernel_strncmp
#define strlcpy kernel_strlcpy
#include "kernel/lib/string.c"

enum { ALIGNS = 9, LENGTHS = 200, ARENA = 512, MARGIN = 40 };

static u8 arena[ARENA] __aligned(64);
static u8 expected[ARENA];

static void
fill_arena(void)
{
	for (int i = 0; i < ARENA; i++)
		arena[i] = expected[i] = (u8)(i * 7 + i / 256);
}

static void
check_arena(const char *what, size_t to, size_t from, size_t n)
{
	for (size_t i = 0; i < ARENA; i++) {
		if (arena[i] != expected[i])
			fail_msg("%s to %zu from %zu of %zu: byte %zu", what,
				to, from, n, i);
	}
}

static void
test_memset(void **state)
{
	(void)state;
	for (size_t at = MARGIN; at < MARGIN + ALIGNS; at++) {
		for (size_t n = 0; n < LENGTHS; n++) {
			fill_arena();
			for (size_t i = 0; i < n; i++)
				expected[at + i] = 0xa5;
			assert_ptr_equal(
				memset(arena + at, 0x1a5, n), arena + at);
			check_arena("memset", at, 0, n);
		}
	}
}

/* Both places in one arena: apart, touching and overlapping. */
static void
try_move(size_t to, size_t from, size_t n)
{
	u8 copy[LENGTHS];

	fill_arena();
	for (size_t i = 0; i < n; i++)
		copy[i] = expected[from + i];
	for (size_t i = 0; i < n; i++)
		expected[to + i] = copy[i];
	assert_ptr_equal(memmove(arena + to, arena + from, n), arena + to);
	check_arena("memmove", to, from, n);
}

static void
test_memmove(void **state)
{
	(void)state;
	for (size_t from = MARGIN; from < MARGIN + ALIGNS; from++) {
		for (size_t to = 0; to < ARENA - LENGTHS; to++) {
			for (size_t n = 0; n < LENGTHS; n += n < 80 ? 1 : 13)
				try_move(to, from, n);
		}
	}
}

/* In blocks of just their size, so that the sanitizer sees each step out. */
static void
try_copy(size_t to_align, size_t from_align, size_t n)
{
	u8 *to = malloc(to_align + n), *from = malloc(from_align + n);

	assert_true(to_align + n == 0 || to != NULL);
	assert_true(from_align + n == 0 || from != NULL);
	for (size_t i = 0; i < n; i++)
		from[from_align + i] = (u8)(i * 11 + 1);
	memcpy(to + to_align, from + from_align, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(to[to_align + i], (u8)(i * 11 + 1));
	assert_int_equal(memcmp(to + to_align, from + from_align, n), 0);
	free(to);
	free(from);
}

static void
test_memcpy(void **state)
{
	(void)state;
	for (size_t to = 0; to < ALIGNS; to++) {
		for (size_t from = 0; from < ALIGNS; from++) {
			for (size_t n = 0; n < LENGTHS; n++)
				try_copy(to, from, n);
		}
	}
}

static void
test_memcmp(void **state)
{
	u8 a[64] __aligned(8), b[64 + 8] __aligned(8);

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		for (size_t at = 0; at < sizeof(a); at++) {
			memset(a, 0x80, sizeof(a));
			memset(b, 0x80, sizeof(b));
			b[shift + at] = 0x81;
			assert_true(memcmp(a, b + shift, sizeof(a)) < 0);
			assert_true(memcmp(b + shift, a, sizeof(a)) > 0);
			assert_int_equal(memcmp(a, b + shift, at), 0);
		}
	}
}

/* A NUL at every place of text, or none in reach. */
static void
check_strnlen(char *text)
{
	for (size_t len = 0; len < ALIGNS * 4; len++) {
		char kept = text[len];

		text[len] = '\0';
		for (size_t n = 0; n < ALIGNS * 5; n++)
			assert_int_equal(strnlen(text, n), MIN(n, len));
		text[len] = kept;
	}
}

/* Among bytes that could be taken for one, alike and mixed. */
static void
test_strnlen(void **state)
{
	static const u8 others[] = {0x01, 'a', 0x7f, 0x80, 0x81, 0xff};

	(void)state;
	for (size_t kind = 0; kind <= ARRAY_SIZE(others); kind++) {
		for (size_t i = 0; i < ARENA; i++)
			arena[i] = others[kind < ARRAY_SIZE(others)
						  ? kind
						  : i * 7 % ARRAY_SIZE(others)];
		for (size_t at = MARGIN; at < MARGIN + ALIGNS; at++)
			check_strnlen((char *)arena + at);
	}
}

static void
test_strings(void **state)
{
	char small[4];

	(void)state;
	assert_int_equal(strlen(""), 0);
	assert_int_equal(strlen("abc"), 3);
	assert_true(strcmp("abc", "abc") == 0);
	assert_true(strcmp("abc", "abcd") < 0);
	assert_true(strcmp("\x80", "\x7f") > 0);
	assert_true(strncmp("abc", "abd", 2) == 0);
	assert_true(strncmp("abc", "abd", 3) < 0);
	assert_true(strncmp("ab", "ab", 9) == 0);
	assert_int_equal(strlcpy(small, "abcdef", sizeof(small)), 6);
	assert_true(strcmp(small, "abc") == 0);
	assert_int_equal(strlcpy(small, "", sizeof(small)), 0);
	assert_true(strcmp(small, "") == 0);
	assert_int_equal(strlcpy(NULL, "abc", 0), 3);
}

static void
test_pages(void **state)
{
	static u8 a[PGSIZE] __aligned(PGSIZE), b[PGSIZE] __aligned(PGSIZE);

	(void)state;
	for (int i = 0; i < PGSIZE; i++)
		a[i] = (u8)(i ^ i >> 8);
	page_copy(b, a);
	assert_int_equal(memcmp(a, b, PGSIZE), 0);
	page_zero(a);
	for (int i = 0; i < PGSIZE; i++)
		assert_int_equal(a[i], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memset),
		cmocka_unit_test(test_memmove),
		cmocka_unit_test(test_memcpy),
		cmocka_unit_test(test_memcmp),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_strnlen),
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
