/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/base/own.h"
#include "pod-monitor/stdio/journal.h"

#define PARTIAL "CONTAINER_PARTIAL_MESSAGE=true\n"

/*
 * The priority of a line: 6, or 3 for errors, or N if the line begins with <N>, N of 0 to 7; then
 * *skip is the number of bytes to cut off, else 0.
 */
static char
journal_priority(enum klog_stream stream, const char *line, size_t n, size_t *skip)
{
	*skip = 0;
	if (n >= 3 && line[0] == '<' && line[1] >= '0' && line[1] <= '7' && line[2] == '>') {
		*skip = 3;
		return line[1];
	}
	return stream == KLOG_STDERR ? '3' : '6';
}

static int
send_line(struct journal *j, enum klog_stream stream, const char *line, size_t n, bool partial)
{
	char priority[] = "PRIORITY=6\n";
	size_t skip;
	const struct {
		const char *p;
		size_t n;
	} parts[] = {
	    {"MESSAGE=", 8},
	    {line, n},
	    {"\n", 1},
	    {priority, sizeof(priority) - 1},
	    {j->space->fields, j->fields_n},
	    {PARTIAL, partial && !j->no_partial_mark ? sizeof(PARTIAL) - 1 : 0},
	};
	struct iovec v[COUNTOF(parts)];
	struct msghdr m = {.msg_iov = v, .msg_iovlen = COUNTOF(parts)};

	priority[sizeof(priority) - 3] = journal_priority(stream, line, n, &skip);
	for (size_t i = 0; i < COUNTOF(parts); i++)
		v[i] = (struct iovec){(void *)(uintptr_t)parts[i].p, parts[i].n};
	v[1].iov_base = (void *)(uintptr_t)(line + skip);
	v[1].iov_len = n - skip;
	while (sendmsg(j->fd, &m, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

/* Adds to the line under way; sends it in pieces where it is too long. */
static int
hold(struct journal *j, enum klog_stream stream, const char *data, size_t n)
{
	int rc = 0;

	while (n > 0) {
		char *b = j->space->line[stream];
		size_t room = JOURNAL_LINE_MAX - j->line_n[stream];
		size_t part = n < room ? n : room;

		memcpy(b + j->line_n[stream], data, part);
		j->line_n[stream] += part;
		data += part;
		n -= part;
		if (j->line_n[stream] < JOURNAL_LINE_MAX)
			break;
		rc |= send_line(j, stream, b, j->line_n[stream], true);
		j->line_n[stream] = 0;
	}
	return rc;
}

int
journal_write(struct journal *j, enum klog_stream stream, const char *data, size_t n)
{
	int rc = 0;

	while (n > 0) {
		const char *nl = memchr(data, '\n', n);
		size_t piece = nl != NULL ? (size_t)(nl - data) : n;

		if (nl == NULL || j->line_n[stream] > 0 || piece > JOURNAL_LINE_MAX)
			rc |= hold(j, stream, data, piece);
		if (nl == NULL)
			break;
		if (j->line_n[stream] > 0)
			rc |=
			    send_line(j, stream, j->space->line[stream], j->line_n[stream], false);
		else if (piece <= JOURNAL_LINE_MAX)
			rc |= send_line(j, stream, data, piece, false);
		j->line_n[stream] = 0;
		data += piece + 1;
		n -= piece + 1;
	}
	return rc;
}

int
journal_flush(struct journal *j)
{
	int rc = 0;

	for (unsigned i = 0; i < COUNTOF(j->line_n); i++) {
		if (j->fd >= 0 && j->line_n[i] > 0)
			rc |= send_line(
			    j, (enum klog_stream)i, j->space->line[i], j->line_n[i], true);
		j->line_n[i] = 0;
	}
	return rc;
}
