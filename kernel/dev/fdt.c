/* SPDX-License-Identifier: MIT */
/*
 * fdt.c - the device tree that the machine is described by (Devicetree
 * Specification 0.4, chapter 5).
 *
 * The tree is a stream of big-endian words: the beginning of a node, its
 * properties, the nodes inside it, its end.  One pass keeps, for the node it
 * is in and all around that, the few properties that we know the names of,
 * and looks at a node when it ends: then all of its properties are there,
 * and those of its parent, which say how wide its addresses are.
 *
 * Nothing in the tree is trusted.  Each word, string and property is checked
 * to lie inside its block before it is read, and a panic names the offset of
 * what is wrong.  kernel/dev/tests/fdt_test.c feeds it broken trees.
 *
 * We take addresses as they are: on this machine the buses between the root
 * and the devices do not translate.
 */
#include "kernel/dev/fdt.h"

#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"

enum {
	FDT_MAGIC = 0xd00dfeed,
	FDT_VERSION = 17,
	FDT_SIZE_MAX = 2 << 20,
	FDT_ALIGN = 8,
	DEPTH_MAX = 8,
};

/* Tokens of the structure block. */
enum {
	FDT_BEGIN_NODE = 1,
	FDT_END_NODE = 2,
	FDT_PROP = 3,
	FDT_NOP = 4,
	FDT_END = 9,
};

/* The header, in words. */
enum {
	HEAD_MAGIC,
	HEAD_TOTAL_SIZE,
	HEAD_STRUCT_OFFSET,
	HEAD_STRINGS_OFFSET,
	HEAD_RESERVE_OFFSET,
	HEAD_VERSION,
	HEAD_COMPATIBLE_VERSION,
	HEAD_BOOT_HART,
	HEAD_STRINGS_SIZE,
	HEAD_STRUCT_SIZE,
	HEAD_WORDS,
};

/* The properties we look at. */
enum prop_id {
	PROP_ADDRESS_CELLS,
	PROP_SIZE_CELLS,
	PROP_BOOTARGS,
	PROP_COMPATIBLE,
	PROP_DEVICE_TYPE,
	PROP_INTERRUPTS,
	PROP_REG,
	PROP_STATUS,
	PROP_TIMEBASE,
	NPROPS,
};

static const char *const prop_names[NPROPS] = {
	[PROP_ADDRESS_CELLS] = "#address-cells",
	[PROP_SIZE_CELLS] = "#size-cells",
	[PROP_BOOTARGS] = "bootargs",
	[PROP_COMPATIBLE] = "compatible",
	[PROP_DEVICE_TYPE] = "device_type",
	[PROP_INTERRUPTS] = "interrupts",
	[PROP_REG] = "reg",
	[PROP_STATUS] = "status",
	[PROP_TIMEBASE] = "timebase-frequency",
};

struct prop {
	const u8 *data; /* NULL: the node has no such property */
	u32 len;
};

struct node {
	const char *name;
	u32 offset; /* of the node, for messages */
	struct prop props[NPROPS];
};

/* Where the pass is.  All blocks are within the tree; at <= size. */
struct reader {
	const u8 *structs;
	u32 size;
	u32 at;
	const u8 *strings;
	u32 strings_size;
	struct node path[DEPTH_MAX]; /* the root first */
	u32 depth;                   /* nodes on path */
};

/*
 * The two addresses are where QEMU's virt machine has these devices: with
 * them a panic can be read even if it is about the tree itself.
 */
struct machine machine = {
	.uart = 0x10000000,
	.testdev = 0x100000,
};

/* Only used at boot, by one hart; too large for its stack. */
static struct reader reader;
static u64 harts_seen; /* bit n: hart n is in the tree */

_Static_assert(NCPU < 64, "harts_seen has a bit for each hart and one more");

static u32
be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/* string_length: of the string at s, or size if no NUL is among size bytes. */
static u32
string_length(const u8 *s, u32 size)
{
	u32 len = 0;

	while (len < size && s[len] != '\0')
		len++;
	return len;
}

/* --- properties */

