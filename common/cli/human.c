/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/cli/human.h"

#define NS 1000000000

static char *
scaled(double v, double base, const char *const *units, size_t n, int digits, const char *space,
    char *out, size_t size)
{
	size_t i = 0;

	while (v >= base && i + 1 < n) {
		v /= base;
		i++;
	}
	snprintf(out, size, "%.*g%s%s", digits, v, space, units[i]);
	return out;
}

static const char *const decimal[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
static const char *const binary[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};

char *
human_size(double bytes, char *out, size_t size)
{
	return scaled(bytes, 1000, decimal, COUNTOF(decimal), 4, "", out, size);
}

char *
human_size_spaced(double bytes, char *out, size_t size)
{
	return scaled(bytes, 1000, decimal, COUNTOF(decimal), 3, " ", out, size);
}

char *
human_bytes(double bytes, char *out, size_t size)
{
	return scaled(bytes, 1024, binary, COUNTOF(binary), 4, "", out, size);
}

char *
human_duration(int64_t s, char *out, size_t size)
{
	int64_t minutes = s / 60, hours = (s + 1800) / 3600, whole_hours = s / 3600;

	if (s < 1)
		snprintf(out, size, "Less than a second");
	else if (s == 1)
		snprintf(out, size, "1 second");
	else if (s < 60)
		snprintf(out, size, "%" PRId64 " seconds", s);
	else if (minutes == 1)
		snprintf(out, size, "About a minute");
	else if (minutes < 60)
		snprintf(out, size, "%" PRId64 " minutes", minutes);
	else if (hours == 1)
		snprintf(out, size, "About an hour");
	else if (hours < 48)
		snprintf(out, size, "%" PRId64 " hours", hours);
	else if (hours < 24 * 7 * 2)
		snprintf(out, size, "%" PRId64 " days", hours / 24);
	else if (hours < 24 * 30 * 2)
		snprintf(out, size, "%" PRId64 " weeks", hours / 24 / 7);
	else if (hours < 24 * 365 * 2)
		snprintf(out, size, "%" PRId64 " months", hours / 24 / 30);
	else
		snprintf(out, size, "%" PRId64 " years", whole_hours / 24 / 365);
	return out;
}

char *
human_ago(int64_t then, int64_t now, char *out, size_t size)
{
	size_t n;

	/* Go's durations end with their nanoseconds: the year 1 is 292 years ago. */
	human_duration(now - then < INT64_MAX / NS ? now - then : INT64_MAX / NS, out, size);
	n = strlen(out);
	snprintf(out + n, size - n, " ago");
	return out;
}

/* A number of units with its fraction, without trailing zeros. */
static size_t
fraction(uint64_t v, uint64_t unit, const char *name, char *out, size_t size)
{
	char digits[24];
	size_t n = 0;

	if (v % unit != 0) {
		n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, unit + v % unit);
		while (digits[n - 1] == '0')
			n--;
		/* The leading 1 of unit + rest keeps the zeros; the point takes its place. */
		digits[0] = '.';
	}
	return (size_t)snprintf(out, size, "%" PRIu64 "%.*s%s", v / unit, (int)n, digits, name);
}

char *
human_go_duration(int64_t ns, char *out, size_t size)
{
	uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	size_t n = (size_t)snprintf(out, size, "%s", ns < 0 ? "-" : "");

	if (v == 0)
		snprintf(out, size, "0s");
	else if (v < 1000)
		fraction(v, 1, "ns", out + n, size - n);
	else if (v < 1000000)
		fraction(v, 1000, "\xc2\xb5s", out + n, size - n);
	else if (v < NS)
		fraction(v, 1000000, "ms", out + n, size - n);
	else {
		uint64_t s = v / NS;

		if (s >= 3600)
			n += (size_t)snprintf(out + n, size - n, "%" PRIu64 "h", s / 3600);
		if (s >= 60)
			n += (size_t)snprintf(out + n, size - n, "%" PRIu64 "m", s / 60 % 60);
		fraction(v % (60 * (uint64_t)NS), NS, "s", out + n, size - n);
	}
	return out;
}

static void
split_time(int64_t ns, bool utc, struct tm *tm, int64_t *rest)
{
	time_t s = (time_t)(ns / NS);

	*rest = ns % NS;
	if (*rest < 0) {
		*rest += NS;
		s--;
	}
	if (utc || localtime_r(&s, tm) == NULL)
		gmtime_r(&s, tm);
}

