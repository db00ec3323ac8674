/* SPDX-License-Identifier: MIT */
/*
 * triage.c - `stampede-fuzz triage`: from the failing inputs of AFL++ to
 * findings, while it goes on fuzzing.
 *
 * An input is run some times.  If it fails as a finding does that there is
 * already, it is one more hit of that; else, or if it is smaller, it is made
 * minimal and becomes a finding, or the better version of one.  What never
 * fails is kept too, apart.
 *
 * An input is recorded at the very end, in one step (store.c), so this can be
 * killed at any moment: what was not recorded is done again.  Inputs are told
 * apart by what is in them; the names that AFL++ gives are only repeated.
 *
 * Instances may fuzz different kernels, so each folder can name its own.
 */
#define _GNU_SOURCE
#include "fuzz/host/triage.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/host/commands.h"
#include "fuzz/host/options.h"
#include "fuzz/host/stop.h"
#include "fuzz/wire/text.h"

enum {
	SOURCES_MAX = 64,
	RIGS_MAX = 16,
	DEADLINE_MS = 60000,
	FILE_ROOM = 1 << 16,
	NICE = 5, /* fuzzing goes first */
};

struct source {
	const char *path;
	struct rig *rig;
};

struct triage {
	struct store *store;
	struct tally tally;
	struct rig rigs[RIGS_MAX];
	unsigned nrigs;
	struct source sources[SOURCES_MAX];
	unsigned nsources;
	uint64_t *done; /* names of files, as hashes; a hash set */
	size_t ndone, room;
};

/* --- files */

/* Where a name is in the set, or has to be put. */
static uint64_t *
name_place(const struct triage *t, uint64_t hash)
{
	size_t place = hash % t->room;

	while (t->done[place] != 0 && t->done[place] != hash)
		place = (place + 1) % t->room;
	return &t->done[place];
}

static void
make_room(struct triage *t)
{
	size_t old = t->room;
	uint64_t *from = t->done;

	t->room = old * 2 + 1024;
	t->done = calloc(t->room, sizeof(*t->done));
	if (t->done == NULL)
		abort();
	for (size_t i = 0; i < old; i++)
		if (from[i] != 0)
			*name_place(t, from[i]) = from[i];
	free(from);
}

/* Files are looked at again as long as there is no result. */
static bool
is_done(struct triage *t, uint64_t name)
{
	return t->room > 0 && *name_place(t, name) == name;
}

static void
set_done(struct triage *t, uint64_t name)
{
	if ((t->ndone + 1) * 2 > t->room)
		make_room(t);
	*name_place(t, name) = name;
	t->ndone++;
}

/* All of a file; -1 if it is not there or too long, 0 if still empty. */
static ssize_t
read_input(const char *path, uint8_t *to, size_t size)
{
	FILE *from = fopen(path, "rbe");
	size_t n;

	if (from == NULL)
		return -1;
	n = fread(to, 1, size, from);
	fclose(from);
	return n < size ? (ssize_t)n : -1;
}

/* Returns 0, or -1 if nothing can be recorded any more. */
static int
take_new_file(struct triage *t, struct rig *rig, const char *path,
	const uint8_t *bytes, size_t n)
{
	uint64_t hash = store_hash(bytes, n);
	char err[TEXT_ERROR];
	struct prog p;

	if (store_seen(t->store, hash))
		return 0;
	if (prog_load(&p, path, err, sizeof(err)) != 0) {
		t->tally.broken++;
		fprintf(stderr, "%s\n", err);
		return 0;
	}
	if (!rig_open(rig, t->store, DEADLINE_MS))
		return -1;
	if (triage_input(rig, t->store, &t->tally, &p, path, hash) == 0)
		return 0;
	fprintf(stderr, "stampede-fuzz triage: %s\n", store_error(t->store));
	return -1;
}

static int
take_file(struct triage *t, struct rig *rig, const char *path)
{
	static uint8_t bytes[FILE_ROOM];
	uint64_t name = store_hash(path, strlen(path)) | 1;
	ssize_t n;

	if (is_done(t, name))
		return 0;
	n = read_input(path, bytes, sizeof(bytes));
	if (n == 0)
		return 0; /* its writer has only begun */
	if (n < 0) {
		t->tally.broken++;
		fprintf(stderr, "%s: cannot be read, or is no program\n", path);
	} else if (take_new_file(t, rig, path, bytes, (size_t)n) != 0) {
		return -1;
	}
	if (!stop_asked())
		set_done(t, name);
	return 0;
}

static bool
holds_failures(const char *name)
{
	return strncmp(name, "crashes", 7) == 0 ||
	       strncmp(name, "hangs", 5) == 0;
}

static int
visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool
is_folder(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int take_folder(struct triage *t, struct rig *rig, const char *folder,
	bool failures, int depth);

static int
take_entry(struct triage *t, struct rig *rig, const char *folder,
	const char *name, bool failures, int depth)
{
	bool below = holds_failures(name);
	char *path;
	int err = 0;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		abort();
	if (strncmp(name, "id:", 3) == 0) {
		if (failures)
			err = take_file(t, rig, path);
	} else if ((below || depth > 1) && is_folder(path)) {
		err = take_folder(t, rig, path, below, depth - 1);
	}
	free(path);
	return err;
}

/*
 * A folder that was named, or one called crashes or hangs in it or in one of
 * those in it: so it may be one of AFL++'s, an instance, or all of them.
 */
static int
take_folder(struct triage *t, struct rig *rig, const char *folder,
	bool failures, int depth)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, visible, alphasort), err = 0;

	for (int i = 0; i < n; i++) {
		if (err == 0 && !stop_asked())
			err = take_entry(t, rig, folder, entries[i]->d_name,
				failures, depth);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return err;
}