/* prop_has: is text one of the strings, each NUL-terminated, of a property? */
static bool
prop_has(const struct prop *prop, const char *text)
{
	u32 at = 0;

	while (at < prop->len) {
		const u8 *s = prop->data + at;
		u32 len = string_length(s, prop->len - at);

		if (len == prop->len - at)
			return false;
		if (strcmp((const char *)s, text) == 0)
			return true;
		at += len + 1;
	}
	return false;
}

/* node_cells: the number of `cells` words at word `at` of a property. */
static u64
node_cells(const struct node *node, enum prop_id id, u32 at, u32 cells)
{
	const struct prop *prop = &node->props[id];
	u64 value = 0;

	if (cells > 2 || prop->data == NULL || prop->len / 4 < at + cells)
		panic("fdt: node lacks a number", node->offset);
	for (u32 i = 0; i < cells; i++)
		value = value << 32 | be32(prop->data + 4 * (at + i));
	return value;
}

/* node_width: words in an address or size of the nodes inside this one. */
static u32
node_width(const struct node *node, enum prop_id id, u32 normal)
{
	u64 width = normal;

	if (node->props[id].data != NULL)
		width = node_cells(node, id, 0, 1);
	if (width > 2)
		panic("fdt: addresses too wide", node->offset);
	return (u32)width;
}

/* node_range: what the first entry of reg covers; true if it has a size. */
static bool
node_range(const struct node *node, const struct node *parent, u64 *base,
	u64 *size)
{
	u32 wide_base = node_width(parent, PROP_ADDRESS_CELLS, 2);
	u32 wide_size = node_width(parent, PROP_SIZE_CELLS, 1);

	*base = node_cells(node, PROP_REG, 0, wide_base);
	*size = node_cells(node, PROP_REG, wide_base, wide_size);
	if (wide_size == 0)
		return false;
	if (*base + *size < *base || *base + *size > KSTACKS - KVBASE)
		panic("fdt: address out of the kernel's reach", *base);
	return true;
}

/* --- what we look for */

static void
take_chosen(const struct node *node)
{
	const struct prop *args = &node->props[PROP_BOOTARGS];

	if (args->data == NULL)
		return;
	if (string_length(args->data, args->len) == args->len)
		panic("fdt: boot arguments have no end", args->len);
	if (strlcpy(machine.bootargs, (const char *)args->data,
		    sizeof(machine.bootargs)) >= sizeof(machine.bootargs))
		panic("fdt: boot arguments are too long", args->len);
}

static void
take_hart(const struct node *node, const struct node *parent)
{
	u64 hart, size;

	node_range(node, parent, &hart, &size);
	machine.harts_found++;
	if (hart < NCPU)
		harts_seen |= 1UL << hart;
}

/* take_memory: of several banks, the one we run in. */
static void
take_memory(const struct node *node, const struct node *parent)
{
	u64 base, size;

	if (!node_range(node, parent, &base, &size))
		return;
	if (base <= KERNBASE && KERNBASE - base < size) {
		machine.ram_base = base;
		machine.ram_size = size;
	}
}

/* take_virtio: slots are kept in the order of their addresses. */
static void
take_virtio(paddr base, u32 irq)
{
	int i = machine.nvirtio;

	if (i == VIRTIO_SLOTS)
		panic("fdt: more virtio slots than we have room for", i);
	for (; i > 0 && machine.virtio[i - 1] > base; i--) {
		machine.virtio[i] = machine.virtio[i - 1];
		machine.virtio_irq[i] = machine.virtio_irq[i - 1];
	}
	machine.virtio[i] = base;
	machine.virtio_irq[i] = irq;
	machine.nvirtio++;
}

static void
take_uart(paddr base, u32 irq)
{
	machine.uart = base;
	machine.uart_irq = irq;
}

static void
take_plic(paddr base, u32 irq)
{
	machine.plic = base;
}

static void
take_clint(paddr base, u32 irq)
{
	machine.clint = base;
}

static void
take_testdev(paddr base, u32 irq)
{
	machine.testdev = base;
}

