/* SPDX-License-Identifier: MIT */
/*
 * store.c - the folder of all findings.
 *
 * The folders are the only state.  Which inputs have been dealt with is
 * written in the hits.txt of what they turned out to be; so there is nothing
 * that could disagree with the findings after a kill or a power cut.
 *
 *   - A finding is written under a name with a dot and renamed when it is on
 *     the disk.  What is found under such a name at the start was never
 *     finished, and goes.
 *   - A better version of a finding takes its place by two renames.  If only
 *     the first was done, the old one is put back at the start.
 *   - hits.txt gets one more line by one write().  A last line that a power
 *     cut has torn does not count, and the input is looked at again.
 *
 * A lock on the folder keeps a second writer out; it goes with the process.
 */
#define _GNU_SOURCE
#include "fuzz/host/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/host/disk.h"
#include "fuzz/host/index.h"
#include "fuzz/host/random.h"

enum { PATH_ROOM = 1024 };

static const char temp_name[] = ".new";
static const char old_name[] = ".old-";
static const char odd_folder[] = "unreproduced";

struct hashes {
	uint64_t *at;
	size_t n, room;
};

struct findings {
	struct finding *at;
	size_t n, room;
};

struct store {
	char dir[PATH_ROOM];
	int lock; /* -1 for readers */
	struct findings findings;
	struct findings odd;
	struct hashes seen; /* sorted */
	char error[STORE_ERROR];
};

const char *
store_error(const struct store *s)
{
	return s->error;
}

static int
fail(struct store *s, const char *path)
{
	snprintf(s->error, sizeof(s->error), "%.300s: %s", path,
		strerror(errno));
	return -1;
}

/* The path of a file below the store; too long a one is cut, and not found. */
static const char *
path_of(const struct store *s, char *path, const char *folder, const char *name)
{
	snprintf(path, PATH_ROOM, "%.700s%s%.100s%s%.100s", s->dir,
		folder[0] != '\0' ? "/" : "", folder,
		name[0] != '\0' ? "/" : "", name);
	return path;
}

/* --- what is known */

static size_t
hash_place(const struct hashes *h, uint64_t hash)
{
	size_t low = 0, high = h->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (h->at[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
store_seen(const struct store *s, uint64_t hash)
{
	size_t place = hash_place(&s->seen, hash);

	return place < s->seen.n && s->seen.at[place] == hash;
}

static void *
grown(void *at, size_t n, size_t *room, size_t each)
{
	if (n < *room)
		return at;
	*room = *room * 2 + 64;
	at = realloc(at, *room * each);
	if (at == NULL)
		abort();
	return at;
}

static void
note_hash(struct hashes *h, uint64_t hash)
{
	size_t place = hash_place(h, hash);

	if (place < h->n && h->at[place] == hash)
		return;
	h->at = grown(h->at, h->n, &h->room, sizeof(*h->at));
	memmove(h->at + place + 1, h->at + place,
		(h->n - place) * sizeof(*h->at));
	h->at[place] = hash;
	h->n++;
}

static void
note_finding(struct findings *list, const struct finding *f)
{
	list->at = grown(list->at, list->n, &list->room, sizeof(*list->at));
	list->at[list->n++] = *f;
}

static struct finding *
find(const struct store *s, const char *signature)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (strcmp(s->findings.at[i].signature, signature) == 0)
			return &s->findings.at[i];
	return NULL;
}

const struct finding *
store_find(const struct store *s, const char *signature)
{
	return find(s, signature);
}

const struct finding *
store_get(const struct store *s, size_t i)
{
	return i < s->findings.n ? &s->findings.at[i] : NULL;
}

const struct finding *
store_odd(const struct store *s, size_t i)
{
	return i < s->odd.n ? &s->odd.at[i] : NULL;
}

uint64_t
store_hash(const void *input, size_t n)
{
	const uint8_t *bytes = input;
	uint64_t h = n;

	for (size_t i = 0; i < n; i++)
		h = random_mix(h + bytes[i] + 1);
	return h;
}

/* --- hits.txt: a line "HASH FILE" for each input */

static unsigned
read_hits(struct store *s, const char *path)
{
	FILE *from = fopen(path, "rbe");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	unsigned count = 0;

	if (from == NULL)
		return 0;
	while ((n = getline(&line, &room, from)) > 0) {
		char *end;
		uint64_t hash = strtoull(line, &end, 16);

		if (line[n - 1] != '\n' || end != line + 16 || *end != ' ')
			continue;
		count += !store_seen(s, hash);
		note_hash(&s->seen, hash);
	}
	free(line);
	fclose(from);
	return count;
}

static int
append_hit(struct store *s, const char *path, uint64_t hash, const char *input)
{
	char line[FINDING_LINE + 32], name[FINDING_LINE];

	finding_line(name, sizeof(name), input);
	snprintf(line, sizeof(line), "%016" PRIx64 " %s", hash, name);
	return disk_append(path, line) == 0 ? 0 : fail(s, path);
}

/* --- reading */

static int
by_number(const void *a, const void *b)
{
	const struct finding *fa = a, *fb = b;

	if (fa->number != fb->number)
		return fa->number < fb->number ? -1 : 1;
	return strcmp(fa->name, fb->name);
}

static void
read_folder(struct store *s, const char *folder, struct findings *list)
{
	char path[PATH_ROOM], below[PATH_ROOM + 260], hits[PATH_ROOM + 280];
	DIR *dir = opendir(path_of(s, path, folder, ""));
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		struct finding f;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(
			below, sizeof(below), "%s/%.255s", path, entry->d_name);
		if (!finding_read(below, &f))
			continue;
		snprintf(hits, sizeof(hits), "%s/hits.txt", below);
		f.hits = read_hits(s, hits);
		note_finding(list, &f);
	}
	closedir(dir);
	if (list->n > 0)
		qsort(list->at, list->n, sizeof(*list->at), by_number);
}

/* Put right what a kill has left in this folder. */
static void
recover(const struct store *s, const char *folder)
{
	char path[PATH_ROOM], from[PATH_ROOM + 260], to[PATH_ROOM + 260];
	DIR *dir = opendir(path_of(s, path, folder, ""));
	struct dirent *entry;
	size_t n = strlen(old_name);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;

		snprintf(from, sizeof(from), "%s/%.255s", path, name);
		snprintf(to, sizeof(to), "%s/%.255s", path,
			strlen(name) > n ? name + n : "");
		if (strcmp(name, temp_name) == 0)
			disk_remove(from);
		else if (strncmp(name, old_name, n) == 0 &&
			 (access(to, F_OK) == 0 || rename(from, to) != 0))
			disk_remove(from);
	}
	closedir(dir);
}