static int
take_all(struct triage *t)
{
	for (unsigned i = 0; i < t->nsources && !stop_asked(); i++) {
		struct source *source = &t->sources[i];
		int err;

		if (access(source->path, F_OK) != 0)
			continue; /* an instance that has not begun */
		if (is_folder(source->path))
			err = take_folder(
				t, source->rig, source->path, true, 2);
		else
			err = take_file(t, source->rig, source->path);
		if (err != 0)
			return err;
	}
	return 0;
}

/* --- the subcommand */

static struct rig *
rig_for(struct triage *t, const struct vm_config *config, const char *kernel)
{
	struct rig *rig;

	for (unsigned i = 0; i < t->nrigs; i++)
		if (strcmp(t->rigs[i].config.kernel, kernel) == 0)
			return &t->rigs[i];
	if (t->nrigs == RIGS_MAX)
		options_fail(
			"triage", "%s: more than %d kernels", kernel, RIGS_MAX);
	rig = &t->rigs[t->nrigs++];
	rig->config = *config;
	rig->config.kernel = kernel;
	return rig;
}

/* FOLDER, or FOLDER=KERNEL. */
static void
add_source(
	struct triage *t, const struct vm_config *config, char *arg, bool watch)
{
	struct source *source = &t->sources[t->nsources];
	char *equals = strrchr(arg, '=');

	if (t->nsources == SOURCES_MAX)
		options_fail("triage",
			"more than %d folders; name the one "
			"that holds them",
			SOURCES_MAX);
	if (equals != NULL && access(arg, F_OK) != 0)
		*equals = '\0';
	else
		equals = NULL;
	if (!watch && access(arg, F_OK) != 0)
		options_fail("triage", "%s: %s", arg, strerror(errno));
	source->path = arg;
	source->rig = rig_for(
		t, config, equals != NULL ? equals + 1 : config->kernel);
	t->nsources++;
}

/* Until stopped; once more at the end, for what came last. */
static int
watch(struct triage *t, unsigned seconds, const char *stop_file)
{
	bool last = false;
	int err;

	do {
		last = stop_file != NULL && access(stop_file, F_OK) == 0;
		err = take_all(t);
		if (!last && !stop_asked())
			poll(NULL, 0, (int)seconds * 1000);
	} while (!last && !stop_asked());
	return err;
}

static int
finish(struct triage *t, int err)
{
	size_t n = 0;

	while (store_get(t->store, n) != NULL)
		n++;
	if (store_index(t->store) != 0 && err == 0) {
		fprintf(stderr, "stampede-fuzz triage: %s\n",
			store_error(t->store));
		err = -1;
	}
	printf("triage: %u new findings, %u made smaller, %u more hits, %u did "
	       "not fail again, %u broken; %zu findings in all\n",
		t->tally.added, t->tally.better, t->tally.hits, t->tally.odd,
		t->tally.broken, n);
	for (unsigned i = 0; i < t->nrigs; i++)
		if (t->rigs[i].open)
			driver_close(&t->rigs[i].driver);
	store_close(t->store);
	free(t->done);
	if (err != 0)
		return EXIT_BROKEN;
	return n > 0 ? EXIT_FINDING : EXIT_GOOD;
}

int
triage_main(int argc, char **argv)
{
	static struct triage t;
	const char *out = "build/fuzz/findings", *stop_file = NULL;
	unsigned seconds = 3;
	bool watching = false;
	struct vm_config config;
	const struct option_row own[] = {
		{"out", OPTION_TEXT, &out, "FOLDER",
			"where findings go [build/fuzz/findings]", 0, 0},
		{"watch", OPTION_FLAG, &watching, NULL,
			"go on until SIGTERM or the stop file", 0, 0},
		{"stop-file", OPTION_TEXT, &stop_file, "FILE",
			"a last look when it is there, then the end", 0, 0},
		{"every", OPTION_NUMBER, &seconds, "N",
			"seconds between looks [3]", 1, 3600},
		{0},
	};
	int first = options_parse(&config, own, "FOLDER[=KERNEL]...",
		"Turn failing inputs of AFL++ into findings.  FOLDER is one "
		"of crashes or hangs,\nor one that holds such; its inputs "
		"run on KERNEL.\nExit: 0 no findings, 1 findings, 2 broken.",
		argc, argv);
	char err[STORE_ERROR];

	if (first == argc)
		options_fail(argv[0], "give a folder of failing inputs");
	for (int i = first; i < argc; i++)
		add_source(&t, &config, argv[i], watching);
	stop_catch(-1);
	setpriority(PRIO_PROCESS, 0, NICE);
	t.store = store_open(out, err, sizeof(err));
	if (t.store == NULL)
		options_fail(argv[0], "%s", err);
	return finish(
		&t, watching ? watch(&t, seconds, stop_file) : take_all(&t));
}
