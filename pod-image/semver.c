/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-image/semver.h"

#define CONDITION_MAX 1000 /* bytes */

enum { MAJOR, MINOR, PATCH, PARTS };

struct version {
	uint64_t n[PARTS]; /* what is missing or x is 0 */
	int given;	   /* of the numbers: 3 unless some are missing or x */
	char *pre;	   /* what follows '-', or NULL */
};

struct clause {
	const struct op *op;
	struct version at;
};

struct op {
	const char *word;
	bool (*meets)(const struct version *v, const struct version *at);
};

static void
version_free(struct version *v)
{
	free(v->pre);
	v->pre = NULL;
}
#define own_version __attribute__((cleanup(version_free)))

/* --- Versions --------------------------------------------------------------------------------- */

static size_t
word_length(const char *s)
{
	return strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.");
}

/* One number, or x where that may be; what follows an x does not count.  The bytes read, or 0. */
static size_t
read_number(const char *s, bool wild, struct version *v, int part)
{
	size_t n = strspn(s, "0123456789");
	own_mem char *digits = xstrndup(s, n);
	uint64_t number;

	if (wild && n == 0 && (*s == 'x' || *s == 'X' || *s == '*'))
		return 1;
	if (n == 0 || text_to_u64(digits, UINT64_MAX, &number) < 0)
		return 0;
	if (v->given == part) {
		v->n[part] = number;
		v->given = part + 1;
	}
	return n;
}

/* The bytes that form a version at s, or 0. */
static size_t
read_version(const char *s, bool wild, struct version *v)
{
	size_t at = *s == 'v' ? 1 : 0, n;

	*v = (struct version){0};
	for (int i = 0; i < PARTS; i++) {
		n = read_number(s + at, wild, v, i);
		if (n == 0)
			return 0;
		at += n;
		if (i == PATCH || s[at] != '.')
			break;
		at++;
	}
	if (s[at] == '-' && (n = word_length(s + at + 1)) > 0) {
		v->pre = xstrndup(s + at + 1, n);
		at += 1 + n;
	}
	if (s[at] == '+')
		at += 1 + word_length(s + at + 1);
	return at;
}

/* One identifier of what stands before a release against another (semver.org, 11.4). */
static int
compare_words(const char *a, size_t an, const char *b, size_t bn)
{
	bool anum = strspn(a, "0123456789") >= an, bnum = strspn(b, "0123456789") >= bn;
	int r;

	if (anum != bnum)
		return anum ? -1 : 1;
	if (anum && an != bn)
		return an < bn ? -1 : 1;
	r = strncmp(a, b, an < bn ? an : bn);
	return r != 0 ? r : (an > bn) - (an < bn);
}

static int
compare_pre(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a == NULL) - (b == NULL);
	for (;;) {
		size_t an = strcspn(a, "."), bn = strcspn(b, ".");
		int r = compare_words(a, an, b, bn);

		if (r != 0 || (a[an] == '\0' && b[bn] == '\0'))
			return r;
		if (a[an] == '\0' || b[bn] == '\0')
			return a[an] == '\0' ? -1 : 1;
		a += an + 1;
		b += bn + 1;
	}
}

static int
compare(const struct version *a, const struct version *b)
{
	for (int i = 0; i < PARTS; i++)
		if (a->n[i] != b->n[i])
			return a->n[i] < b->n[i] ? -1 : 1;
	return compare_pre(a->pre, b->pre);
}

/* Equal in so many numbers. */
static bool
same(const struct version *a, const struct version *b, int parts)
{
	return memcmp(a->n, b->n, (size_t)parts * sizeof(a->n[0])) == 0;
}

/* --- Operators -------------------------------------------------------------------------------- */

static bool
meets_tilde(const struct version *v, const struct version *at)
{
	int parts = at->given < MINOR + 1 ? at->given : MINOR + 1;

	return compare(v, at) >= 0 && same(v, at, parts);
}

static bool
meets_equal(const struct version *v, const struct version *at)
{
	return at->given < PARTS ? meets_tilde(v, at) : compare(v, at) == 0;
}

