/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "pod-image/daemon/answer.h"

#define DEPTH_MAX 8
#define SHOWN_MAX 300

/* The length of the value that begins at text: up to its closing brace. */
static size_t
object_length(const char *text, size_t n)
{
	size_t depth = 0;
	bool string = false;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (string && c == '\\')
			i++;
		else if (c == '"')
			string = !string;
		else if (!string && (c == '{' || c == '['))
			depth++;
		else if (!string && (c == '}' || c == ']') && (depth <= 1 || --depth == 0))
			return i + 1;
	}
	return n;
}

int
answer_check(const char *text, size_t n, struct err *e)
{
	for (size_t at = 0; at < n;) {
		size_t length = object_length(text + at, n - at);
		struct err ignored = {0};
		const char *said;
		json_t *j = json_read_max(text + at, length, ANSWER_MAX, DEPTH_MAX, &ignored);

		at += length;
		said = json_string_value(json_object_get(j, "error"));
		if (said != NULL && *said != '\0')
			err_set(e, ERR_INTERNAL, "the Docker daemon says: %.*s", SHOWN_MAX, said);
		json_decref(j);
		if (err_is_set(e))
			return -1;
	}
	return 0;
}

void
answer_refusal(long status, const char *text, size_t n, struct err *e)
{
	struct err ignored = {0};
	json_t *j = json_read_max(text, n, ANSWER_MAX, DEPTH_MAX, &ignored);
	const char *said = json_string_value(json_object_get(j, "message"));

	if (said != NULL && *said != '\0')
		err_set(e, status == 404 ? ERR_NOTFOUND : ERR_INTERNAL,
		    "the Docker daemon says: %.*s", SHOWN_MAX, said);
	else
		err_set(e, ERR_NETWORK, "the Docker daemon answered with HTTP status %ld", status);
	json_decref(j);
}
