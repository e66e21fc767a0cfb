/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/conf/toml_scalar.h"

/*
 * Matches the whole word: '0' in the pattern is a digit, 'T' a T, t or space, other characters
 * stand for themselves.  Returns the length matched, or 0.
 */
static size_t
match(const char *word, const char *pattern)
{
	size_t i;

	for (i = 0; pattern[i] != '\0'; i++) {
		bool ok = pattern[i] == '0'   ? isdigit((unsigned char)word[i]) != 0
			  : pattern[i] == 'T' ? word[i] != '\0' && strchr("Tt ", word[i]) != NULL
					      : word[i] == pattern[i];

		if (!ok)
			return 0;
	}
	return i;
}

static bool
in_range(const char *two, unsigned min, unsigned max)
{
	unsigned v = (unsigned)(two[0] - '0') * 10 + (unsigned)(two[1] - '0');

	return v >= min && v <= max;
}

static bool
is_time(const char *s, bool zone)
{
	size_t n = match(s, "00:00:00");

	if (n == 0 || !in_range(s, 0, 23) || !in_range(s + 3, 0, 59) || !in_range(s + 6, 0, 60))
		return false;
	s += n;
	if (*s == '.') {
		n = strspn(s + 1, "0123456789");
		if (n == 0)
			return false;
		s += n + 1;
	}
	if (!zone || *s == '\0')
		return *s == '\0';
	if (*s == 'Z' || *s == 'z')
		return s[1] == '\0';
	n = match(s, *s == '+' ? "+00:00" : "-00:00");
	return n != 0 && s[n] == '\0' && in_range(s + 1, 0, 23) && in_range(s + 4, 0, 59);
}

static bool
is_datetime(const char *s)
{
	size_t n = match(s, "0000-00-00");

	if (n == 0)
		return is_time(s, false);
	if (!in_range(s + 5, 1, 12) || !in_range(s + 8, 1, 31))
		return false;
	return s[n] == '\0' || (match(s + n, "T") == 1 && is_time(s + n + 1, true));
}

/* Takes out the underscores, each of which must stand between two digits. */
static bool
strip(const char *word, char *out)
{
	size_t n = 0;

	for (size_t i = 0; word[i] != '\0'; i++) {
		if (word[i] != '_')
			out[n++] = word[i];
		else if (i == 0 || !isxdigit((unsigned char)word[i - 1]) ||
			 !isxdigit((unsigned char)word[i + 1]))
			return false;
	}
	out[n] = '\0';
	return true;
}

static json_t *
integer(const char *s)
{
	int base = 10;
	const char *digits = s;
	long long v;

	if (s[0] == '0' && s[1] != '\0' && strchr("xob", s[1]) != NULL) {
		base = s[1] == 'x' ? 16 : s[1] == 'o' ? 8 : 2;
		digits = s + 2;
	} else if (*s == '+' || *s == '-') {
		digits = s + 1;
	}
	if (digits[strspn(digits, base == 16   ? "0123456789abcdefABCDEF"
				  : base == 10 ? "0123456789"
				  : base == 8  ? "01234567"
					       : "01")] != '\0' ||
	    *digits == '\0' || (base == 10 && digits[0] == '0' && digits[1] != '\0'))
		return NULL;
	errno = 0;
	v = strtoll(base == 10 ? s : digits, NULL, base);
	return errno == 0 ? json_integer(v) : NULL;
}

/* 1.5, 1e6, 1.5e-6: digits on both sides of the point, no leading zero. */
static json_t *
real(const char *s)
{
	const char *at = s + (*s == '+' || *s == '-');
	size_t n = strspn(at, "0123456789");
	double v;

	if (n == 0 || (at[0] == '0' && n > 1))
		return NULL;
	at += n;
	if (*at == '\0')
		return NULL;
	if (*at == '.') {
		n = strspn(at + 1, "0123456789");
		if (n == 0)
			return NULL;
		at += n + 1;
	}
	if (*at == 'e' || *at == 'E') {
		at += 1 + (at[1] == '+' || at[1] == '-');
		n = strspn(at, "0123456789");
		if (n == 0)
			return NULL;
		at += n;
	}
	if (*at != '\0')
		return NULL;
	v = strtod(s, NULL);
	return isfinite(v) ? json_real(v) : NULL;
}

json_t *
toml_scalar(const char *word)
{
	char s[64];
	const char *unsigned_word = word + (*word == '+' || *word == '-');
	json_t *j;

	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
		return json_boolean(word[0] == 't');
	if (is_datetime(word) || strcmp(unsigned_word, "inf") == 0 ||
	    strcmp(unsigned_word, "nan") == 0)
		return json_str(word);
	if (strlen(word) >= sizeof(s) || !strip(word, s))
		return NULL;
	j = integer(s);
	return j != NULL ? j : real(s);
}