static bool
meets_not(const struct version *v, const struct version *at)
{
	return !meets_equal(v, at);
}

/* ">1.2" is what follows all of 1.2.x. */
static bool
meets_greater(const struct version *v, const struct version *at)
{
	return compare(v, at) > 0 && (at->given == PARTS || !same(v, at, at->given));
}

static bool
meets_less(const struct version *v, const struct version *at)
{
	return compare(v, at) < 0;
}

static bool
meets_from(const struct version *v, const struct version *at)
{
	return compare(v, at) >= 0;
}

/* "<=1.2" is all of 1.2.x, too. */
static bool
meets_to(const struct version *v, const struct version *at)
{
	return compare(v, at) <= 0 || (at->given < PARTS && same(v, at, at->given));
}

/* Nothing changes left of the first number that is not 0, or that was not given. */
static bool
meets_caret(const struct version *v, const struct version *at)
{
	int parts = MAJOR;

	while (parts < at->given && at->n[parts] == 0)
		parts++;
	if (parts < at->given)
		parts++;
	return compare(v, at) >= 0 && same(v, at, parts);
}

/* A word before another that begins it. */
static const struct op ops[] = {{"!=", meets_not}, {">=", meets_from}, {"=>", meets_from},
    {"<=", meets_to}, {"=<", meets_to}, {"~>", meets_tilde}, {"~", meets_tilde}, {"^", meets_caret},
    {">", meets_greater}, {"<", meets_less}, {"=", meets_equal}, {"", meets_equal}};

/* --- Conditions ------------------------------------------------------------------------------- */

static const char *
skip(const char *s)
{
	return s + strspn(s, " \t");
}

/* The next clause, and where it ends; NULL if there is none at s. */
static const char *
read_clause(const char *s, struct clause *c)
{
	size_t i = 0, n;

	while (!text_has_prefix(s, ops[i].word))
		i++;
	c->op = &ops[i];
	s = skip(s + strlen(ops[i].word));
	n = read_version(s, true, &c->at);
	if (n == 0)
		version_free(&c->at);
	return n > 0 ? s + n : NULL;
}

static bool
meets(const struct clause *c, const struct version *v)
{
	return (v->pre == NULL || c->at.pre != NULL) && c->op->meets(v, &c->at);
}

/*
 * The clauses up to "||" or the end, all of which v has to meet; where they end, or NULL if they are none.  A
 * range "A - B" is ">=A <=B".
 */
static const char *
read_all(const char *s, const struct version *v, bool *met)
{
	static const struct op from = {">=", meets_from}, to = {"<=", meets_to};
	bool range = false;

	*met = true;
	do {
		struct clause c;

		s = read_clause(skip(s), &c);
		if (s == NULL)
			return NULL;
		if (range)
			c.op = &to;
		range = !range && strncmp(s, " - ", 3) == 0;
		if (range)
			c.op = &from;
		*met = *met && meets(&c, v);
		version_free(&c.at);
		s = skip(range ? s + 3 : s);
		if (*s == ',')
			s = skip(s + 1);
	} while (*s != '\0' && *s != '|');
	return s;
}

/* 1: met; 0: not; -1: it is no condition. */
static int
evaluate(const char *condition, const struct version *v)
{
	const char *s = condition;
	bool any = false, met;

	if (strlen(condition) > CONDITION_MAX)
		return -1;
	for (;;) {
		s = read_all(s, v, &met);
		if (s == NULL)
			return -1;
		any = any || met;
		if (*s == '\0')
			return any;
		if (strncmp(s, "||", 2) != 0)
			return -1;
		s += 2;
	}
}

int
semver_check(const char *condition, struct err *e)
{
	const struct version none = {.given = PARTS};

	return evaluate(condition, &none) >= 0
		   ? 0
		   : err_set(e, ERR_INVALID, "\"%.128s\" is no condition on versions", condition);
}

bool
semver_matches(const char *condition, const char *version)
{
	own_version struct version v = {0};
	size_t n = read_version(version, false, &v);

	return n > 0 && version[n] == '\0' && evaluate(condition, &v) == 1;
}
