/* SPDX-License-Identifier: MIT */
/*
 * audit - have the kernel check every page, table, process and file: audit
 *
 * What differs is printed by the kernel, to the console.  Ends with 0 if all
 * is well, 1 if not, 2 if the machine did not come to rest.
 */
#include "user/user.h"
#include "user/stampede.h"

int
main(int argc, char **argv)
{
	int findings = audit();

	if (findings < 0) {
		fprintf(2, "audit: the machine is too busy; try again\n");
		return 2;
	}
	if (findings > 0) {
		fprintf(2, "audit: %d findings\n", findings);
		return 1;
	}
	printf("audit: all is well\n");
	return 0;
}
