/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-monitor/report.h"

#define LINE_MAX_BYTES 16384
#define ESCAPED_MAX 6 /* one byte becomes at most \u001f */

/* Appends c as it stands in a JSON string; returns the count. */
static size_t
escape(unsigned char c, char *out)
{
	static const char from[] = "\"\\/\n\r\t\b\f", to[] = "\"\\/nrtbf";
	const char *at = c != '\0' ? strchr(from, c) : NULL;

	if (at != NULL) {
		out[0] = '\\';
		out[1] = to[at - from];
		return 2;
	}
	if (c < 0x20)
		return (size_t)snprintf(out, ESCAPED_MAX + 1, "\\u%04x", c);
	out[0] = (char)c;
	return 1;
}

void
report_send(struct report *r, int data, const char *message)
{
	const char *key = r->api ? "data" : r->exec ? "exit_code" : "pid";
	char line[LINE_MAX_BYTES];
	size_t n = (size_t)snprintf(line, sizeof(line), "{\"%s\": %d", key, data);

	if (r->fd < 0)
		return;
	if (message != NULL) {
		n += (size_t)snprintf(line + n, sizeof(line) - n, ", \"message\": \"");
		for (; *message != '\0' && n + ESCAPED_MAX + 4 < sizeof(line); message++)
			n += escape((unsigned char)*message, line + n);
		line[n++] = '"';
	}
	line[n++] = '}';
	line[n++] = '\n';
	if (file_put(r->fd, line, n) != 0)
		fd_close(&r->fd);
}