/* A device is taken by the first row that its `compatible` names. */
static const struct device {
	const char *compatible;
	bool has_irq;
	void (*take)(paddr base, u32 irq);
} devices[] = {
	{"ns16550a", true, take_uart},
	{"virtio,mmio", true, take_virtio},
	{"sifive,plic-1.0.0", false, take_plic},
	{"riscv,plic0", false, take_plic},
	{"sifive,clint0", false, take_clint},
	{"riscv,clint0", false, take_clint},
	{"sifive,test0", false, take_testdev},
};

static void
take_device(const struct node *node, const struct node *parent)
{
	const struct prop *compatible = &node->props[PROP_COMPATIBLE];

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		u64 base, size, irq = 0;

		if (!prop_has(compatible, devices[i].compatible))
			continue;
		if (!node_range(node, parent, &base, &size))
			panic("fdt: device has no size", node->offset);
		if (devices[i].has_irq)
			irq = node_cells(node, PROP_INTERRUPTS, 0, 1);
		devices[i].take(base, (u32)irq);
		return;
	}
}

static bool
usable(const struct node *node)
{
	const struct prop *status = &node->props[PROP_STATUS];

	return status->data == NULL || prop_has(status, "okay") ||
	       prop_has(status, "ok");
}

/* take_node: a node has ended; parent is the one it is in. */
static void
take_node(const struct node *node, const struct node *parent)
{
	const struct prop *type = &node->props[PROP_DEVICE_TYPE];

	if (strcmp(node->name, "cpus") == 0)
		machine.timebase = node_cells(node, PROP_TIMEBASE, 0, 1);
	else if (strcmp(node->name, "chosen") == 0)
		take_chosen(node);
	else if (!usable(node))
		return;
	else if (prop_has(type, "cpu"))
		take_hart(node, parent);
	else if (prop_has(type, "memory"))
		take_memory(node, parent);
	else
		take_device(node, parent);
}

/* --- the pass */

/* advance: step over n bytes and what aligns the next word. */
static const u8 *
advance(struct reader *r, u32 n)
{
	const u8 *p = r->structs + r->at;

	if (n > r->size - r->at)
		panic("fdt: tree is cut short", r->at);
	r->at += n;
	r->at += MIN(-r->at % 4, r->size - r->at);
	return p;
}

static u32
next_word(struct reader *r)
{
	return be32(advance(r, 4));
}

static void
begin_node(struct reader *r)
{
	const u8 *name = r->structs + r->at;
	struct node *node;

	if (r->depth == DEPTH_MAX)
		panic("fdt: nodes too deep", r->at);
	node = &r->path[r->depth++];
	*node = (struct node){.name = (const char *)name, .offset = r->at};
	advance(r, string_length(name, r->size - r->at) + 1);
}

static void
end_node(struct reader *r)
{
	if (r->depth == 0)
		panic("fdt: node ends that never began", r->at);
	r->depth--;
	if (r->depth > 0)
		take_node(&r->path[r->depth], &r->path[r->depth - 1]);
}

static void
read_prop(struct reader *r)
{
	u32 len = next_word(r);
	u32 name_at = next_word(r);
	const u8 *data = advance(r, len);
	const u8 *name = r->strings + name_at;

	if (r->depth == 0)
		panic("fdt: property outside of all nodes", r->at);
	if (name_at >= r->strings_size ||
		string_length(name, r->strings_size - name_at) ==
			r->strings_size - name_at)
		panic("fdt: property has no name", r->at);

	for (int i = 0; i < NPROPS; i++) {
		if (strcmp((const char *)name, prop_names[i]) == 0)
			r->path[r->depth - 1].props[i] =
				(struct prop){.data = data, .len = len};
	}
}

static void
read_nodes(struct reader *r)
{
	for (;;) {
		u32 token = next_word(r);

		switch (token) {
		case FDT_BEGIN_NODE:
			begin_node(r);
			break;
		case FDT_END_NODE:
			end_node(r);
			break;
		case FDT_PROP:
			read_prop(r);
			break;
		case FDT_NOP:
			break;
		case FDT_END:
			if (r->depth != 0)
				panic("fdt: tree ends inside a node", r->at);
			return;
		default:
			panic("fdt: no such token", token);
		}
	}
}

