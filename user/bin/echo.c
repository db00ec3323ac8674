/* SPDX-License-Identifier: MIT */
/* echo - print the arguments. */
#include "kernel/types.h"
#include "kernel/param.h"
#include "user/user.h"

/* All in one piece where possible, so that lines of others do not mix in. */
static char text[1024];

int
main(int argc, char **argv)
{
	uint used = 0;

	for (int i = 1; i < argc; i++) {
		uint n = strlen(argv[i]);

		if (used + n + 1 > sizeof(text)) {
			write(1, text, used);
			used = 0;
		}
		if (n + 1 > sizeof(text)) {
			write(1, argv[i], n);
			n = 0;
		}
		memcpy(text + used, argv[i], n);
		used += n;
		text[used++] = i + 1 < argc ? ' ' : '\n';
	}
	if (argc < 2)
		text[used++] = '\n';
	return write(1, text, used) != (int)used;
}
