/* SPDX-License-Identifier: MIT */
/*
 * index.c - index.json.
 */
#include "fuzz/host/index.h"

static void
put_text(FILE *to, const char *key, const char *text)
{
	fprintf(to, ", \"%s\": \"", key);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			fprintf(to, "\\u%04x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static void
put_number(FILE *to, const char *key, unsigned n)
{
	fprintf(to, ", \"%s\": %u", key, n);
}

static void
put_finding(FILE *to, const struct finding *f, const char *folder)
{
	char path[FINDING_NAME + 32];

	snprintf(path, sizeof(path), "%s%s", folder, f->name);
	fprintf(to, "    {\"number\": %u", f->number);
	put_text(to, "signature", f->signature);
	put_text(to, "class", f->class);
	put_text(to, "what", f->what);
	put_text(to, "detail", f->detail);
	put_number(to, "hits", f->hits);
	put_number(to, "ops", f->ops);
	put_number(to, "ops_before", f->ops_before);
	put_number(to, "lanes", f->lanes);
	put_number(to, "harts", f->harts);
	put_number(to, "reproduced", f->reproduced);
	put_number(to, "repeats", f->repeats);
	put_text(to, "kernel", f->revision);
	put_text(to, "build", f->build);
	put_text(to, "input", f->input);
	put_text(to, "path", path);
	fputc('}', to);
}

static void
put_list(FILE *to, const char *key, const struct store *s,
	const struct finding *(*get)(const struct store *, size_t),
	const char *folder)
{
	const struct finding *f;
	size_t i;

	fprintf(to, "  \"%s\": [", key);
	for (i = 0; (f = get(s, i)) != NULL; i++) {
		fputs(i > 0 ? ",\n" : "\n", to);
		put_finding(to, f, folder);
	}
	fputs(i > 0 ? "\n  ]" : "]", to);
}

void
index_write(const struct store *s, FILE *to)
{
	fputs("{\n", to);
	put_list(to, "findings", s, store_get, "");
	fputs(",\n", to);
	put_list(to, "unreproduced", s, store_odd, "unreproduced/");
	fputs("\n}\n", to);
}
