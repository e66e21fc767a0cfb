/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pod-image/fetch/ranges.h"

#define BETWEEN_MAX 8192u /* bytes of a part's headers, or around the parts */
#define BOUNDARY_MAX 70u  /* RFC 2046, 5.1.1 */

static int
lied(struct err *e)
{
	return err_set(e, ERR_FORMAT, "the registry sent another range than was asked for");
}

static const char *
number(const char *p, uint64_t *out)
{
	const char *from = p;

	for (*out = 0; *p >= '0' && *p <= '9'; p++) {
		if (*out > (INT64_MAX - 9) / 10)
			return NULL;
		*out = *out * 10 + (uint64_t)(*p - '0');
	}
	return p > from ? p : NULL;
}

/* "bytes FIRST-LAST/TOTAL", where TOTAL may be "*". */
static int
content_range(const struct ranges *r, const char *p, uint64_t *at, uint64_t *end)
{
	uint64_t last, total;

	if (strncasecmp(p, "bytes ", 6) != 0 || (p = number(p + 6, at)) == NULL || *p++ != '-' ||
	    (p = number(p, &last)) == NULL || *p++ != '/')
		return -1;
	if (*p == '*')
		p++;
	else if ((p = number(p, &total)) == NULL || total != r->total)
		return -1;
	*end = last + 1;
	return *p == '\0' && *at < *end && *end <= r->total ? 0 : -1;
}

/* "multipart/byteranges; boundary=TEXT" */
static int
read_boundary(struct ranges *r, const char *type)
{
	const char *p = strcasestr(type, "boundary=");
	size_t n;

	if (p == NULL)
		return -1;
	p += 9;
	n = *p == '"' ? strcspn(++p, "\"") : strcspn(p, "; \t");
	if (n == 0 || n > BOUNDARY_MAX)
		return -1;
	snprintf(r->boundary, sizeof(r->boundary), "--%.*s", (int)n, p);
	return 0;
}

static void
begin_span(struct ranges *r, enum ranges_state state, uint64_t at, uint64_t end)
{
	r->state = state;
	r->pos = at;
	r->end = end;
}

int
ranges_begin(struct ranges *r, long status, const char *type, const char *range, struct err *e)
{
	const struct range *last = &r->v[r->n - 1];
	uint64_t at, end;

	r->done = r->line_n = r->between = 0;
	if (status == 200) {
		begin_span(r, RANGES_SPAN, 0, r->total);
		return 0;
	}
	if (status != 206)
		return lied(e);
	if (range == NULL && type != NULL && strncasecmp(type, "multipart/byteranges", 20) == 0) {
		r->state = RANGES_LINES;
		return read_boundary(r, type) == 0 ? 0 : lied(e);
	}
	if (range == NULL || content_range(r, range, &at, &end) == -1 || at > r->v[0].at ||
	    end < last->at + last->size)
		return lied(e);
	/* Of one range exactly that; of several a server may make one that holds them all. */
	if (r->n == 1 && (at != last->at || end != last->at + last->size))
		return lied(e);
	begin_span(r, RANGES_SPAN, at, end);
	return 0;
}

static int
take_span(struct ranges *r, size_t n, size_t *skip, size_t *give, struct err *e)
{
	const struct range *v = r->done < r->n ? &r->v[r->done] : NULL;
	uint64_t to = v == NULL ? r->end : r->pos < v->at ? v->at : v->at + v->size;
	size_t some;

	if (r->pos >= r->end)
		return lied(e);
	some = to - r->pos < n ? (size_t)(to - r->pos) : n;
	if (v != NULL && r->pos >= v->at) {
		*give = some;
		r->done += r->pos + some == to;
	} else {
		*skip = some;
	}
	r->pos += some;
	if (r->state == RANGES_PART && r->pos == r->end)
		r->state = RANGES_LINES;
	return 0;
}

static int
end_headers(struct ranges *r, struct err *e)
{
	const struct range *v = &r->v[r->done];

	if (!r->ranged)
		return lied(e);
	begin_span(r, RANGES_PART, v->at, v->at + v->size);
	r->between = 0;
	return 0;
}

static int
on_header(struct ranges *r, struct err *e)
{
	const char *p = r->line + 14;
	uint64_t at, end;

	if (strncasecmp(r->line, "Content-Range:", 14) != 0)
		return 0;
	p += strspn(p, " \t");
	if (r->done == r->n || content_range(r, p, &at, &end) == -1 || at != r->v[r->done].at ||
	    end != at + r->v[r->done].size)
		return lied(e);
	r->ranged = true;
	return 0;
}

static int
on_line(struct ranges *r, struct err *e)
{
	size_t n = strlen(r->boundary);

	if (r->state == RANGES_HEADERS)
		return r->line[0] != '\0' ? on_header(r, e) : end_headers(r, e);
	if (strncmp(r->line, r->boundary, n) != 0)
		return 0;
	if (strcmp(r->line + n, "--") == 0)
		r->state = RANGES_REST;
	else if (r->line[n] == '\0')
		r->state = RANGES_HEADERS;
	r->ranged = false;
	return 0;
}

/* Up to the end of a line. */
static int
take_line(struct ranges *r, const char *p, size_t n, size_t *skip, struct err *e)
{
	const char *end = memchr(p, '\n', n);
	size_t some = end != NULL ? (size_t)(end - p) : n;

	if (r->line_n + some >= sizeof(r->line))
		return lied(e);
	memcpy(r->line + r->line_n, p, some);
	r->line_n += some;
	*skip = some + (end != NULL);
	if (end == NULL)
		return 0;
	if (r->line_n > 0 && r->line[r->line_n - 1] == '\r')
		r->line_n--;
	r->line[r->line_n] = '\0';
	r->line_n = 0;
	return on_line(r, e);
}

int
ranges_take(struct ranges *r, const char *p, size_t n, size_t *skip, size_t *give, struct err *e)
{
	int got = 0;

	*skip = *give = 0;
	switch (r->state) {
	case RANGES_SPAN:
	case RANGES_PART:
		return take_span(r, n, skip, give, e);
	case RANGES_REST:
		*skip = n;
		break;
	default:
		got = take_line(r, p, n, skip, e);
	}
	if (r->state == RANGES_PART)
		return got;
	r->between += *skip;
	return got == 0 && r->between > BETWEEN_MAX ? lied(e) : got;
}
