/* SPDX-License-Identifier: ISC */
#include "common/role/bpf.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define ARCHES_MAX 16
#define NEAR_MAX 255  /* how far a comparison can jump */
#define BLOCK_MAX 120 /* ranges whose comparisons reach all their answers */
#define TO_ARGUMENTS \
	0xffff /* no instruction: a jump to what looks at arguments, until that has its place */

/* What the program does with one call of one architecture. */
struct answer {
	bool
	    ends; /* it returns value; else it looks at the arguments, from the instruction value on */
	uint32_t value;
};

/* The calls from this number to the next range's have one answer. */
struct range {
	uint32_t from;
	struct answer answer;
};

struct compaction {
	const struct sock_filter *in;
	size_t n;
	uint32_t arches[ARCHES_MAX]; /* that the program asks for */
	size_t narches;
	uint32_t *limits; /* at which another answer may begin, ascending */
	size_t nlimits;
	struct range *ranges;
	size_t nranges;
	size_t *copied; /* of each instruction of in: its place in out, 0 while it has none */
	struct sock_filter *out;
	size_t at, max;
};

static bool
is_same(const struct answer *a, const struct answer *b)
{
	return a->ends == b->ends && a->value == b->value;
}

static bool
is_comparison(const struct sock_filter *f)
{
	return f->code == (BPF_JMP | BPF_JEQ | BPF_K) || f->code == (BPF_JMP | BPF_JGT | BPF_K) ||
	       f->code == (BPF_JMP | BPF_JGE | BPF_K);
}

static bool
holds(const struct sock_filter *f, uint32_t a)
{
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return a == f->k;
	case BPF_JGT:
		return a > f->k;
	default:
		return a >= f->k;
	}
}

static bool
add_arch(struct compaction *c, uint32_t arch)
{
	for (size_t i = 0; i < c->narches; i++)
		if (c->arches[i] == arch)
			return true;
	if (c->narches == ARCHES_MAX)
		return false;
	c->arches[c->narches++] = arch;
	return true;
}

/*
 * Runs the program as far as architecture and number decide.  Exact because nothing but these two is in the
 * accumulator on the way, and what follows begins by loading it anew.  False: an instruction not known here.
 */
static bool
follow(struct compaction *c, uint32_t arch, uint32_t number, struct answer *out)
{
	enum { NOTHING, ARCH, NUMBER } loaded = NOTHING;

	for (size_t pc = 0; pc < c->n;) {
		const struct sock_filter *f = &c->in[pc];

		if (f->code == (BPF_RET | BPF_K)) {
			*out = (struct answer){true, f->k};
			return true;
		}
		if (f->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (f->k != offsetof(struct seccomp_data, arch) &&
			    f->k != offsetof(struct seccomp_data, nr)) {
				*out = (struct answer){false, (uint32_t)pc};
				return true;
			}
			loaded = f->k == offsetof(struct seccomp_data, arch) ? ARCH : NUMBER;
			pc++;
		} else if (f->code == (BPF_JMP | BPF_JA)) {
			pc += (size_t)f->k + 1;
		} else if (is_comparison(f) && loaded != NOTHING) {
			/* An architecture has no order. */
			if (loaded == ARCH && (BPF_OP(f->code) != BPF_JEQ || !add_arch(c, f->k)))
				return false;
			pc += 1u + (holds(f, loaded == ARCH ? arch : number) ? f->jt : f->jf);
		} else {
			return false;
		}
	}
	return false;
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Between two neighbours of these all comparisons of the program have one result. */
static void
find_limits(struct compaction *c)
{
	c->limits[c->nlimits++] = 0;
	for (size_t i = 0; i < c->n; i++) {
		if (!is_comparison(&c->in[i]))
			continue;
		c->limits[c->nlimits++] = c->in[i].k;
		if (c->in[i].k != UINT32_MAX)
			c->limits[c->nlimits++] = c->in[i].k + 1;
	}
	qsort(c->limits, c->nlimits, sizeof *c->limits, by_value);
}

static bool
find_ranges(struct compaction *c, uint32_t arch)
{
	c->nranges = 0;
	for (size_t i = 0; i < c->nlimits; i++) {
		struct answer a, *last;

		if (!follow(c, arch, c->limits[i], &a))
			return false;
		last = c->nranges > 0 ? &c->ranges[c->nranges - 1].answer : NULL;
		if (last == NULL || !is_same(last, &a))
			c->ranges[c->nranges++] = (struct range){c->limits[i], a};
	}
	return true;
}

/* One that the program does not ask for stands for all these. */
static uint32_t
other_arch(const struct compaction *c)
{
	uint32_t other = 0;

	for (size_t i = 0; i < c->narches; i++)
		if (c->arches[i] == other) {
			other++;
			i = (size_t)-1;
		}
	return other;
}

/* Following each architecture with each number meets all architectures that the program asks for. */
static bool
find_arches(struct compaction *c)
{
	size_t known;

	do {
		known = c->narches;
		if (!find_ranges(c, other_arch(c)))
			return false;
		for (size_t i = 0; i < c->narches; i++)
			if (!find_ranges(c, c->arches[i]))
				return false;
	} while (c->narches != known);
	return true;
}

static void
put(struct compaction *c, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (c->at < c->max)
		c->out[c->at] = (struct sock_filter){code, jt, jf, k};
	c->at++;
}

static size_t
find_answer(const struct answer *list, size_t n, const struct answer *a)
{
	size_t i = 0;

	while (i < n && !is_same(&list[i], a))
		i++;
	return i;
}

/* The answers of a block of ranges, each once. */
static size_t
list_answers(const struct range *r, size_t n, struct answer list[BLOCK_MAX])
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		if (find_answer(list, found, &r[i].answer) == found)
			list[found++] = r[i].answer;
	return found;
}

