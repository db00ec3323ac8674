/* SPDX-License-Identifier: MIT */
/*
 * elf.c - symbols of the guest's images (System V ABI; 64 bits, little
 * endian).  The file is mapped and every offset checked against its size.
 */
#include "fuzz/host/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct elf {
	const uint8_t *data;
	size_t size;
	const Elf64_Sym *symbols;
	size_t nsymbols;
	const char *names;
	size_t names_size;
	const Elf64_Sym **functions; /* rising addresses */
	size_t nfunctions;
};

/* part: n bytes at an offset, or NULL if the file is shorter. */
static const void *
part(const struct elf *e, uint64_t offset, uint64_t n)
{
	if (offset > e->size || n > e->size - offset)
		return NULL;
	return e->data + offset;
}

/* table: the same for what has to be aligned to be read in place. */
static const void *
table(const struct elf *e, uint64_t offset, uint64_t n)
{
	return offset % _Alignof(uint64_t) == 0 ? part(e, offset, n) : NULL;
}

static const char *
symbol_name(const struct elf *e, const Elf64_Sym *s)
{
	if (s->st_name >= e->names_size ||
		memchr(e->names + s->st_name, '\0',
			e->names_size - s->st_name) == NULL)
		return "";
	return e->names + s->st_name;
}

static int
by_address(const void *a, const void *b)
{
	const Elf64_Sym *x = *(const Elf64_Sym *const *)a;
	const Elf64_Sym *y = *(const Elf64_Sym *const *)b;

	return (x->st_value > y->st_value) - (x->st_value < y->st_value);
}

static bool
read_symbols(struct elf *e)
{
	const Elf64_Ehdr *head = part(e, 0, sizeof(*head));
	const Elf64_Shdr *sections;

	sections = table(
		e, head->e_shoff, (uint64_t)head->e_shnum * sizeof(*sections));
	if (sections == NULL)
		return false;
	for (unsigned i = 0; i < head->e_shnum; i++) {
		const Elf64_Shdr *s = &sections[i];

		if (s->sh_type != SHT_SYMTAB || s->sh_link >= head->e_shnum)
			continue;
		e->symbols = table(e, s->sh_offset, s->sh_size);
		e->nsymbols = s->sh_size / sizeof(Elf64_Sym);
		e->names_size = sections[s->sh_link].sh_size;
		e->names =
			part(e, sections[s->sh_link].sh_offset, e->names_size);
		return e->symbols != NULL && e->names != NULL;
	}
	return false;
}

static void
sort_functions(struct elf *e)
{
	e->functions = calloc(e->nsymbols + 1, sizeof(*e->functions));
	if (e->functions == NULL)
		return;
	for (size_t i = 0; i < e->nsymbols; i++) {
		const Elf64_Sym *s = &e->symbols[i];

		if (ELF64_ST_TYPE(s->st_info) == STT_FUNC)
			e->functions[e->nfunctions++] = s;
	}
	qsort(e->functions, e->nfunctions, sizeof(*e->functions), by_address);
}

static bool
map_file(struct elf *e, const char *path, char *err, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		snprintf(err, size, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (st.st_size == 0) { /* and cannot be mapped */
		close(fd);
		return true;
	}
	e->size = (size_t)st.st_size;
	e->data = mmap(NULL, e->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (e->data == MAP_FAILED) {
		e->data = NULL;
		snprintf(err, size, "%s: cannot be mapped: %s", path,
			strerror(errno));
		return false;
	}
	return true;
}

struct elf *
elf_open(const char *path, char *err, size_t size)
{
	struct elf *e = calloc(1, sizeof(*e));
	const Elf64_Ehdr *head;

	if (e == NULL) {
		snprintf(err, size, "out of memory");
		return NULL;
	}
	if (!map_file(e, path, err, size)) {
		elf_close(e);
		return NULL;
	}
	head = part(e, 0, sizeof(*head));
	if (head == NULL || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
		head->e_ident[EI_CLASS] != ELFCLASS64 || !read_symbols(e)) {
		snprintf(err, size,
			"%s: not a 64-bit ELF file with symbols; build it "
			"with make",
			path);
		elf_close(e);
		return NULL;
	}
	sort_functions(e);
	return e;
}

void
elf_close(struct elf *e)
{
	if (e == NULL)
		return;
	if (e->data != NULL)
		munmap((void *)e->data, e->size);
	free(e->functions);
	free(e);
}

bool
elf_symbol(const struct elf *e, const char *name, uint64_t *addr)
{
	for (size_t i = 0; i < e->nsymbols; i++) {
		if (strcmp(symbol_name(e, &e->symbols[i]), name) != 0)
			continue;
		*addr = e->symbols[i].st_value;
		return true;
	}
	return false;
}

const char *
elf_function(const struct elf *e, uint64_t addr, uint64_t *offset)
{
	size_t lo = 0, hi = e->nfunctions;

	if (hi == 0 || addr < e->functions[0]->st_value)
		return NULL;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (e->functions[mid]->st_value <= addr)
			lo = mid;
		else
			hi = mid;
	}
	*offset = addr - e->functions[lo]->st_value;
	if (*offset >= e->functions[lo]->st_size && *offset != 0)
		return NULL;
	return symbol_name(e, e->functions[lo]);
}

bool
elf_segment(const struct elf *e, unsigned i, uint64_t *pa, uint64_t *va,
	uint64_t *size)
{
	const Elf64_Ehdr *head = part(e, 0, sizeof(*head));
	const Elf64_Phdr *p =
		table(e, head->e_phoff, (uint64_t)head->e_phnum * sizeof(*p));

	if (p == NULL)
		return false;
	for (unsigned n = 0; n < head->e_phnum; n++) {
		if (p[n].p_type != PT_LOAD || i-- != 0)
			continue;
		*pa = p[n].p_paddr;
		*va = p[n].p_vaddr;
		*size = p[n].p_memsz;
		return true;
	}
	return false;
}
