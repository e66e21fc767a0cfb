/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/text.h"
#include "pod-store/layer/name.h"

static bool
is(const char *s, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(s, word, n) == 0;
}

static bool
begins(const char *s, size_t n, const char *prefix)
{
	return n >= strlen(prefix) && memcmp(s, prefix, strlen(prefix)) == 0;
}

/* Where the last component of out begins. */
static size_t
last_start(const char *out, size_t used)
{
	while (used > 0 && out[used - 1] != '/')
		used--;
	return used;
}

/* Copies the components that count; -1 for one that is too long. */
static int
clean(const char *name, char *out)
{
	size_t used = 0;

	while (*name != '\0') {
		size_t n = strcspn(name, "/");

		if (is(name, n, "..")) {
			used = last_start(out, used);
			used -= used > 0;
		} else if (n > 0 && !is(name, n, ".")) {
			if (n > NAME_MAX)
				return -1;
			if (used > 0)
				out[used++] = '/';
			memcpy(out + used, name, n);
			used += n;
		}
		name += n;
		name += *name == '/';
	}
	out[used] = '\0';
	return 0;
}

/* What whiteout prefixes in the directories of a name make of it. */
static enum name_kind
kind_of_directories(const char *out, size_t last)
{
	for (size_t i = 0; i < last;) {
		size_t n = strcspn(out + i, "/");

		if (begins(out + i, n, NAME_WHITEOUT NAME_WHITEOUT))
			return NAME_IGNORED;
		if (begins(out + i, n, NAME_WHITEOUT))
			return NAME_BAD;
		i += n + 1;
	}
	return NAME_ORDINARY;
}

enum name_kind
name_plain(const char *name, char out[TAR_PATH_MAX + 1])
{
	enum name_kind kind;
	size_t used, last, n;

	if (clean(name, out) == -1)
		return NAME_BAD;
	used = strlen(out);
	if (used == 0)
		return NAME_ROOT;
	last = last_start(out, used);
	kind = kind_of_directories(out, last);
	if (kind != NAME_ORDINARY || !begins(out + last, used - last, NAME_WHITEOUT))
		return kind;
	n = used - last;
	if (is(out + last, n, NAME_WHITEOUT NAME_WHITEOUT ".opq")) {
		out[last > 0 ? last - 1 : 0] = '\0';
		return NAME_OPAQUE;
	}
	n -= sizeof(NAME_WHITEOUT) - 1;
	memmove(out + last, out + last + sizeof(NAME_WHITEOUT) - 1, n + 1);
	if (n == 0 || is(out + last, n, ".") || is(out + last, n, "..") ||
	    begins(out + last, n, NAME_WHITEOUT))
		return NAME_IGNORED;
	return NAME_WHITE;
}

int
name_plain_link(const char *link, char out[TAR_PATH_MAX + 1])
{
	for (const char *p = link; *p != '\0';) {
		size_t n = strcspn(p, "/");

		if (is(p, n, "..") || begins(p, n, NAME_WHITEOUT))
			return -1;
		p += n;
		p += *p == '/';
	}
	return clean(link, out) == -1 || out[0] == '\0' ? -1 : 0;
}
