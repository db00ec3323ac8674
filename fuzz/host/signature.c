/* SPDX-License-Identifier: MIT */
/*
 * signature.c - names for failures.
 *
 * A signature is the class, the constant text, and the function where it
 * happened, as a few words with dashes: panic-freewalk-leaf-uvmunmap.  Numbers
 * are left out, for the next input has others.  What else is left out, and
 * why:
 *
 *   - functions that only report (panic, the trap path) and those that work
 *     on behalf of anybody (memmove, acquire): the first function beneath
 *     them is the one that did wrong;
 *   - the function that the text names already;
 *   - where in its loop a hang was cut off, which is chance: what names it is
 *     the outermost function, the system call;
 *   - who asked for a frame when the allocator found that its own lists were
 *     damaged, which is chance, too;
 *   - the functions of an audit or an oracle, which are always the same.
 *
 * An oracle that accuses one call, and not memory, has that call's name in it.
 */
#include "fuzz/host/signature.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/monitor/usercall.h"
#include "fuzz/wire/prog.h"

enum { WORDS_MAX = 512, FUNCTION_MAX = 64 };

static const char plumbing[] =
	/* that report */
	"panic frame_panic panic_stop printf backtrace "
	/* between the trap and what it is about */
	"trap_entry trap_user trap_kernel trap_overflow dispatch interrupt "
	"serve page_fault system_call syscall user_return user_resume "
	"usertrap kerneltrap kernelvec uservec userret usertrapret "
	"prepare_return "
	/* where a process or a hart begins */
	"main scheduler sched swtch forkret "
	/* on behalf of anybody */
	"memset memmove memcpy memcmp strlen strncmp strncpy safestrcpy "
	"acquire release holding push_off pop_off acquiresleep releasesleep "
	"check_rank forget_held spin sleep wakeup "
	"kalloc kfree page_put page_put_list page_drop page_release "
	/* the sanitizers' */
	"report check_range check_small overflow check_circle graph_add "
	"graph_note check_interrupts note_interrupt class_of "
	"check_no_sleep_lock";

static const char *const plumbing_prefixes[] = {"__wrap_", "shim_", "__asan_",
	"asan_", "__ubsan_", "lockdep_", "owner_", "sleeplock_"};

static const char *const class_names[] = {
	[VM_PASS] = "pass",
	[VM_BROKEN] = "broken",
	[VM_SKIPPED] = "skipped",
	[VM_PANIC] = "panic",
	[VM_TRAP] = "trap",
	[VM_HANG] = "hang",
	[VM_ORACLE] = "oracle",
	[VM_AUDIT] = "audit",
};

const char *
class_name(enum vm_class c)
{
	if ((size_t)c < sizeof(class_names) / sizeof(class_names[0]) &&
		class_names[c] != NULL)
		return class_names[c];
	return "unknown";
}

/* mentions: is name a word of text? */
static bool
mentions(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
		bool starts = at == text || !(isalnum((unsigned char)at[-1]) ||
						    at[-1] == '_');

		if (starts && !isalnum((unsigned char)at[n]) && at[n] != '_')
			return true;
	}
	return false;
}

static bool
is_plumbing(const char *name)
{
	size_t n = sizeof(plumbing_prefixes) / sizeof(plumbing_prefixes[0]);

	for (size_t i = 0; i < n; i++) {
		const char *prefix = plumbing_prefixes[i];

		if (strncmp(name, prefix, strlen(prefix)) == 0)
			return true;
	}
	return mentions(plumbing, name);
}

/*
 * function_at: the name without what the compiler adds to parts of functions
 * (name.part.0), which is another one in each flavour of the kernel.
 */
static bool
function_at(const struct elf *kernel, uint64_t addr, char *name)
{
	const char *found;
	uint64_t offset;

	found = kernel != NULL ? elf_function(kernel, addr, &offset) : NULL;
	if (found == NULL)
		return false;
	snprintf(name, FUNCTION_MAX, "%.*s", (int)strcspn(found, "."), found);
	return true;
}

/* speaks: does this function say more about a failure than its text does? */
static bool
speaks(const char *name, const char *text)
{
	return !is_plumbing(name) && !mentions(text, name);
}

/* culprit: the function that names this failure, or an empty name. */
static void
culprit(const struct vm_result *r, const struct elf *kernel, const char *text,
	char *name)
{
	const struct mailbox *box = r->box;
	unsigned hart = box->hart < VHARTS_MAX ? box->hart : 0;
	unsigned n = box->nframes[hart];
	char here[FUNCTION_MAX];

	if (mentions(text, "kalloc"))
		return;
	if (r->class == VM_TRAP && function_at(kernel, box->trap_pc, here) &&
		speaks(here, text)) {
		strcpy(name, here);
		return;
	}
	for (unsigned i = 0; i < n && i < FRAMES_MAX; i++) {
		/* All but the first are where calls return to, and a call may
		 * be the last instruction of its function. */
		if (!function_at(kernel, box->frames[hart][i] - (i > 0), here))
			continue;
		if (!speaks(here, text))
			continue;
		strcpy(name, here);
		if (r->class != VM_HANG)
			return;
	}
}