/* block: the part of the tree that the header says is at offset. */
static const u8 *
block(const u8 *tree, u32 total, u32 offset, u32 size)
{
	if (offset > total || size > total - offset)
		panic("fdt: block is not inside the tree", offset);
	return tree + offset;
}

static void
open_tree(struct reader *r, paddr pa)
{
	const u8 *tree = pa_to_kva(pa);
	u32 head[HEAD_WORDS];
	u32 total;

	if (pa == 0 || pa % FDT_ALIGN != 0)
		panic("fdt: no device tree at this address", pa);
	for (int i = 0; i < HEAD_WORDS; i++)
		head[i] = be32(tree + 4 * i);

	total = head[HEAD_TOTAL_SIZE];
	if (head[HEAD_MAGIC] != FDT_MAGIC)
		panic("fdt: no device tree here, but", head[HEAD_MAGIC]);
	if (head[HEAD_VERSION] < FDT_VERSION ||
		head[HEAD_COMPATIBLE_VERSION] > FDT_VERSION)
		panic("fdt: not version 17", head[HEAD_VERSION]);
	if (total > FDT_SIZE_MAX)
		panic("fdt: tree is too large", total);

	*r = (struct reader){
		.structs = block(tree, total, head[HEAD_STRUCT_OFFSET],
			head[HEAD_STRUCT_SIZE]),
		.size = head[HEAD_STRUCT_SIZE],
		.strings = block(tree, total, head[HEAD_STRINGS_OFFSET],
			head[HEAD_STRINGS_SIZE]),
		.strings_size = head[HEAD_STRINGS_SIZE],
	};
}

/* check_machine: all that we cannot do without was there. */
static void
check_machine(void)
{
	int n = MIN(machine.harts_found, NCPU);

	if (n == 0)
		panic("fdt: no harts", 0);
	if (harts_seen != (1UL << n) - 1)
		panic("fdt: hart numbers are not 0, 1, 2 and so on, but",
			harts_seen);
	if (machine.ram_size == 0)
		panic("fdt: no memory where the kernel is", KERNBASE);
	if (machine.plic == 0 || machine.clint == 0)
		panic("fdt: no interrupt controller", machine.plic);
	if (machine.timebase == 0)
		panic("fdt: clock has no frequency", machine.timebase);
	/* Only now: a panic interrupts the harts that it knows of. */
	machine.nharts = n;
}

void
fdt_read(paddr pa)
{
	machine = (struct machine){
		.uart = machine.uart,
		.testdev = machine.testdev,
	};
	harts_seen = 0;
	open_tree(&reader, pa);
	read_nodes(&reader);
	check_machine();
	if (machine.harts_found > machine.nharts)
		printf("fdt: %d harts found, %d used\n", machine.harts_found,
			machine.nharts);
}

/* --- boot arguments */

static size_t
word_length(const char *s)
{
	size_t len = 0;

	while (s[len] != '\0' && s[len] != ' ')
		len++;
	return len;
}

/* copy_value: at most size - 1 bytes and a NUL. */
static void
copy_value(char *buf, size_t size, const char *value, size_t len)
{
	if (size > 0)
		strlcpy(buf, value, MIN(size, len + 1));
}

bool
bootarg(const char *name, char *buf, size_t size)
{
	static const char rest[] = "run=";
	size_t want = strlen(name);
	const char *s = machine.bootargs;

	for (;;) {
		size_t len, skip;

		while (*s == ' ')
			s++;
		/* What stands behind run= is the program's, not ours. */
		len = word_length(s);
		if (strncmp(s, rest, strlen(rest)) == 0)
			len = strlen(s);
		if (len == 0)
			return false;
		if (strncmp(s, name, want) == 0 &&
			(len == want || s[want] == '=')) {
			skip = MIN(want + 1, len);
			copy_value(buf, size, s + skip, len - skip);
			return true;
		}
		s += len;
	}
}
