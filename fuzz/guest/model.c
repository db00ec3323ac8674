/* SPDX-License-Identifier: MIT */
/* model.c - the page that a process keeps about itself. */
#include "fuzz/guest/model.h"
#include "fuzz/guest/report.h"

struct model model;
struct arena arena;

void
model_start(uint32_t size)
{
	model = (struct model){.owner = NOBODY, .size = size};
	self = NOBODY;
	for (int i = 0; i < SLOTS; i++)
		model.slot[i] = -1;
	for (int fd = 0; fd < 3; fd++)
		model.fd[fd].kind = FD_OTHERS; /* the console */
	model_seal();
}

void
model_become(unsigned instance, unsigned lane, unsigned index)
{
	self = instance;
	model.owner = (uint8_t)instance;
	model.lane = (uint8_t)lane;
	model.index = (uint8_t)index;
	model.deputy = false;
	model.unsure = false;
	model.left = 0;
	model.pid = 0;
	model.kids = 0;
}

/* The head is small: the log has a sum of its own, which grows with it. */
static uint64_t
sum_head(void)
{
	const uint64_t *from = &model.log;
	const uint64_t *to = (const uint64_t *)model.writes;
	uint64_t sum = 0;

	while (from < to)
		sum = sum_add(sum, *from++);
	return sum;
}

void
model_seal(void)
{
	model.sum = sum_head();
}

void
model_check(void)
{
	uint64_t sum = sum_head();

	if (model.owner != (uint8_t)self)
		accuse(ORACLE_model, self, model.owner);
	else if (model.sum != sum)
		accuse(ORACLE_model, model.sum, sum);
}

int
model_free_fd(int from)
{
	for (int fd = from; fd < FDS; fd++)
		if (model.fd[fd].kind == FD_FREE)
			return fd;
	return -1;
}

struct fd *
model_fd(int fd)
{
	if (fd < 0 || fd >= FDS || model.fd[fd].kind == FD_FREE)
		return NULL;
	return &model.fd[fd];
}

bool
model_has_end(unsigned pipe, enum fd_kind kind)
{
	for (int fd = 0; fd < FDS; fd++)
		if (model.fd[fd].kind == kind && model.fd[fd].op == pipe)
			return true;
	return false;
}
