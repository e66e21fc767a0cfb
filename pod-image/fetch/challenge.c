/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-image/fetch/challenge.h"

void
challenge_free(struct challenge *c)
{
	free(c->realm);
	free(c->service);
	memset(c, 0, sizeof(*c));
}

/* token = 1*tchar (RFC 9110, 5.6.2) */
static size_t
token_len(const char *s)
{
	return strspn(s, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "abcdefghijklmnopqrstuvwxyz");
}

static void
skip_space(const char **p)
{
	*p += strspn(*p, " \t");
}

/* quoted-string or token; NULL if neither stands there. */
static char *
take_value(const char **p)
{
	own_strbuf struct strbuf b = {0};
	size_t n;

	if (**p != '"') {
		n = token_len(*p);
		*p += n;
		return n > 0 ? xstrndup(*p - n, n) : NULL;
	}
	for (++*p; **p != '"'; ++*p) {
		if (**p == '\\')
			++*p;
		if ((unsigned char)**p < 0x20 && **p != '\t')
			return NULL;
		strbuf_addc(&b, **p);
	}
	++*p;
	return strbuf_take(&b);
}

static int
store_param(struct challenge *c, const char *name, size_t n, char *value)
{
	char **at = NULL;

	if (n == 5 && strncasecmp(name, "realm", n) == 0)
		at = &c->realm;
	else if (n == 7 && strncasecmp(name, "service", n) == 0)
		at = &c->service;
	if (at == NULL) {
		free(value);
		return 0;
	}
	if (*at != NULL) {
		free(value);
		return -1;
	}
	*at = value;
	return 0;
}

/*
 * Parameters after a scheme, up to the end or to the next scheme.  "a=b, Basic realm=…": a word
 * that "=" does not follow begins the next challenge.
 */
static int
take_params(const char **p, struct challenge *c)
{
	for (;;) {
		const char *name = *p, *after;
		size_t n = token_len(name);
		char *value;

		after = name + n;
		skip_space(&after);
		if (n == 0 || *after != '=')
			return 0;
		*p = after + 1;
		skip_space(p);
		value = take_value(p);
		if (value == NULL || store_param(c, name, n, value) < 0)
			return -1;
		skip_space(p);
		if (**p == '\0')
			return 0;
		if (**p != ',')
			return -1;
		*p += strspn(*p, ", \t");
	}
}

static int
take_challenge(const char **p, struct challenge *c)
{
	size_t n = token_len(*p);

	if (n == 0)
		return -1;
	if (n == 5 && strncasecmp(*p, "Basic", n) == 0)
		c->scheme = CHALLENGE_BASIC;
	else if (n == 6 && strncasecmp(*p, "Bearer", n) == 0)
		c->scheme = CHALLENGE_BEARER;
	*p += n;
	if (**p != '\0' && **p != ' ' && **p != ',')
		return -1;
	*p += strspn(*p, " \t");
	if (**p == ',') {
		*p += strspn(*p, ", \t");
		return 0;
	}
	return take_params(p, c);
}

int
challenge_parse(const char *header, struct challenge *out, size_t max, size_t *n, struct err *e)
{
	const char *p = header + strspn(header, ", \t");

	*n = 0;
	while (*p != '\0') {
		struct challenge c = {0};

		if (take_challenge(&p, &c) < 0) {
			challenge_free(&c);
			while (*n > 0)
				challenge_free(&out[--*n]);
			return err_set(e, ERR_FORMAT, "malformed WWW-Authenticate header");
		}
		if (*n == max) {
			challenge_free(&c);
			return 0;
		}
		out[(*n)++] = c;
	}
	return 0;
}