static struct store *
new_store(const char *dir)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->lock = -1;
	snprintf(s->dir, sizeof(s->dir), "%.700s", dir);
	for (size_t n = strlen(s->dir); n > 1 && s->dir[n - 1] == '/';)
		s->dir[--n] = '\0';
	return s;
}

static void
read_all(struct store *s)
{
	read_folder(s, "", &s->findings);
	read_folder(s, odd_folder, &s->odd);
}

struct store *
store_list(const char *dir)
{
	struct store *s = new_store(dir);

	read_all(s);
	return s;
}

static int
lock(struct store *s)
{
	char path[PATH_ROOM];

	if (disk_make(s->dir) != 0)
		return fail(s, s->dir);
	if (disk_make(path_of(s, path, odd_folder, "")) != 0 ||
		disk_make(path_of(s, path, "kernels", "")) != 0)
		return fail(s, path);
	s->lock = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->lock < 0)
		return fail(s, s->dir);
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	snprintf(s->error, sizeof(s->error),
		"%.300s: another triage works on it; wait for its end, or "
		"choose another folder",
		s->dir);
	return -1;
}

struct store *
store_open(const char *dir, char *err, size_t size)
{
	struct store *s = new_store(dir);

	if (lock(s) != 0) {
		snprintf(err, size, "%s", s->error);
		store_close(s);
		return NULL;
	}
	recover(s, "");
	recover(s, odd_folder);
	recover(s, "kernels");
	read_all(s);
	return s;
}

void
store_close(struct store *s)
{
	if (s->lock >= 0)
		close(s->lock);
	free(s->findings.at);
	free(s->odd.at);
	free(s->seen.at);
	free(s);
}

/* --- writing */

/* The next free number; findings that somebody removed leave theirs free. */
static unsigned
next_number(const struct store *s)
{
	size_t n = s->findings.n;

	return n > 0 ? s->findings.at[n - 1].number + 1 : 1;
}

/* A new folder beside where it will be, empty. */
static int
begin_folder(struct store *s, char *temp, const char *folder)
{
	path_of(s, temp, folder, temp_name);
	disk_remove(temp);
	return mkdir(temp, 0777) == 0 ? 0 : fail(s, temp);
}

static int
drop_folder(const char *temp)
{
	disk_remove(temp);
	return -1;
}