/* ".5" and so on, nothing for a whole second. */
static size_t
add_fraction(int64_t rest, char *out, size_t size)
{
	char digits[16];
	int n = snprintf(digits, sizeof(digits), ".%09" PRId64, rest);

	if (rest == 0)
		return 0;
	while (digits[n - 1] == '0')
		n--;
	return (size_t)snprintf(out, size, "%.*s", n, digits);
}

static size_t
add_offset(const struct tm *tm, const char *colon, char *out, size_t size)
{
	long minutes = tm->tm_gmtoff / 60;

	return (size_t)snprintf(out, size, "%c%02ld%s%02ld", minutes < 0 ? '-' : '+',
	    labs(minutes) / 60, colon, labs(minutes) % 60);
}

static char *
rfc3339(int64_t ns, bool utc, char *out, size_t size)
{
	struct tm tm;
	int64_t rest;
	size_t n;

	split_time(ns, utc, &tm, &rest);
	n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	n += add_fraction(rest, out + n, size - n);
	if (tm.tm_gmtoff == 0)
		snprintf(out + n, size - n, "Z");
	else
		add_offset(&tm, ":", out + n, size - n);
	return out;
}

char *
human_rfc3339nano(int64_t ns, char *out, size_t size)
{
	return rfc3339(ns, false, out, size);
}

char *
human_rfc3339nano_utc(int64_t ns, char *out, size_t size)
{
	return rfc3339(ns, true, out, size);
}

char *
human_go_time(int64_t ns, char *out, size_t size)
{
	struct tm tm;
	int64_t rest;
	size_t n;

	split_time(ns, false, &tm, &rest);
	n = strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm);
	n += add_fraction(rest, out + n, size - n);
	n += (size_t)snprintf(out + n, size - n, " ");
	n += add_offset(&tm, "", out + n, size - n);
	snprintf(out + n, size - n, " %s",
	    tm.tm_gmtoff == 0 && strcmp(tm.tm_zone, "GMT") == 0 ? "UTC" : tm.tm_zone);
	return out;
}

/* What may follow seconds: a fraction. */
static const char *
skip_fraction(const char *at, int64_t *rest)
{
	int64_t scale = NS / 10;

	*rest = 0;
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++, scale /= 10)
			*rest += (*at - '0') * scale;
	return at;
}

/* A zone, which ends the text; without any it is the local one.  1: that time is none of int64_t's. */
static int
parse_zone(const char *at, struct tm *tm, int64_t rest, int64_t *out_ns)
{
	int64_t offset = 0, seconds;

	if (*at == '+' || *at == '-') {
		int hours, minutes, n = 0;

		if (sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &n) != 2 || at[1 + n] != '\0' ||
		    n != 5)
			return -1;
		offset = (*at == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	} else if (*at != '\0' && strcmp(at, "Z") != 0) {
		return -1;
	}
	tm->tm_isdst = -1;
	seconds = *at == '\0' ? (int64_t)mktime(tm) : (int64_t)timegm(tm) - offset;
	if (__builtin_mul_overflow(seconds, (int64_t)NS, &seconds) ||
	    __builtin_add_overflow(seconds, rest, out_ns))
		return 1;
	return 0;
}

int
human_parse_rfc3339(const char *s, int64_t *out_ns)
{
	struct tm tm = {0};
	int64_t rest;
	const char *at = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);

	if (at == NULL)
		return -1;
	at = skip_fraction(at, &rest);
	return *at != '\0' && parse_zone(at, &tm, rest, out_ns) == 0 ? 0 : -1;
}

int
human_parse_date(const char *s, int64_t *out_ns)
{
	static const char *const forms[] = {
	    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H", "%Y-%m-%d"};

	for (size_t i = 0; i < COUNTOF(forms); i++) {
		struct tm tm = {0};
		int64_t rest = 0;
		const char *at = strptime(s, forms[i], &tm);
		int day = tm.tm_mday, got;

		if (at == NULL)
			continue;
		if (i == 0)
			at = skip_fraction(at, &rest);
		/* The 30th of February would be a day of March. */
		got = parse_zone(at, &tm, rest, out_ns);
		if (got == 1)
			*out_ns = tm.tm_year > 70 ? INT64_MAX : INT64_MIN;
		return got != -1 && tm.tm_mday == day ? 0 : -1;
	}
	return -1;
}
