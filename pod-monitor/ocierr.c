/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-monitor/ocierr.h"

/* --- The log ---------------------------------------------------------------------------------- */

/* Four hexadecimal digits; a lone surrogate becomes a question mark. */
static uint32_t
hex4(const char *p)
{
	uint32_t v;

	return text_from_hex(p, 4, &v) == -1 || v == 0 || (v >= 0xd800 && v < 0xe000) ? '?' : v;
}

/*
 * Decodes the JSON string whose first character is at p, up to its closing quote.  Returns where it
 * ended, or NULL if it does not end before end.
 */
static const char *
read_string(const char *p, const char *end, char *out, size_t size)
{
	static const char from[] = "nrtbf\"\\/", to[] = "\n\r\t\b\f\"\\/";
	size_t n = 0;

	for (; p < end && *p != '"'; p++) {
		char piece[4];
		size_t k = 1;

		piece[0] = *p;
		if (*p == '\\' && ++p < end) {
			const char *at = *p != '\0' ? strchr(from, *p) : NULL;

			if (at != NULL) {
				piece[0] = to[at - from];
			} else if (*p == 'u' && end - p > 4) {
				k = text_put_utf8(hex4(p + 1), piece);
				p += 4;
			}
		}
		if (n + k < size) {
			memcpy(out + n, piece, k);
			n += k;
		}
	}
	out[n] = '\0';
	return p < end ? p + 1 : NULL;
}

/* Finds member "name":"…" of the object in one line. */
static bool
member(const char *line, const char *end, const char *name, char *out, size_t size)
{
	char key[32];

	for (const char *p = line; p < end;) {
		if (*p++ != '"')
			continue;
		p = read_string(p, end, key, sizeof(key));
		if (p == NULL)
			return false;
		while (p < end && (*p == ' ' || *p == ':'))
			p++;
		if (p == end || *p != '"')
			continue;
		if (strcmp(key, name) == 0)
			return read_string(p + 1, end, out, size) != NULL;
		p = read_string(p + 1, end, key, sizeof(key));
		if (p == NULL)
			return false;
	}
	return false;
}

int
ocierr_find(const char *log, size_t n, char *out, size_t size)
{
	const char *end = log + n;
	char level[16], start[8];
	int found = -1;

	for (const char *line = log, *next; line < end; line = next) {
		const char *nl = memchr(line, '\n', (size_t)(end - line));
		const char *stop = nl != NULL ? nl : end;

		next = stop + 1;
		if (!member(line, stop, "level", level, sizeof(level)) ||
		    (strcmp(level, "error") != 0 && strcmp(level, "fatal") != 0))
			continue;
		/* crun ends with an empty one after a hook that failed. */
		if (member(line, stop, "msg", start, sizeof(start)) && *start != '\0' &&
		    member(line, stop, "msg", out, size))
			found = 0;
	}
	return found;
}

/* --- Its meaning -------------------------------------------------------------------------------
 */

#define GENERAL "OCI runtime error"

struct cause {
	const char *words[3];
	const char *says;
};

/* The first row that fits; the last fits always. */
static const struct cause causes[] = {
    {{"permission denied", "operation not permitted"}, "OCI permission denied"},
    {{"executable file not found in", "no such file or directory", "open executable"},
	"OCI runtime attempted to invoke a command that was not found"},
    {{""}, GENERAL},
};

/* Both runtimes use these words for a missing command. */
static const char *const missing[] = {
    "not found", "no such file or directory", "executable path is empty"};

static const struct cause *
find_cause(const char *message)
{
	const struct cause *c = causes;

	for (;; c++)
		for (size_t i = 0; i < COUNTOF(c->words) && c->words[i] != NULL; i++)
			if (strcasestr(message, c->words[i]) != NULL)
				return c;
}

/*
 * crun looks for the controllers of some limits only.  Of the others it tells that a file of the cgroup is missing, as
 * it does of a command.
 */
static bool
lacks_limit(const char *message, char *out, size_t size)
{
	static const char *const starts[] = {"opening file `", "open "};
	static const char *const controllers[] = {"cpu.", "cpuset.", "io.", "memory.", "pids."};

	for (size_t i = 0; i < COUNTOF(starts); i++) {
		const char *file = message + strlen(starts[i]);
		size_t n = text_has_prefix(message, starts[i]) ? strcspn(file, "`: ") : 0;

		if (n == 0 || strcasestr(file + n, ": no such file or directory") == NULL)
			continue;
		for (size_t k = 0; k < COUNTOF(controllers); k++)
			if (text_has_prefix(file, controllers[k])) {
				snprintf(out, size,
				    "the requested cgroup controller `%.*s` is not available or "
				    "has no `%.*s`",
				    (int)strcspn(file, "."), file, (int)n, file);
				return true;
			}
	}
	return false;
}

int
ocierr_set(struct err *e, const char *runtime, const char *message)
{
	char plain[512], text[768], limit[256];
	const char *slash = strrchr(runtime, '/'), *says;
	enum err_class class = ERR_NOTEXEC;

	if (lacks_limit(message, limit, sizeof(limit)))
		message = limit;
	says = find_cause(message)->says;
	/* crun ends some of its messages with a newline. */
	snprintf(plain, sizeof(plain), "%s", message);
	for (size_t n = strlen(plain); n > 0 && plain[n - 1] == '\n'; n--)
		plain[n - 1] = '\0';
	text_escape(plain, text, sizeof(text));
	for (size_t i = 0; i < COUNTOF(missing); i++)
		if (strcasestr(message, missing[i]) != NULL || strcasestr(says, missing[i]) != NULL)
			class = ERR_NOCOMMAND;
	if (strcmp(says, GENERAL) == 0)
		return err_set(
		    e, class, "%s: %s: %s", says, slash != NULL ? slash + 1 : runtime, text);
	return err_set(e, class, "%s: %s: %s", slash != NULL ? slash + 1 : runtime, text, says);
}