int
store_add(struct store *s, struct finding *f, const struct evidence *e,
	uint64_t hash)
{
	bool odd = e->result == NULL;
	const char *folder = odd ? odd_folder : "";
	char temp[PATH_ROOM], hits[PATH_ROOM + 32], path[PATH_ROOM];

	f->number = odd ? 0 : next_number(s);
	f->hits = 1;
	if (odd)
		snprintf(f->name, sizeof(f->name), "%016" PRIx64, hash);
	else
		snprintf(f->name, sizeof(f->name), "%03u-%s", f->number,
			f->signature);
	if (begin_folder(s, temp, folder) != 0)
		return -1;
	snprintf(hits, sizeof(hits), "%s/hits.txt", temp);
	if (finding_write(temp, odd ? "../../kernels" : "../kernels", f, e,
		    s->error, sizeof(s->error)) != 0 ||
		append_hit(s, hits, hash, f->input) != 0)
		return drop_folder(temp);
	disk_sync(temp);
	if (rename(temp, path_of(s, path, folder, f->name)) != 0) {
		fail(s, path);
		return drop_folder(temp);
	}
	disk_sync(path_of(s, path, folder, ""));
	note_hash(&s->seen, hash);
	note_finding(odd ? &s->odd : &s->findings, f);
	return store_index(s);
}

/* The two renames; between them recover() knows what to do. */
static int
swap_folders(struct store *s, const char *temp, const char *name)
{
	char path[PATH_ROOM], old[PATH_ROOM], hidden[FINDING_NAME + 8];

	snprintf(hidden, sizeof(hidden), "%s%s", old_name, name);
	path_of(s, path, "", name);
	path_of(s, old, "", hidden);
	if (rename(path, old) != 0)
		return fail(s, path);
	if (rename(temp, path) != 0) {
		fail(s, path);
		rename(old, path);
		return -1;
	}
	disk_sync(s->dir);
	disk_remove(old);
	return 0;
}

int
store_replace(struct store *s, struct finding *f, const struct evidence *e,
	uint64_t hash)
{
	struct finding *old = find(s, f->signature);
	char temp[PATH_ROOM], hits[PATH_ROOM + 32], from[PATH_ROOM];

	f->number = old->number;
	f->hits = old->hits + 1;
	snprintf(f->name, sizeof(f->name), "%s", old->name);
	if (begin_folder(s, temp, "") != 0)
		return -1;
	snprintf(hits, sizeof(hits), "%s/hits.txt", temp);
	if (finding_write(
		    temp, "../kernels", f, e, s->error, sizeof(s->error)) != 0)
		return drop_folder(temp);
	if (disk_copy(path_of(s, from, old->name, "hits.txt"), hits) != 0) {
		fail(s, from);
		return drop_folder(temp);
	}
	if (append_hit(s, hits, hash, f->input) != 0)
		return drop_folder(temp);
	disk_sync(temp);
	if (swap_folders(s, temp, f->name) != 0)
		return drop_folder(temp);
	note_hash(&s->seen, hash);
	*old = *f;
	return store_index(s);
}

int
store_hit(struct store *s, const char *signature, uint64_t hash,
	const char *input)
{
	struct finding *f = find(s, signature);
	char path[PATH_ROOM];

	if (append_hit(s, path_of(s, path, f->name, "hits.txt"), hash, input) !=
		0)
		return -1;
	note_hash(&s->seen, hash);
	f->hits++;
	return store_index(s);
}

/* --- kernels */

int
store_keep(struct store *s, const char *kernel, const char *monitor,
	char build[BUILD_ID])
{
	const char *const from[] = {kernel, monitor, "/proc/self/exe"};
	static const char *const names[] = {
		"kernel", "monitor.elf", "stampede-fuzz"};
	uint64_t hash = 0xcbf29ce484222325u;
	char temp[PATH_ROOM], path[PATH_ROOM], to[PATH_ROOM + 32];

	for (unsigned i = 0; i < 2; i++)
		if (disk_hash(from[i], &hash) != 0)
			return fail(s, from[i]);
	snprintf(build, BUILD_ID, "%016" PRIx64, random_mix(hash));
	if (access(path_of(s, path, "kernels", build), F_OK) == 0)
		return 0;
	if (begin_folder(s, temp, "kernels") != 0)
		return -1;
	for (unsigned i = 0; i < 3; i++) {
		snprintf(to, sizeof(to), "%s/%s", temp, names[i]);
		if (disk_copy(from[i], to) == 0)
			continue;
		fail(s, to);
		return drop_folder(temp);
	}
	disk_sync(temp);
	if (rename(temp, path) == 0)
		return 0;
	fail(s, path);
	return drop_folder(temp);
}

int
store_index(struct store *s)
{
	char path[PATH_ROOM], temp[PATH_ROOM];
	FILE *to = fopen(path_of(s, temp, ".index", ""), "wbe");
	bool bad;

	if (to == NULL)
		return fail(s, temp);
	index_write(s, to);
	bad = ferror(to) != 0;
	if (fclose(to) != 0 || bad ||
		rename(temp, path_of(s, path, "index.json", "")) != 0)
		return fail(s, temp);
	return 0;
}
