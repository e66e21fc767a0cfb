/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/value.h"

int
value_bool(const char *s, bool *out, struct err *e)
{
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

	for (size_t i = 0; i < COUNTOF(yes); i++) {
		if (strcmp(s, yes[i]) == 0 || strcmp(s, no[i]) == 0) {
			*out = strcmp(s, yes[i]) == 0;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "strconv.ParseBool: parsing \"%s\": invalid syntax", s);
}

static int
bad_number(const char *func, const char *s, bool range, struct err *e)
{
	return err_set(e, ERR_USAGE, "strconv.%s: parsing \"%s\": %s", func, s,
	    range ? "value out of range" : "invalid syntax");
}

/* The digits of an unsigned number with Go's base prefixes.  Returns 0, EINVAL or ERANGE. */
static int
magnitude(const char *s, uint64_t *out)
{
	unsigned base = 10;
	uint64_t v = 0;
	bool range = false;

	if (s[0] == '0' && s[1] != '\0') {
		base = s[1] == 'x' || s[1] == 'X' ? 16 : s[1] == 'b' || s[1] == 'B' ? 2 : 8;
		s += base != 8 || s[1] == 'o' || s[1] == 'O' ? 2 : 1;
	}
	if (*s == '\0')
		return EINVAL;
	for (; *s != '\0'; s++) {
		unsigned d = *s >= '0' && *s <= '9'   ? (unsigned)(*s - '0')
			     : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a') + 10
			     : *s >= 'A' && *s <= 'F' ? (unsigned)(*s - 'A') + 10
						      : 99;

		if (d >= base)
			return EINVAL;
		range |= __builtin_mul_overflow(v, base, &v);
		range |= __builtin_add_overflow(v, d, &v);
	}
	*out = v;
	return range ? ERANGE : 0;
}

int
value_uint(const char *s, int bits, uint64_t *out, struct err *e)
{
	uint64_t v = 0;
	int no = magnitude(s, &v);

	if (no == 0 && bits == 32 && v > UINT32_MAX)
		no = ERANGE;
	if (no != 0)
		return bad_number("ParseUint", s, no == ERANGE, e);
	*out = v;
	return 0;
}

int
value_int(const char *s, int bits, int64_t *out, struct err *e)
{
	bool minus = s[0] == '-';
	uint64_t v = 0, limit = bits == 32 ? INT32_MAX : INT64_MAX;
	int no = magnitude(s + (minus || s[0] == '+'), &v);

	if (no == 0 && v > limit + minus)
		no = ERANGE;
	if (no != 0)
		return bad_number("ParseInt", s, no == ERANGE, e);
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int
value_float(const char *s, double *out, struct err *e)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(s, &end);
	if (*s == '\0' || *end != '\0' || *s == ' ' || *s == '\t' || *s == '\n')
		return bad_number("ParseFloat", s, false, e);
	if (errno == ERANGE && isinf(v))
		return bad_number("ParseFloat", s, true, e);
	*out = v;
	return 0;
}

/* The factor of a size suffix, or 0 if it is none. */
static double
size_factor(const char *suffix, double base)
{
	static const char letters[] = "bkmgtp";
	const char *at;
	double factor = 1;
	char first = suffix[0] >= 'A' && suffix[0] <= 'Z' ? (char)(suffix[0] + 32) : suffix[0];

	if (first == '\0')
		return 1;
	at = strchr(letters, first);
	if (at == NULL)
		return 0;
	if (first == 'b' && suffix[1] != '\0')
		return 0;
	if (suffix[1] != '\0' && strcasecmp(suffix + 1, "b") != 0 &&
	    strcasecmp(suffix + 1, "ib") != 0)
		return 0;
	for (; at > letters; at--)
		factor *= base;
	return factor;
}

static int
size_scaled(const char *s, double base, int64_t *out, struct err *e)
{
	size_t n = strlen(s), digits = n, len;
	char number[64];
	struct err ignored = {0};
	double v, factor;

	while (digits > 0 && strchr("0123456789. ", s[digits - 1]) == NULL)
		digits--;
	len = digits > 0 && s[digits - 1] == ' ' ? digits - 1 : digits;
	if (len == 0 || len >= sizeof(number))
		return err_set(e, ERR_USAGE, "invalid size: '%s'", s);
	memcpy(number, s, len);
	number[len] = '\0';
	factor = size_factor(s + digits, base);
	if (factor == 0)
		return err_set(e, ERR_USAGE, "invalid suffix: '%s'", s + digits);
	if (value_float(number, &v, &ignored) == -1 || !(v >= 0) || v * factor >= 0x1p63)
		return err_set(e, ERR_USAGE, "invalid size: '%s'", s);
	*out = (int64_t)(v * factor);
	return 0;
}

int
value_size(const char *s, int64_t *out, struct err *e)
{
	return size_scaled(s, 1024, out, e);
}

int
value_size_decimal(const char *s, int64_t *out, struct err *e)
{
	return size_scaled(s, 1000, out, e);
}

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000}, /* U+00B5 */
    {"\xce\xbcs", 1000}, /* U+03BC */
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", 60000000000},
    {"h", 3600000000000},
};

