/* SPDX-License-Identifier: MIT */
/*
 * fdt_test.c - the device tree reader, on the host: a good tree is read
 * right, and a broken one ends in a panic and nothing worse.
 *
 *	make test ONLY=fdt_test
 *	build/test/fdt_test [SEED]
 *
 * The tree is made here, in the shape of that of QEMU's virt machine, and
 * lies in a block of memory of just its size, so that the sanitizer sees the
 * first byte read behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The kernel's printf() is not the host's: it gets a name of its own here. */
#define printf kernel_printf
#include "kernel/dev/fdt.c"

enum {
	STRUCTS_MAX = 8192,
	STRINGS_MAX = 512,
	HEADER_BYTES = 40,
	TOTAL_SIZE_AT = 4,
	MUTANTS = 200000,
};

/* --- what the reader needs of the kernel */

static jmp_buf panic_jump;
static const char *panic_text;

void
panic(const char *what, unsigned long data)
{
	(void)data;
	panic_text = what;
	longjmp(panic_jump, 1);
}

static int notes; /* calls of printf */

/* Not in every host's library. */
size_t
strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size > 0) {
		size_t fits = MIN(len, size - 1);

		memcpy(dst, src, fits);
		dst[fits] = '\0';
	}
	return len;
}

void
printf(const char *fmt, ...)
{
	(void)fmt;
	notes++;
}

/* --- making trees */

static struct {
	u8 structs[STRUCTS_MAX];
	u32 nstructs;
	char strings[STRINGS_MAX];
	u32 nstrings;
} tree;

static void
store32(u8 *to, u32 value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (u8)(value >> (24 - 8 * i));
}

static void
put_word(u32 value)
{
	store32(tree.structs + tree.nstructs, value);
	tree.nstructs += 4;
}

static void
put_bytes(const void *data, u32 len)
{
	memcpy(tree.structs + tree.nstructs, data, len);
	tree.nstructs += (len + 3) / 4 * 4;
}

static void
put_begin(const char *name)
{
	put_word(1);
	put_bytes(name, (u32)strlen(name) + 1);
}

static void
put_end(void)
{
	put_word(2);
}

static u32
string_at(const char *name)
{
	u32 at = 0;

	while (at < tree.nstrings) {
		if (strcmp(tree.strings + at, name) == 0)
			return at;
		at += (u32)strlen(tree.strings + at) + 1;
	}
	strcpy(tree.strings + at, name);
	tree.nstrings += (u32)strlen(name) + 1;
	return at;
}

static void
put_prop(const char *name, const void *data, u32 len)
{
	put_word(3);
	put_word(len);
	put_word(string_at(name));
	put_bytes(data, len);
}

static void
put_text(const char *name, const char *text)
{
	put_prop(name, text, (u32)strlen(text) + 1);
}

static void
put_words(const char *name, int n, const u32 *words)
{
	put_word(3);
	put_word(4 * (u32)n);
	put_word(string_at(name));
	for (int i = 0; i < n; i++)
		put_word(words[i]);
}

#define PUT_WORDS(name, ...)                                                   \
	put_words(name, sizeof((u32[]){__VA_ARGS__}) / 4, (u32[]){__VA_ARGS__})

static void
add_device(const char *name, const char *compatible, u32 base, u32 irq)
{
	put_begin(name);
	PUT_WORDS("reg", 0, base, 0, 0x1000);
	put_text("compatible", compatible);
	if (irq != 0)
		PUT_WORDS("interrupts", irq);
	put_end();
}

static void
add_harts(int first, int n)
{
	put_begin("cpus");
	PUT_WORDS("#address-cells", 1);
	PUT_WORDS("#size-cells", 0);
	PUT_WORDS("timebase-frequency", 10000000);
	for (int i = first; i < first + n; i++) {
		put_begin("cpu@");
		put_text("device_type", "cpu");
		PUT_WORDS("reg", (u32)i);
		put_text("status", "okay");
		put_begin("interrupt-controller");
		put_text("compatible", "riscv,cpu-intc");
		put_end();
		put_end();
	}
	put_begin("cpu@off");
	put_text("device_type", "cpu");
	PUT_WORDS("reg", 99);
	put_text("status", "disabled");
	put_end();
	put_end();
}

