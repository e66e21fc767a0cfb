/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "pod-monitor/stdio/ctl.h"

/* The next word of the line as a number up to CTL_SIZE_MAX; -1 if it is none. */
static int
next_number(const char **p, const char *end)
{
	unsigned v = 0;
	const char *s = *p;

	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	if (s == end)
		return -1;
	for (; s < end && *s != ' ' && *s != '\t' && *s != '\r'; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		v = v * 10 + (unsigned)(*s - '0');
		if (v > CTL_SIZE_MAX)
			return -1;
	}
	*p = s;
	return (int)v;
}

int
ctl_parse(const char *line, size_t n, struct ctl_request *out)
{
	const char *p = line, *end = line + n;
	int kind = next_number(&p, end);
	int rows = next_number(&p, end), columns = next_number(&p, end);

	if ((kind != CTL_RESIZE && kind != CTL_REOPEN) || rows < 0 || columns < 0)
		return -1;
	*out = (struct ctl_request){(enum ctl_kind)kind, (unsigned)rows, (unsigned)columns};
	return 0;
}

int
ctl_parse_size(const char *line, size_t n, struct ctl_request *out)
{
	const char *p = line, *end = line + n;
	int rows = next_number(&p, end), columns = next_number(&p, end);

	if (rows < 0 || columns < 0)
		return -1;
	*out = (struct ctl_request){CTL_RESIZE, (unsigned)rows, (unsigned)columns};
	return 0;
}

bool
ctl_feed(struct ctl *c, const char **p, size_t *n, struct ctl_request *out)
{
	while (*n > 0) {
		char ch = *(*p)++;

		(*n)--;
		if (ch != '\n') {
			if (c->n < sizeof(c->line))
				c->line[c->n++] = ch;
			else
				c->skip = true;
			continue;
		}

		bool found =
		    !c->skip && (c->sizes ? ctl_parse_size : ctl_parse)(c->line, c->n, out) == 0;

		c->n = 0;
		c->skip = false;
		if (found)
			return true;
	}
	return false;
}