static int64_t
unit_find(const char *s, size_t n)
{
	for (size_t i = 0; i < COUNTOF(units); i++)
		if (strlen(units[i].name) == n && memcmp(units[i].name, s, n) == 0)
			return units[i].ns;
	return 0;
}

/* One "1.5h" of a duration; *at is moved behind it.  Returns 0, EINVAL, or ENODATA without a unit.
 */
static int
duration_part(const char **at, int64_t *ns, struct err *e, const char *whole)
{
	const char *s = *at;
	int64_t integer = 0, fraction = 0, scale = 1, unit, v;
	size_t digits = 0, n;

	for (; *s >= '0' && *s <= '9'; s++, digits++)
		if (__builtin_mul_overflow(integer, 10, &integer) ||
		    __builtin_add_overflow(integer, *s - '0', &integer))
			return EINVAL;
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9'; s++, digits++) {
			if (scale > 100000000000000000)
				continue;
			fraction = fraction * 10 + (*s - '0');
			scale *= 10;
		}
	}
	if (digits == 0)
		return EINVAL;
	n = strcspn(s, ".0123456789");
	if (n == 0) {
		err_set(e, ERR_USAGE, "time: missing unit in duration \"%s\"", whole);
		return ENODATA;
	}
	unit = unit_find(s, n);
	if (unit == 0) {
		err_set(e, ERR_USAGE, "time: unknown unit \"%.*s\" in duration \"%s\"", (int)n, s,
		    whole);
		return ENODATA;
	}
	if (__builtin_mul_overflow(integer, unit, &v) ||
	    __builtin_add_overflow(
		v, (int64_t)((double)fraction * ((double)unit / (double)scale)), &v) ||
	    __builtin_add_overflow(*ns, v, ns))
		return EINVAL;
	*at = s + n;
	return 0;
}

int
value_duration(const char *s, int64_t *out_ns, struct err *e)
{
	const char *at = s + (*s == '-' || *s == '+');
	int64_t ns = 0;
	int no = *at == '\0' ? EINVAL : 0;

	if (strcmp(at, "0") == 0) {
		*out_ns = 0;
		return 0;
	}
	while (no == 0 && *at != '\0')
		no = duration_part(&at, &ns, e, s);
	if (no == EINVAL)
		err_set(e, ERR_USAGE, "time: invalid duration \"%s\"", s);
	if (no != 0)
		return -1;
	*out_ns = *s == '-' ? -ns : ns;
	return 0;
}

static int
read_instant(const char *s, int64_t now_ns, bool ahead, int64_t *out_ns, struct err *e)
{
	double seconds;
	int64_t ns;

	if (human_parse_date(s, out_ns) == 0)
		return 0;
	if (value_float(s, &seconds, e) == 0 && seconds > -1e9 && seconds < 9e9) {
		err_clear(e);
		/* Not by the fraction alone: a double holds no nanoseconds of this century. */
		*out_ns = (int64_t)seconds * 1000000000 +
			  (int64_t)((seconds - (double)(int64_t)seconds) * 1e9);
		return 0;
	}
	if (value_duration(s, &ns, e) != 0)
		return err_set(e, ERR_INVALID, "unable to interpret time value \"%s\"", s);
	err_clear(e);
	return __builtin_add_overflow(now_ns, ahead ? ns : -ns, out_ns)
		   ? err_set(e, ERR_INVALID, "time value \"%s\" is out of range", s)
		   : 0;
}

int
value_instant(const char *s, int64_t now_ns, bool ahead, int64_t *out_ns, struct err *e)
{
	if (read_instant(s, now_ns, ahead, out_ns, e) == -1)
		return -1;
	*out_ns -= *out_ns == 0;
	return 0;
}
