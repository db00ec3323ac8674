/* SPDX-License-Identifier: MIT */
/*
 * report.c - a failure as text for people, in Markdown.
 *
 * The console and the mailbox were written by a kernel that has just failed.
 * Every count is looked at before it is used, what is no text is printed as
 * numbers, and blocks are indented: nothing in them can end them.
 */
#define _GNU_SOURCE
#include "fuzz/host/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/host/symbols.h"
#include "fuzz/monitor/usercall.h"
#include "fuzz/wire/text.h"

enum { CONSOLE_LINES = 40, LINE_BYTES = 500 };

#define USER_END (1ull << 38)

static const char indent[] = "    ";

static const char *const oracle_texts[NORACLES] = {
#define ORACLE(name, text) [ORACLE_##name] = text,
#include "fuzz/monitor/oracles.def"
#undef ORACLE
};

static unsigned
limit(unsigned n, unsigned max)
{
	return n < max ? n : max;
}

/* One line as part of a block; of a very long one the beginning. */
static void
put_line(const char *line, size_t n, FILE *to)
{
	size_t shown = n < LINE_BYTES ? n : LINE_BYTES;

	fputs(indent, to);
	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c == '\t' || (c >= ' ' && c < 0x7f))
			fputc(c, to);
		else if (c != '\r')
			fprintf(to, "\\x%02x", c);
	}
	if (shown < n)
		fprintf(to, " ... and %zu more", n - shown);
	fputc('\n', to);
}

static void
put_op(const struct prog *p, int op, FILE *to)
{
	char text[TEXT_LINE];

	if (op < 0 || op >= p->nops)
		return;
	prog_print_op(&p->ops[op], text, sizeof(text));
	fprintf(to, " (%s)", text);
}

/* --- where */

static unsigned
frames_of(const struct mailbox *box, unsigned hart)
{
	return limit(box->nframes[hart], FRAMES_MAX);
}

/*
 * The instruction that the i-th frame of a hart is about.  A return address is
 * behind the call, which may be the last instruction of its function.  The
 * first is where the hart stands: behind what it has called us by, unless it
 * has trapped.
 */
static uint64_t
frame_pc(const struct evidence *e, unsigned hart, unsigned i)
{
	uint64_t frame = e->result->box->frames[hart][i];

	return i == 0 && e->result->class == VM_TRAP ? frame : frame - 1;
}

static struct symbols *
lookup(const struct evidence *e)
{
	const struct mailbox *box = e->result->box;
	uint64_t addrs[SYMBOLS_MAX];
	size_t n = 0;

	_Static_assert(
		VHARTS_MAX * FRAMES_MAX < SYMBOLS_MAX, "table too small");
	addrs[n++] = box->trap_pc;
	for (unsigned hart = 0; hart < VHARTS_MAX; hart++)
		for (unsigned i = 0; i < frames_of(box, hart); i++)
			addrs[n++] = frame_pc(e, hart, i);
	return symbols_of(e->kernel_path, e->kernel, addrs, n);
}

/* Idle harts all stand at one place. */
static bool
stand_alike(const struct mailbox *box, unsigned a, unsigned b)
{
	unsigned n = frames_of(box, a);

	return n == frames_of(box, b) && a != box->hart && b != box->hart &&
	       memcmp(box->frames[a], box->frames[b],
		       n * sizeof(box->frames[a][0])) == 0;
}

static bool
stands_as_before(const struct mailbox *box, unsigned hart)
{
	for (unsigned before = 0; before < hart; before++)
		if (stand_alike(box, before, hart))
			return true;
	return false;
}

