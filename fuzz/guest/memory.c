/* SPDX-License-Identifier: MIT */
/*
 * memory.c - what is in the arena, and what has to be.
 *
 * Every write of a process, and of its ancestors before it was forked, is on
 * its list of writes; the last one that covers a byte says what it must hold,
 * and a byte that none covers must be zero.  So no copy of the arena is kept.
 *
 * Stores leave patterns: each aligned word says who wrote it, in which
 * operation and where.  Words in memory shared by mistake thus tell whose
 * they are.  All bytes of a pattern have their highest bit set.
 */
#include "fuzz/guest/memory.h"
#include "fuzz/guest/model.h"
#include "fuzz/guest/report.h"

enum { WORD = 8, LINE = 8 * WORD, WHERE_BITS = 15, WHO_BITS = 6, AROUND = 16 };

#define HIGH_BITS    0x80808080U
#define HIGH_BITS_64 0x8080808080808080UL
#define SPREAD       0x9e3779b1U

/* What is expected at one place, up to where that holds. */
struct expected {
	const struct write *write; /* NULL: never written to */
	uint32_t end;
};

static uint8_t *
at(uint32_t offset)
{
	return (uint8_t *)arena.start + offset;
}

/* ---- patterns */

/* 28 bits to four bytes. */
static uint32_t
widen(uint32_t id)
{
	return HIGH_BITS | (id & 0x7f) | (id << 1 & 0x7f00) |
	       (id << 2 & 0x7f0000) | (id << 3 & 0x7f000000);
}

static uint32_t
narrow(uint32_t bytes)
{
	return (bytes & 0x7f) | (bytes & 0x7f00) >> 1 |
	       (bytes & 0x7f0000) >> 2 | (bytes & 0x7f000000) >> 3;
}

static uint64_t
with_proof(uint32_t bytes)
{
	return (uint64_t)(bytes * SPREAD | HIGH_BITS) << 32 | bytes;
}

/* What all words of one operation's pattern have in common. */
static uint32_t
mark(unsigned instance, unsigned op)
{
	return instance << WHERE_BITS | op << (WHERE_BITS + WHO_BITS);
}

static uint64_t
marked(uint32_t who, uint32_t offset)
{
	uint32_t where = offset / WORD & ((1U << WHERE_BITS) - 1);

	return with_proof(widen(where | who));
}

static uint64_t
pattern(unsigned instance, unsigned op, uint32_t offset)
{
	return marked(mark(instance, op), offset);
}

/* Is it a word of a pattern? Then whose and from which operation. */
static bool
pattern_read(uint64_t word, unsigned *instance, unsigned *op)
{
	uint32_t id = narrow((uint32_t)word);

	*instance = id >> WHERE_BITS & ((1U << WHO_BITS) - 1);
	*op = id >> (WHERE_BITS + WHO_BITS);
	return word == with_proof((uint32_t)word | HIGH_BITS) && *op < OPS_MAX;
}

static void check_around(uint32_t lo, uint32_t hi, bool spilt);

/* ---- the list of writes */

static uint64_t
sum_write(uint64_t sum, const struct write *w)
{
	if (w->content == DATA)
		for (uint32_t i = 0; i < w->hi - w->lo; i++)
			sum = sum_add(sum, model.data[w->data + i]);
	sum = sum_add(sum, (uint64_t)w->lo << 32 | w->hi);
	return sum_add(sum, (uint64_t)w->data << 40 |
				    (uint64_t)w->content << 24 | w->op << 16 |
				    w->instance << 8 | w->touches);
}

static struct write *
log_write(unsigned op, uint32_t lo, uint32_t hi, enum content content)
{
	struct write *w = &model.writes[model.nwrites];

	*w = (struct write){
		.lo = lo,
		.hi = hi,
		.data = model.ndata,
		.content = content,
		.op = (uint8_t)op,
		.instance = (uint8_t)self,
	};
	model.nwrites++;
	return w;
}

/* It is complete. */
static void
log_done(const struct write *w)
{
	model.log = sum_write(model.log, w);
}

static void
check_log(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < model.nwrites; i++)
		sum = sum_write(sum, &model.writes[i]);
	if (sum != model.log)
		accuse(ORACLE_model, model.log, sum);
}

/* ---- writing */

/* Part of a word at p, up to hi. */
static uint32_t
fill_bytes(uint64_t word, uint32_t p, uint32_t hi)
{
	do {
		*at(p) = (uint8_t)(word >> p % WORD * 8);
		p++;
	} while (p < hi && p % WORD != 0);
	return p;
}