static void
add_soc(void)
{
	static const char plic[] = "sifive,plic-1.0.0\0riscv,plic0";

	put_begin("soc");
	PUT_WORDS("#address-cells", 2);
	PUT_WORDS("#size-cells", 2);
	add_device("serial@10000000", "ns16550a", 0x10000000, 10);
	add_device("test@100000", "sifive,test0", 0x100000, 0);
	for (u32 i = 8; i > 0; i--)
		add_device("virtio_mmio@", "virtio,mmio",
			0x10000000 + i * 0x1000, i);
	put_begin("plic@c000000");
	put_prop("compatible", plic, sizeof(plic));
	PUT_WORDS("reg", 0, 0xc000000, 0, 0x600000);
	put_end();
	add_device("clint@2000000", "riscv,clint0", 0x2000000, 0);
	put_end();
}

/* What a test adds to the nodes of the root; NULL: nothing. */
static void (*add_extra)(void);

/* make_tree: in memory of its own; *size is what it takes. */
static u8 *
make_tree(int first_hart, int harts, const char *bootargs, u32 *size)
{
	u32 total;
	u8 *blob;

	memset(&tree, 0, sizeof(tree));
	put_begin("");
	PUT_WORDS("#address-cells", 2);
	PUT_WORDS("#size-cells", 2);
	put_begin("chosen");
	put_text("bootargs", bootargs);
	put_end();
	put_begin("memory@80000000");
	put_text("device_type", "memory");
	PUT_WORDS("reg", 0, 0x80000000, 0, 0x8000000);
	put_end();
	add_harts(first_hart, harts);
	add_soc();
	if (add_extra != NULL)
		add_extra();
	put_end();
	put_word(9);

	total = HEADER_BYTES + tree.nstructs + tree.nstrings;
	blob = malloc(total);
	assert_non_null(blob);
	const u32 head[] = {0xd00dfeed, total, HEADER_BYTES,
		HEADER_BYTES + tree.nstructs, HEADER_BYTES, 17, 16, 0,
		tree.nstrings, tree.nstructs};

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		store32(blob + 4 * i, head[i]);
	memcpy(blob + HEADER_BYTES, tree.structs, tree.nstructs);
	memcpy(blob + HEADER_BYTES + tree.nstructs, tree.strings,
		tree.nstrings);
	*size = total;
	return blob;
}

/* read_tree: NULL, or the text of the panic. */
static const char *
read_tree(const u8 *blob)
{
	panic_text = NULL;
	if (setjmp(panic_jump) == 0)
		fdt_read(kva_to_pa(blob));
	return panic_text;
}

static const char *
read_made(int first_hart, int harts, const char *bootargs)
{
	u32 size;
	u8 *blob = make_tree(first_hart, harts, bootargs, &size);
	const char *text = read_tree(blob);

	free(blob);
	return text;
}

/* --- tests */

static void
test_good(void **state)
{
	(void)state;
	notes = 0;
	assert_null(read_made(0, 8, "batch"));
	assert_int_equal(machine.nharts, 8);
	assert_int_equal(machine.timebase, 10000000);
	assert_int_equal(machine.ram_base, 0x80000000);
	assert_int_equal(machine.ram_size, 128 << 20);
	assert_int_equal(machine.uart, 0x10000000);
	assert_int_equal(machine.uart_irq, 10);
	assert_int_equal(machine.plic, 0xc000000);
	assert_int_equal(machine.clint, 0x2000000);
	assert_int_equal(machine.testdev, 0x100000);
	assert_int_equal(machine.nvirtio, 8);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(machine.virtio[i], 0x10001000 + i * 0x1000);
		assert_int_equal(machine.virtio_irq[i], i + 1);
	}
	assert_int_equal(notes, 0);
}

static void
test_harts(void **state)
{
	(void)state;
	notes = 0;
	assert_null(read_made(0, NCPU + 3, ""));
	assert_int_equal(machine.nharts, NCPU);
	assert_int_equal(machine.harts_found, NCPU + 3);
	assert_int_equal(notes, 1);
	assert_non_null(read_made(1, 4, ""));
	assert_non_null(read_made(0, 0, ""));
}

