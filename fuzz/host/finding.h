/* SPDX-License-Identifier: MIT */
/*
 * finding.h - one bug that was found: what is known of it, and its folder.
 *
 *	finding.txt   the fields of struct finding, a line each
 *	report.md     for people
 *	program.prog, program.bin, program.c
 *	console.txt, trace.txt
 *	again.sh      runs the program once more; needs no argument
 *	hits.txt      the inputs that showed it (store.c)
 */
#ifndef FUZZ_HOST_FINDING_H
#define FUZZ_HOST_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "fuzz/host/elf.h"
#include "fuzz/host/signature.h"
#include "fuzz/host/vm.h"
#include "fuzz/wire/prog.h"

enum { FINDING_NAME = 96, FINDING_LINE = 320, BUILD_ID = 17 };

struct finding {
	unsigned number;         /* 0: it did not reproduce */
	char name[FINDING_NAME]; /* of its folder, in the store's */
	char signature[SIGNATURE_MAX];
	char class[16];
	char what[FINDING_LINE];      /* the constant text */
	char detail[FINDING_LINE];    /* the numbers that belong to it */
	char revision[FINDING_LINE];  /* of the tree it was found in */
	char build[BUILD_ID];         /* of kernel and monitor */
	char input[FINDING_LINE];     /* the file it was made from */
	unsigned ops, lanes, harts;   /* of the program as it is kept */
	unsigned ops_before;          /* it was minimised */
	unsigned reproduced, repeats; /* so often, of so many */
	unsigned others;              /* of them failed in another way */
	unsigned steady;              /* all of them had one trace */
	unsigned hits;                /* inputs; counted, not stored here */
};

/* What a finding was seen in: the result of a run of p, or none. */
struct evidence {
	const struct prog *prog;
	const struct vm_result *result; /* NULL: it never failed */
	const struct elf *kernel;
	const char *kernel_path;
};

/*
 * finding_write: all files of f but hits.txt into folder dir, which is there.
 * kernels is the way from there to the folder that keeps the kernels.
 * Returns 0, or -1 with one line in err.
 */
int finding_write(const char *dir, const char *kernels, const struct finding *f,
	const struct evidence *e, char *err, size_t size);

/* finding_read: from the folder dir.  False if it is not one. */
bool finding_read(const char *dir, struct finding *f);

/* finding_line: to as one line without control characters, cut if too long. */
void finding_line(char *to, size_t size, const char *from);

#endif