void
memory_fill(unsigned op, uint32_t lo, uint32_t hi)
{
	uint32_t who = mark((unsigned)self, op);

	if (lo >= hi)
		return;
	log_done(log_write(op, lo, hi, PATTERN));
	for (uint32_t p = lo; p < hi;) {
		uint64_t word = marked(who, p);

		if (p % WORD != 0 || hi - p < WORD) {
			p = fill_bytes(word, p, hi);
			continue;
		}
		*(volatile uint64_t *)at(p) = word;
		p += WORD;
	}
	check_around(lo, hi, false);
}

void
memory_touch(unsigned op, uint32_t lo, uint32_t hi)
{
	struct write *w;

	if (lo >= hi)
		return;
	w = log_write(op, lo, hi, PATTERN);
	w->touches = true;
	log_done(w);
	for (; lo < hi; lo += PAGE) {
		*(volatile uint64_t *)at(lo) = pattern((unsigned)self, op, lo);
		check_around(lo, lo + WORD, false);
	}
}

void
memory_take(unsigned op, uint32_t lo, uint32_t hi)
{
	struct write *w;

	if (lo >= hi)
		return;
	if (model.ndata + (hi - lo) > DATA_MAX) {
		memory_doubt(op, lo, hi);
		return;
	}
	w = log_write(op, lo, hi, DATA);
	for (; lo < hi; lo++)
		model.data[model.ndata++] = *at(lo);
	log_done(w);
}

void
memory_doubt(unsigned op, uint32_t lo, uint32_t hi)
{
	if (lo < hi)
		log_done(log_write(op, lo, hi, UNKNOWN));
}

void
memory_clear(unsigned op, uint32_t lo, uint32_t hi)
{
	if (lo < hi)
		log_done(log_write(op, lo, hi, ZEROES));
}

/* ---- expecting */

/* Does w cover p?  The answer is the same up to *end, or before. */
static bool
covers(const struct write *w, uint32_t p, uint32_t *end)
{
	uint32_t in_page = (p - w->lo) % PAGE;

	if (p >= w->hi)
		return false;
	if (p < w->lo) {
		*end = *end < w->lo ? *end : w->lo;
		return false;
	}
	if (!w->touches) {
		*end = *end < w->hi ? *end : w->hi;
		return true;
	}
	p += (in_page < WORD ? WORD : PAGE) - in_page;
	*end = *end < p ? *end : p;
	return in_page < WORD;
}

static struct expected
expect(uint32_t p, uint32_t end)
{
	struct expected e = {NULL, end};

	for (unsigned i = model.nwrites; i-- > 0;) {
		if (!covers(&model.writes[i], p, &e.end))
			continue;
		e.write = &model.writes[i];
		break;
	}
	return e;
}

static uint8_t
expected_byte(const struct write *w, uint32_t p)
{
	if (w == NULL || w->content == ZEROES)
		return 0;
	if (w->content == DATA)
		return model.data[w->data + (p - w->lo)];
	return (uint8_t)(pattern(w->instance, w->op, p) >> p % WORD * 8);
}

/* The aligned word around p as w would have it. */
static uint64_t
expected_word(const struct write *w, uint32_t p)
{
	uint64_t word = 0;

	if (w == NULL || w->content == ZEROES)
		return 0;
	if (w->content == PATTERN)
		return pattern(w->instance, w->op, p);
	p -= p % WORD;
	for (unsigned i = 0; i < WORD; i++)
		if (p + i >= w->lo && p + i < w->hi)
			word |= (uint64_t)expected_byte(w, p + i) << i * 8;
	return word;
}

/* ---- accusing */

static bool
is_mine(unsigned instance, unsigned op)
{
	for (unsigned i = 0; i < model.nwrites; i++) {
		const struct write *w = &model.writes[i];

		if (w->content == PATTERN && w->instance == instance &&
			w->op == op)
			return true;
	}
	return false;
}

static bool
is_untouched(const struct write *w)
{
	return w == NULL || w->content == ZEROES;
}

/* Is most of p's page wrong where nobody has written?  Then it came so. */
static bool
page_came_dirty(uint32_t p)
{
	int wrong = 0;

	p -= p % PAGE;
	for (uint32_t end = p + PAGE; p < end; p += WORD)
		if (is_untouched(expect(p, end).write))
			wrong += *(uint64_t *)at(p) != 0 ? 1 : -1;
	return wrong > 0;
}

static unsigned
oracle_of(const struct write *w, uint32_t p, uint64_t found, bool spilt)
{
	unsigned instance, op;

	if (pattern_read(found, &instance, &op))
		return is_mine(instance, op) ? ORACLE_stale : ORACLE_foreign;
	if (is_untouched(w) && page_came_dirty(p))
		return ORACLE_unzeroed;
	if (spilt)
		return ORACLE_spill;
	return found == 0 ? ORACLE_lost : ORACLE_foreign;
}