static void
test_bootargs(void **state)
{
	char value[64], small[4], longest[sizeof(machine.bootargs) + 1];

	(void)state;
	assert_null(
		read_made(0, 1, " batch seed=77  tune=-cow run=a seed=5 x"));
	assert_true(bootarg("batch", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(bootarg("batch", NULL, 0));
	assert_true(bootarg("seed", value, sizeof(value)));
	assert_string_equal(value, "77");
	assert_true(bootarg("tune", small, sizeof(small)));
	assert_string_equal(small, "-co");
	assert_true(bootarg("run", value, sizeof(value)));
	assert_string_equal(value, "a seed=5 x");
	assert_false(bootarg("x", value, sizeof(value)));
	assert_false(bootarg("bat", value, sizeof(value)));
	assert_false(bootarg("batches", value, sizeof(value)));

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 2] = '\0';
	assert_null(read_made(0, 1, longest));
	longest[sizeof(longest) - 2] = 'x';
	longest[sizeof(longest) - 1] = '\0';
	assert_non_null(read_made(0, 1, longest));
}

static void
add_deep(void)
{
	for (int i = 0; i < DEPTH_MAX; i++)
		put_begin("deep");
	for (int i = 0; i < DEPTH_MAX; i++)
		put_end();
}

static void
add_short_reg(void)
{
	put_begin("memory@0");
	put_text("device_type", "memory");
	PUT_WORDS("reg", 0, 0x80000000, 0);
	put_end();
}

static void
add_endless_memory(void)
{
	put_begin("memory@0");
	put_text("device_type", "memory");
	PUT_WORDS("reg", 0, 0x80000000, 0xffffffff, 0xffffffff);
	put_end();
}

static void
add_ninth_slot(void)
{
	add_device("virtio_mmio@", "virtio,mmio", 0x10009000, 9);
}

static void
add_other_bank(void)
{
	put_begin("memory@0");
	put_text("device_type", "memory");
	PUT_WORDS("reg", 0, 0, 0, 0x1000);
	put_end();
}

/* Trees that are well formed and say what cannot be. */
static void
test_senseless(void **state)
{
	static const struct {
		void (*extra)(void);
		const char *text;
	} cases[] = {
		{add_other_bank, NULL},
		{add_deep, "fdt: nodes too deep"},
		{add_short_reg, "fdt: node lacks a number"},
		{add_endless_memory, "fdt: address out of the kernel's reach"},
		{add_ninth_slot,
			"fdt: more virtio slots than we have room for"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *text;

		add_extra = cases[i].extra;
		text = read_made(0, 2, "");
		if (cases[i].text == NULL)
			assert_null(text);
		else
			assert_string_equal(text, cases[i].text);
	}
	add_extra = NULL;
}

/* Every length that is too short: cut where the header says so, too. */
static void
test_cut(void **state)
{
	u32 size;
	u8 *blob = make_tree(0, 2, "", &size);

	(void)state;
	for (u32 cut = HEADER_BYTES; cut < size; cut++) {
		u8 *part = malloc(cut);

		assert_non_null(part);
		memcpy(part, blob, cut);
		store32(part + TOTAL_SIZE_AT, cut);
		assert_non_null(read_tree(part));
		free(part);
	}
	free(blob);
}

/*
 * Random damage.  The total size is put back: that a tree says of itself how
 * much memory it has is what the reader has to believe.
 */
static void
test_mutants(void **state)
{
	static const u8 special[] = {0, 1, 2, 3, 4, 9, 0x7f, 0x80, 0xfc, 0xff};
	u32 size, good = 0;
	u8 *blob = make_tree(0, 3, "batch run=x", &size);
	u8 *mutant = malloc(size);
	unsigned seed = *(unsigned *)*state;

	assert_non_null(mutant);
	srand(seed);
	print_message("seed %u\n", seed);
	for (int i = 0; i < MUTANTS; i++) {
		memcpy(mutant, blob, size);
		for (int n = 1 + rand() % 4; n > 0; n--)
			mutant[rand() % (int)size] =
				rand() % 2 ? (u8)rand()
					   : special[rand() %
						     (int)sizeof(special)];
		store32(mutant + TOTAL_SIZE_AT, size);
		if (read_tree(mutant) == NULL) {
			good++;
			assert_in_range(machine.nharts, 1, NCPU);
		}
	}
	print_message(
		"%u of %d broken trees were good enough\n", good, MUTANTS);
	free(mutant);
	free(blob);
}

int
main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_harts),
		cmocka_unit_test(test_bootargs),
		cmocka_unit_test(test_senseless),
		cmocka_unit_test(test_cut),
		cmocka_unit_test_prestate(test_mutants, &seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