static size_t
tree_size(const struct range *r, size_t n)
{
	struct answer list[BLOCK_MAX];
	size_t left;

	if (n <= BLOCK_MAX)
		return n - 1 + list_answers(r, n, list);
	left = tree_size(r, n / 2);
	return 1 + (left > NEAR_MAX) + left + tree_size(r + n / 2, n - n / 2);
}

/* The answers of a block, which stand behind its comparisons. */
struct answers {
	struct answer list[BLOCK_MAX];
	size_t n, at;
};

/* How far the comparison at from jumps for n ranges: to the one at next, or to the answer if there is one range. */
static uint8_t
distance(const struct answers *a, const struct range *r, size_t n, size_t from, size_t next)
{
	if (n == 1)
		next = a->at + find_answer(a->list, a->n, &r->answer);
	return (uint8_t)(next - from - 1);
}

static void
put_comparisons(struct compaction *c, const struct answers *a, const struct range *r, size_t n)
{
	size_t left = n / 2, at = c->at;

	if (n == 1)
		return;
	put(c, BPF_JMP | BPF_JGE | BPF_K, distance(a, r + left, n - left, at, at + left),
	    distance(a, r, left, at, at + 1), r[left].from);
	put_comparisons(c, a, r, left);
	put_comparisons(c, a, r + left, n - left);
}

static void
put_block(struct compaction *c, const struct range *r, size_t n)
{
	struct answers a = {.at = c->at + n - 1};

	a.n = list_answers(r, n, a.list);
	put_comparisons(c, &a, r, n);
	for (size_t i = 0; i < a.n; i++)
		put(c, a.list[i].ends ? BPF_RET | BPF_K : TO_ARGUMENTS, 0, 0, a.list[i].value);
}

static void
put_tree(struct compaction *c, const struct range *r, size_t n)
{
	size_t left;

	if (n <= BLOCK_MAX) {
		put_block(c, r, n);
		return;
	}
	left = tree_size(r, n / 2);
	if (left > NEAR_MAX) {
		put(c, BPF_JMP | BPF_JGE | BPF_K, 0, 1, r[n / 2].from);
		put(c, BPF_JMP | BPF_JA, 0, 0, (uint32_t)left);
	} else {
		put(c, BPF_JMP | BPF_JGE | BPF_K, (uint8_t)left, 0, r[n / 2].from);
	}
	put_tree(c, r, n / 2);
	put_tree(c, r + n / 2, n - n / 2);
}