/* The backtrace of a hart, and of those behind it that have the same. */
static void
put_harts(const struct evidence *e, const struct symbols *symbols,
	unsigned hart, FILE *to)
{
	const struct mailbox *box = e->result->box;
	unsigned n = frames_of(box, hart);
	uint64_t offset;

	fprintf(to, "%shart %u", indent, hart);
	for (unsigned other = hart + 1; other < VHARTS_MAX; other++)
		if (stand_alike(box, hart, other))
			fprintf(to, ", %u", other);
	fprintf(to, "%s:\n", hart == box->hart ? ", which was running" : "");
	if (n == 1 && box->frames[hart][0] < USER_END && e->kernel != NULL &&
		elf_function(e->kernel, box->frames[hart][0], &offset) ==
			NULL) {
		fprintf(to, "      in user mode, at 0x%" PRIx64 "\n",
			box->frames[hart][0]);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		symbols_print(symbols, frame_pc(e, hart, i), to, "      ");
}

void
report_where(const struct evidence *e, FILE *to)
{
	const struct mailbox *box = e->result->box;
	struct symbols *symbols = lookup(e);

	if (e->result->class == VM_TRAP) {
		fprintf(to,
			"%sat 0x%" PRIx64 ", cause 0x%" PRIx64
			", value 0x%" PRIx64 ":\n",
			indent, box->trap_pc, box->trap_cause, box->trap_value);
		symbols_print(symbols, box->trap_pc, to, indent);
		fputc('\n', to);
	}
	for (unsigned hart = 0; hart < VHARTS_MAX; hart++)
		if (frames_of(box, hart) > 0 && !stands_as_before(box, hart))
			put_harts(e, symbols, hart, to);
	symbols_free(symbols);
}

/* --- what was said */

void
report_oracles(const struct evidence *e, FILE *to)
{
	const struct mailbox *box = e->result->box;
	unsigned n = limit(box->nreports, REPORTS_MAX);

	for (unsigned i = 0; i < n; i++) {
		const struct mailbox_report *r = &box->reports[i];

		fprintf(to, "%soperation %d", indent, r->op);
		put_op(e->prog, r->op, to);
		if (r->oracle < NORACLES)
			fprintf(to, ": %s", oracle_texts[r->oracle]);
		else
			fprintf(to, ": oracle %u", r->oracle);
		fprintf(to, "; want 0x%" PRIx64 ", got 0x%" PRIx64 "\n",
			r->want, r->got);
	}
	if (box->nreports > n)
		fprintf(to, "%sand %u more\n", indent, box->nreports - n);
}

void
report_audit(const struct evidence *e, FILE *to)
{
	const char *line = e->result->console;

	while (line != NULL && *line != '\0') {
		size_t n = strcspn(line, "\n");

		if (strncmp(line, "audit", 5) == 0)
			put_line(line, n, to);
		line += n + (line[n] == '\n');
	}
}

/* Where the last `lines` lines of text begin. */
static const char *
tail(const char *text, unsigned lines)
{
	const char *at = text + strlen(text);

	while (at > text && at[-1] == '\n')
		at--;
	while (at > text && (at[-1] != '\n' || --lines > 0))
		at--;
	return at;
}

void
report_console(const struct evidence *e, FILE *to)
{
	const char *line = e->result->console;

	if (line == NULL)
		return;
	for (line = tail(line, CONSOLE_LINES); *line != '\0';) {
		size_t n = strcspn(line, "\n");

		put_line(line, n, to);
		line += n + (line[n] == '\n');
	}
}

static void
put_event(const struct mailbox_trace *t, const struct prog *p, FILE *to)
{
	switch (t->what) {
	case 'H':
		fprintf(to, "goes on");
		break;
	case 'S':
		fprintf(to, "operation %d", t->op);
		put_op(p, t->op, to);
		fprintf(to, " = %" PRId32, (int32_t)t->value);
		break;
	case 'M':
		fprintf(to, "meeting point %d, there are lanes", t->op);
		for (unsigned lane = 0; lane < LANES_MAX; lane++)
			if (t->value & 1u << lane)
				fprintf(to, " %u", lane);
		break;
	case 'R':
		fprintf(to, "report about operation %d: oracle %" PRIu32, t->op,
			t->value);
		break;
	default:
		fprintf(to, "event 0x%02x, %d, %" PRIu32, t->what, t->op,
			t->value);
	}
	fputc('\n', to);
}

void
report_trace(const struct evidence *e, FILE *to)
{
	const struct mailbox *box = e->result->box;
	unsigned n = limit(box->ntrace, TRACE_MAX);

	for (unsigned i = 0; i < n; i++) {
		const struct mailbox_trace *t = &box->trace[i];

		/* The token goes over before the next hart does anything. */
		fprintf(to, "%5u  hart %u  ", i,
			t->what == 'H' ? (unsigned)t->op : t->hart);
		put_event(t, e->prog, to);
	}
	if (n == TRACE_MAX)
		fputs("the rest was not kept\n", to);
	fprintf(to, "hash of the whole trace: %016" PRIx64 "\n",
		box->trace_hash);
}

/* --- report.md */

static void
put_summary(const struct finding *f, FILE *to)
{
	if (f->number != 0)
		fprintf(to, "# %03u %s\n\n", f->number, f->signature);
	else
		fprintf(to, "# An input that did not fail again\n\n");
	fprintf(to, "%s%s%s%s\n\n", f->what, f->detail[0] != '\0' ? " (" : "",
		f->detail, f->detail[0] != '\0' ? ")" : "");
	fprintf(to, "- Class: %s\n", f->class);
	fprintf(to, "- Reproduced: %u of %u%s\n", f->reproduced, f->repeats,
		f->steady ? ", each time with the same trace" : "");
	if (f->others > 0)
		fprintf(to, "- Failed in other ways: %u of %u\n", f->others,
			f->repeats);
	fprintf(to,
		"- Operations: %u (%u before it was minimised); lanes: %u; "
		"harts: %u\n",
		f->ops, f->ops_before, f->lanes, f->harts);
	fprintf(to, "- Found as: `%s`\n", f->input);
	fprintf(to, "- Kernel: %s, build %s\n", f->revision, f->build);
	fprintf(to, "- Again: `./again.sh`\n");
}

static void
put_program(const struct prog *p, FILE *to)
{
	char text[TEXT_MAX];
	const char *line = text;

	prog_print(p, text, sizeof(text));
	fputs("\n## Program\n\n", to);
	while (*line != '\0') {
		size_t n = strcspn(line, "\n");

		put_line(line, n, to);
		line += n + (line[n] == '\n');
	}
}

/* A part with nothing in it is left out. */
static void
put_part(const char *title, const struct evidence *e,
	void (*print)(const struct evidence *, FILE *), FILE *to)
{
	char *text = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&text, &n);

	if (memory == NULL)
		return;
	print(e, memory);
	if (fclose(memory) == 0 && n > 0)
		fprintf(to, "\n## %s\n\n%s", title, text);
	free(text);
}

void
report_write(const struct finding *f, const struct evidence *e, FILE *to)
{
	put_summary(f, to);
	put_program(e->prog, to);
	if (e->result == NULL || e->result->box == NULL)
		return;
	put_part("Oracles", e, report_oracles, to);
	put_part("Audit", e, report_audit, to);
	put_part("Where", e, report_where, to);
	put_part("Console", e, report_console, to);
}
