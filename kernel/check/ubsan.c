/* SPDX-License-Identifier: MIT */
/*
 * ubsan.c - FLAVOR=ubsan: what C leaves undefined does not happen unseen.
 *
 * The compiler tests before each operation whether it is defined for these
 * values (-fsanitize=undefined), and calls a function below if not: their
 * names, their arguments and the structs that these point to are its
 * contract.  Each says where the operation is, what and with which values,
 * in one line, and panics with the kind.
 *
 * Three tests have no function, for the kernel cannot be built with what they
 * look at: arrays of variable length, functions that end without a result, and
 * the builtins that count zero bits, which are in a library.
 *
 * Not compiled with these tests itself: a report would lead to a report.
 */
#include "kernel/lib/base.h"

#if UBSAN
/* Where in the source. */
struct place {
	const char *file;
	u32 line;
	u32 column;
};

struct type {
	u16 kind; /* TYPE_INTEGER, or one that has no value to print */
	u16 info; /* of integers: bit 0 signed, above it log2 of the bits */
	char name[];
};

enum { TYPE_INTEGER = 0 };

struct overflow {
	struct place place;
	const struct type *type;
};

struct shift {
	struct place place;
	const struct type *left;
	const struct type *right;
};

struct bounds {
	struct place place;
	const struct type *array;
	const struct type *index;
};

struct mismatch {
	struct place place;
	const struct type *type;
	u8 alignment; /* log2 */
	u8 access;    /* index into accesses */
};

struct invalid_value {
	struct place place;
	const struct type *type;
};

struct nonnull {
	struct place place;
	struct place attribute;
	int argument; /* from 1; not for return values */
};

static const char *const accesses[] = {
	"load of",
	"store to",
	"reference to",
	"member access in",
	"member call in",
	"constructor call in",
	"downcast to",
	"downcast to",
	"upcast of",
	"conversion to base of",
	"null check of",
	"dynamic operation on",
};

/* ---- values */

static u32
type_bits(const struct type *t)
{
	return 1u << (t->info >> 1);
}

/*
 * A value is passed as it is if it fits in a word, or else by its address,
 * and then its low word will do.
 */
static u64
value_of(const struct type *t, u64 passed)
{
	u32 bits = type_bits(t);

	if (t->kind != TYPE_INTEGER)
		return passed;
	if (bits > 64)
		return *(const u64 *)passed;
	if (bits == 64)
		return passed;
	passed &= (1UL << bits) - 1;
	/* Extend the sign. */
	if ((t->info & 1) && (passed >> (bits - 1)) != 0)
		passed |= ~0UL << bits;
	return passed;
}

/* Room for one number in decimal. */
struct digits {
	char text[24];
};

static const char *
print_value(struct digits *out, const struct type *t, u64 passed)
{
	u64 value = value_of(t, passed);

	if (t->kind == TYPE_INTEGER && (t->info & 1))
		snprintf(out->text, sizeof(out->text), "%ld", (i64)value);
	else
		snprintf(out->text, sizeof(out->text), "%lu", value);
	return out->text;
}

/* ---- reports */

/* What comes first in each line; the caller's printf goes on. */
#define REPORT(where, fmt, ...)                                                \
	printf("\nubsan: %s:%u:%u: " fmt "\n", (where)->file, (where)->line,   \
		(where)->column, ##__VA_ARGS__)

static void __noreturn
overflow(const struct overflow *data, u64 a, u64 b, const char *sign,
	const char *what)
{
	struct digits left, right;

	REPORT(&data->place, "%s %s %s cannot be represented in %s",
		print_value(&left, data->type, a), sign,
		print_value(&right, data->type, b), data->type->name);
	panic(what, value_of(data->type, a));
}

/* Declares and defines; nothing in C calls these. */
#define HANDLER(name, ...)                                                     \
	void __noreturn __ubsan_handle_##name(__VA_ARGS__);                    \
	void __ubsan_handle_##name(__VA_ARGS__)

HANDLER(add_overflow_abort, const struct overflow *data, u64 a, u64 b)
{
	overflow(data, a, b, "+", "ubsan: signed addition overflows");
}

HANDLER(sub_overflow_abort, const struct overflow *data, u64 a, u64 b)
{
	overflow(data, a, b, "-", "ubsan: signed subtraction overflows");
}

HANDLER(mul_overflow_abort, const struct overflow *data, u64 a, u64 b)
{
	overflow(data, a, b, "*", "ubsan: signed multiplication overflows");
}

HANDLER(divrem_overflow_abort, const struct overflow *data, u64 a, u64 b)
{
	overflow(data, a, b, "/", "ubsan: division by zero or overflow");
}

HANDLER(negate_overflow_abort, const struct overflow *data, u64 a)
{
	struct digits value;

	REPORT(&data->place, "-(%s) cannot be represented in %s",
		print_value(&value, data->type, a), data->type->name);
	panic("ubsan: negation overflows", value_of(data->type, a));
}

HANDLER(shift_out_of_bounds_abort, const struct shift *data, u64 a, u64 b)
{
	struct digits left, right;

	REPORT(&data->place, "shift of %s, a %s, by %s bits",
		print_value(&left, data->left, a), data->left->name,
		print_value(&right, data->right, b));
	panic("ubsan: bad shift", value_of(data->right, b));
}

HANDLER(out_of_bounds_abort, const struct bounds *data, u64 index)
{
	struct digits value;

	REPORT(&data->place, "index %s of %s",
		print_value(&value, data->index, index), data->array->name);
	panic("ubsan: index out of bounds", value_of(data->index, index));
}

HANDLER(pointer_overflow_abort, const struct place *place, u64 base, u64 result)
{
	REPORT(place, "pointer %lx moved to %lx", base, result);
	panic("ubsan: pointer arithmetic overflows", result);
}

HANDLER(type_mismatch_v1_abort, const struct mismatch *data, u64 at)
{
	const char *access = data->access < ARRAY_SIZE(accesses)
				     ? accesses[data->access]
				     : "use of";
	u64 alignment = 1UL << data->alignment;

	REPORT(&data->place, "%s %s at %lx", access, data->type->name, at);
	if (at == 0)
		panic("ubsan: null pointer", at);
	if (at % alignment != 0)
		panic("ubsan: misaligned pointer", at);
	panic("ubsan: object too small for its type", at);
}

HANDLER(load_invalid_value_abort, const struct invalid_value *data, u64 value)
{
	struct digits text;

	REPORT(&data->place, "%s is no value of %s",
		print_value(&text, data->type, value), data->type->name);
	panic("ubsan: invalid value", value_of(data->type, value));
}

HANDLER(nonnull_arg_abort, const struct nonnull *data)
{
	REPORT(&data->place, "argument %d is NULL", data->argument);
	panic("ubsan: null argument", data->argument);
}

HANDLER(nonnull_return_v1_abort, const struct nonnull *data,
	const struct place *place)
{
	REPORT(place, "the result is NULL");
	panic("ubsan: null result", place->line);
}

HANDLER(builtin_unreachable, const struct place *place)
{
	REPORT(place, "unreachable, and yet reached");
	panic("ubsan: unreachable code", place->line);
}
#endif
