/* SPDX-License-Identifier: MIT */
/*
 * report.h - a failure as text for people.
 */
#ifndef FUZZ_HOST_REPORT_H
#define FUZZ_HOST_REPORT_H

#include <stdio.h>

#include "fuzz/host/finding.h"

/* report_where: the backtraces of all harts, with files and lines. */
void report_where(const struct evidence *e, FILE *to);

/* report_oracles: what the executor accuses the kernel of. */
void report_oracles(const struct evidence *e, FILE *to);

/* report_audit: the audit's lines of the console. */
void report_audit(const struct evidence *e, FILE *to);

/* report_console: its last lines. */
void report_console(const struct evidence *e, FILE *to);

/* report_trace: what happened in which order; needs vm_trace(). */
void report_trace(const struct evidence *e, FILE *to);

/* report_write: report.md. */
void report_write(const struct finding *f, const struct evidence *e, FILE *to);

#endif