/* audit_text: what the first of the audit's lines calls it. */
static bool
audit_text(const struct vm_result *r, char *text, size_t size)
{
	static const char head[] = "audit: ";
	const char *line = r->console != NULL ? strstr(r->console, head) : NULL;

	if (line == NULL)
		return false;
	line += strlen(head);
	snprintf(text, size, "%.*s", (int)strcspn(line, ":\r\n"), line);
	return true;
}

/* accused_call: the call that the first report is about, if it is about one. */
static const char *
accused_call(const struct mailbox *box)
{
	const struct mailbox_report *report = &box->reports[0];
	struct prog p;

	if (box->nreports == 0 || box->input_size > INPUT_MAX)
		return NULL;
	switch (report->oracle) {
	case ORACLE_value:
	case ORACLE_data:
	case ORACLE_spill:
		break;
	default:
		return NULL;
	}
	if (prog_decode(&p, box->input, box->input_size) != PROG_OK)
		return NULL;
	if (report->op < 0 || report->op >= p.nops)
		return NULL;
	return prog_calls[p.ops[report->op].call].name;
}

/*
 * compose: everything that the signature is made of, as one text of words.
 */
static void
compose(const struct vm_result *r, const struct elf *kernel, char *text)
{
	char what[WORDS_MAX / 2], name[FUNCTION_MAX] = "";
	const char *call;

	snprintf(what, sizeof(what), "%s", r->what);
	if (r->class == VM_AUDIT)
		audit_text(r, what, sizeof(what));
	if (r->class == VM_ORACLE && r->box != NULL) {
		call = accused_call(r->box);
		snprintf(name, sizeof(name), "%s", call != NULL ? call : "");
	}
	if (r->box != NULL && (r->class == VM_PANIC || r->class == VM_TRAP ||
				      r->class == VM_HANG))
		culprit(r, kernel, what, name);
	snprintf(text, WORDS_MAX, "%s %s %s", class_name(r->class), what, name);
}

/* skip_number: behind the number at s, or s if there is none. */
static const char *
skip_number(const char *s)
{
	const char *from = s;

	if (!isdigit((unsigned char)*s))
		return s;
	if (s[0] == '0' && s[1] == 'x')
		s += 2;
	while (isxdigit((unsigned char)*s))
		s++;
	/* A word that only begins like a number stays: 3rd. */
	if (isalpha((unsigned char)*s)) {
		s = from;
		while (isdigit((unsigned char)*s))
			s++;
	}
	return s;
}

static bool
is_letter(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

/* next_word: the letters that come next, in lower case; returns what follows.
 * An empty word is the end. */
static const char *
next_word(const char *text, char *word, size_t size)
{
	const char *behind;
	size_t n = 0;

	while (*text != '\0' && !is_letter(*text)) {
		behind = skip_number(text);
		text = behind != text ? behind : text + 1;
	}
	for (; is_letter(*text); text++) {
		if (n + 1 < size)
			word[n++] = (char)tolower((unsigned char)*text);
	}
	word[n] = '\0';
	return text;
}

/*
 * squeeze: the words with dashes between them, none of them twice in a row,
 * for a text often begins with its class.  out is as large as text.
 */
static size_t
squeeze(const char *text, char *out)
{
	char word[FUNCTION_MAX], last[FUNCTION_MAX] = "";
	size_t n = 0;

	out[0] = '\0';
	for (;;) {
		text = next_word(text, word, sizeof(word));
		if (word[0] == '\0')
			return n;
		if (strcmp(word, last) == 0)
			continue;
		n += (size_t)sprintf(out + n, "%s%s", n > 0 ? "-" : "", word);
		strcpy(last, word);
	}
}

static unsigned
hash16(const char *text)
{
	unsigned h = 2166136261u;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return (h >> 16 ^ h) & 0xffff;
}

void
signature(const struct vm_result *r, const struct elf *kernel, char *out,
	size_t size)
{
	char text[WORDS_MAX], full[WORDS_MAX];
	size_t limit = size < SIGNATURE_MAX ? size : SIGNATURE_MAX;
	size_t n;

	compose(r, kernel, text);
	n = squeeze(text, full);
	if (n < limit) {
		memcpy(out, full, n + 1);
		return;
	}
	/* Too long: what is cut off is still told apart by a hash of it. */
	snprintf(out, limit, "%.*s-%04x", (int)limit - 6, full, hash16(full));
}
