/* SPDX-License-Identifier: MIT */
/*
 * list.c - `stampede-fuzz findings`: what has been found.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz/host/commands.h"
#include "fuzz/host/options.h"
#include "fuzz/host/store.h"

static void
print_findings(const struct store *store, const char *dir)
{
	const struct finding *f;
	int width = (int)strlen("signature");

	for (size_t i = 0; (f = store_get(store, i)) != NULL; i++)
		if ((int)strlen(f->signature) > width)
			width = (int)strlen(f->signature);
	if (store_get(store, 0) != NULL)
		printf("no.  %-*s   hits  ops  again     folder\n", width,
			"signature");
	for (size_t i = 0; (f = store_get(store, i)) != NULL; i++)
		printf("%03u  %-*s  %5u  %3u  %2u of %-2u  %s/%s\n", f->number,
			width, f->signature, f->hits, f->ops, f->reproduced,
			f->repeats, dir, f->name);
}

int
findings_main(int argc, char **argv)
{
	struct vm_config config;
	bool status = false;
	const struct option_row own[] = {
		{"status", OPTION_FLAG, &status, NULL,
			"exit with 1 if there are any", 0, 0},
		{0},
	};
	int first = options_parse(&config, own, "[FOLDER]",
		"List the findings [build/fuzz/findings].", argc, argv);
	const char *dir = first < argc ? argv[first] : "build/fuzz/findings";
	struct store *store;
	size_t n = 0, odd = 0;

	if (first + 1 < argc)
		options_fail(argv[0], "give one folder");
	store = store_list(dir);
	print_findings(store, dir);
	while (store_get(store, n) != NULL)
		n++;
	while (store_odd(store, odd) != NULL)
		odd++;
	printf("%zu finding%s", n, n == 1 ? "" : "s");
	if (odd > 0)
		printf("; inputs that did not fail again: %zu, in "
		       "%s/unreproduced",
			odd, dir);
	putchar('\n');
	store_close(store);
	return status && n > 0 ? EXIT_FINDING : EXIT_GOOD;
}
