/* SPDX-License-Identifier: MIT */
/* hooks.c - what the shim does alike for every kernel. */
#include "fuzz/shim/hooks.h"

struct mailbox stampede_mailbox = {
	.magic = MAILBOX_MAGIC,
	.version = MAILBOX_VERSION,
	.size = sizeof(struct mailbox),
};

void
shim_print(const char *s, size_t n)
{
	struct mailbox *box = &stampede_mailbox;

	for (size_t i = 0; i < n; i++)
		box->console[box->nconsole++ % CONSOLE_MAX] = s[i];
}

void
shim_stop(const char *text, unsigned long value)
{
	struct mailbox *box = &stampede_mailbox;
	size_t i = 0;

	for (; text[i] != '\0' && i < PANIC_TEXT - 1; i++)
		box->panic_text[i] = text[i];
	box->panic_text[i] = '\0';
	box->panic_value = value;
	shim_call(SHIM_PANIC, 0);
	for (;;)
		;
}
