/* SPDX-License-Identifier: MIT */
/* tune.c - the switches that benchmarks turn, and their boot argument. */
#include "kernel/dev/fdt.h"
#include "kernel/lib/string.h"
#include "kernel/mm/tune.h"

struct tune tune = {
	.cow = COW,
	.zeropage = true,
	.text = true,
	.reuse = true,
	.around = true,
};

static const struct {
	const char *name;
	bool *value;
} switches[] = {
	{"cow", &tune.cow},
	{"zeropage", &tune.zeropage},
	{"text", &tune.text},
	{"reuse", &tune.reuse},
	{"around", &tune.around},
};

static void
tune_set(const char *word, size_t len)
{
	for (u64 i = 0; i < ARRAY_SIZE(switches); i++) {
		const char *name = switches[i].name;

		if (len != strlen(name) + 1 || strncmp(word + 1, name, len - 1))
			continue;
		*switches[i].value = word[0] == '+';
		return;
	}
	printf("tune: unknown switch; know cow zeropage text reuse around\n");
}

void
tune_init(void)
{
	char arg[64];
	size_t len;

	if (!bootarg("tune", arg, sizeof(arg)))
		return;
	for (const char *word = arg; *word != '\0'; word += len) {
		len = 0;
		while (word[len] != '\0' && word[len] != ',')
			len++;
		tune_set(word, len);
		if (word[len] == ',')
			len++;
	}
}