/* The instructions of one architecture, which the ones for others jump over. */
static bool
put_arch(struct compaction *c, const uint32_t *arch)
{
	if (!find_ranges(c, arch != NULL ? *arch : other_arch(c)))
		return false;
	if (arch != NULL) {
		put(c, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, *arch);
		put(c, BPF_JMP | BPF_JA, 0, 0, (uint32_t)tree_size(c->ranges, c->nranges) + 1);
	}
	put(c, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	put_tree(c, c->ranges, c->nranges);
	return true;
}

/* Marks what can be reached from the marked ones: all jumps of BPF go forward. */
static bool
mark_reached(struct compaction *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct sock_filter *f = &c->in[i];
		size_t a = i + 1, b = a;

		if (c->copied[i] == 0 || BPF_CLASS(f->code) == BPF_RET)
			continue;
		if (f->code == (BPF_JMP | BPF_JA)) {
			a = b = i + 1 + (size_t)f->k;
		} else if (BPF_CLASS(f->code) == BPF_JMP) {
			a = i + 1 + f->jt;
			b = i + 1 + f->jf;
		}
		if (a >= c->n || b >= c->n)
			return false;
		c->copied[a] = c->copied[b] = 1;
	}
	return true;
}

static void
copy_one(struct compaction *c, size_t i)
{
	struct sock_filter f = c->in[i];

	/* Never farther than in the original, so what fitted there fits. */
	if (f.code == (BPF_JMP | BPF_JA)) {
		f.k = (uint32_t)(c->copied[i + 1 + (size_t)f.k] - c->copied[i] - 1);
	} else if (BPF_CLASS(f.code) == BPF_JMP) {
		f.jt = (uint8_t)(c->copied[i + 1 + f.jt] - c->copied[i] - 1);
		f.jf = (uint8_t)(c->copied[i + 1 + f.jf] - c->copied[i] - 1);
	}
	put(c, f.code, f.jt, f.jf, f.k);
}

/* Appends what looks at arguments, and lets the trees' jumps lead there. */
static bool
copy_arguments(struct compaction *c)
{
	size_t trees = c->at, to = trees;

	if (trees > c->max)
		return false;
	for (size_t i = 0; i < trees; i++)
		if (c->out[i].code == TO_ARGUMENTS)
			c->copied[c->out[i].k] = 1;
	if (!mark_reached(c))
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (c->copied[i] != 0)
			c->copied[i] = to++;
	if (to > c->max)
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (c->copied[i] != 0)
			copy_one(c, i);
	for (size_t i = 0; i < trees; i++)
		if (c->out[i].code == TO_ARGUMENTS)
			c->out[i] = (struct sock_filter){
			    BPF_JMP | BPF_JA, 0, 0, (uint32_t)(c->copied[c->out[i].k] - i - 1)};
	return true;
}

static bool
compact(struct compaction *c)
{
	find_limits(c);
	if (!find_arches(c))
		return false;
	put(c, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < c->narches; i++)
		if (!put_arch(c, &c->arches[i]))
			return false;
	return put_arch(c, NULL) && copy_arguments(c) && c->at < c->n;
}

size_t
bpf_compact(const struct sock_filter *in, size_t n, struct sock_filter *out, size_t max)
{
	struct compaction c = {.in = in, .n = n, .out = out, .max = max};
	bool done;

	if (n == 0 || n > BPF_MAXINSNS)
		return 0;
	c.limits = calloc(2 * n + 1, sizeof *c.limits);
	c.ranges = calloc(2 * n + 1, sizeof *c.ranges);
	c.copied = calloc(n, sizeof *c.copied);
	done = c.limits != NULL && c.ranges != NULL && c.copied != NULL && compact(&c);
	free(c.limits);
	free(c.ranges);
	free(c.copied);
	return done ? c.at : 0;
}