static void
accuse_memory(const struct write *w, uint32_t p, bool spilt)
{
	uint64_t found = *(uint64_t *)at(p - p % WORD);

	accuse(oracle_of(w, p, found, spilt), expected_word(w, p), found);
}

/* ---- checking */

/*
 * The checks are most of what this program does, so whole lines of words are
 * compared at a time.  Both return where the first line begins that differs,
 * or that is not whole.
 */
static uint32_t
skip_zeroes(uint32_t p, uint32_t end)
{
	for (; end - p >= LINE; p += LINE) {
		const volatile uint64_t *w = (uint64_t *)at(p);

		if (w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7])
			break;
	}
	return p;
}

static uint32_t
skip_pattern(uint32_t who, uint32_t p, uint32_t end)
{
	for (; end - p >= LINE; p += LINE) {
		const volatile uint64_t *w = (uint64_t *)at(p);
		uint64_t differ = 0;

#pragma GCC unroll 8
		for (uint32_t i = 0; i < LINE / WORD; i++)
			differ |= w[i] ^ marked(who, p + i * WORD);
		if (differ != 0)
			break;
	}
	return p;
}

static uint32_t
skip_lines(const struct write *w, uint32_t p, uint32_t end)
{
	if (w == NULL || w->content == ZEROES)
		return skip_zeroes(p, end);
	if (w->content == PATTERN)
		return skip_pattern(mark(w->instance, w->op), p, end);
	return p;
}

/* Compare [p, end), which w alone covers; where it differs first, or end. */
static uint32_t
compare(const struct write *w, uint32_t p, uint32_t end)
{
	bool words = w == NULL || w->content != DATA;

	if (w != NULL && w->content == UNKNOWN)
		return end;
	while (p < end) {
		if (words && p % WORD == 0 && end - p >= WORD) {
			uint32_t next = skip_lines(w, p, end);

			if (next != p) {
				p = next;
				continue;
			}
			if (*(uint64_t *)at(p) != expected_word(w, p))
				return p;
			p += WORD;
			continue;
		}
		if (*at(p) != expected_byte(w, p))
			return p;
		p++;
	}
	return end;
}

static void
check_range(uint32_t lo, uint32_t hi, bool spilt)
{
	while (lo < hi) {
		struct expected e = expect(lo, hi);
		uint32_t bad = compare(e.write, lo, e.end);

		if (bad < e.end) {
			accuse_memory(e.write, bad, spilt);
			return;
		}
		lo = e.end;
	}
}

void
memory_check(uint32_t lo, uint32_t hi)
{
	check_range(lo, hi, false);
}

/* The whole words that a touching write wrote, and nothing between. */
static void
check_touched(const struct write *w)
{
	for (uint32_t p = w->lo; p < w->hi; p += PAGE)
		if (p < model.size)
			check_range(p, p + WORD, false);
}

void
memory_check_written(void)
{
	check_log();
	for (unsigned i = 0; i < model.nwrites; i++) {
		const struct write *w = &model.writes[i];
		uint32_t hi = w->hi < model.size ? w->hi : model.size;

		if (w->content == ZEROES || w->content == UNKNOWN)
			continue;
		if (w->touches)
			check_touched(w);
		else
			check_range(w->lo, hi, false);
	}
}

/* Those that lie in [lo, hi) as a whole. */
static bool
words_are_zero(uint32_t lo, uint32_t hi)
{
	uint64_t all = 0;

	for (lo = (lo + WORD - 1) & ~(WORD - 1U); lo + WORD <= hi; lo += WORD)
		all |= *(volatile uint64_t *)at(lo);
	return all == 0;
}

/* What is beside [lo, hi), on the same pages. */
static void
check_around(uint32_t lo, uint32_t hi, bool spilt)
{
	uint32_t from = lo < AROUND ? 0 : lo - AROUND;
	uint32_t to = hi + AROUND;

	if (from / PAGE != lo / PAGE)
		from = lo - lo % PAGE;
	if (to / PAGE != (hi - 1) / PAGE)
		to = ((hi - 1) / PAGE + 1) * PAGE;
	/* Beside a store it is for zeroes; what is written has its own time. */
	if (spilt || !words_are_zero(from, lo))
		check_range(from, lo, spilt);
	if (spilt || !words_are_zero(hi, to))
		check_range(hi, to, spilt);
}

void
memory_check_around(uint32_t lo, uint32_t hi)
{
	check_around(lo, hi, true);
}

bool
memory_is_known(const uint8_t *bytes, uint64_t n, uint64_t *bad)
{
	for (uint64_t i = 0; i < n; i++) {
		if (bytes[i] == 0 || (bytes[i] & 0x80))
			continue;
		*bad = bytes[i];
		return false;
	}
	return true;
}
