/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/own.h"
#include "pod-monitor/stdio/notify.h"

static bool
may_pass(const char *line, size_t n)
{
	static const char *const words[] = {
	    "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "WATCHDOG=trigger"};
	static const char *const prefixes[] = {"STATUS=", "ERRNO=", "BUSERROR=", "MONOTONIC_USEC="};

	for (size_t i = 0; i < COUNTOF(words); i++)
		if (strlen(words[i]) == n && memcmp(line, words[i], n) == 0)
			return true;
	for (size_t i = 0; i < COUNTOF(prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (n >= len && memcmp(line, prefixes[i], len) == 0)
			return true;
	}
	return false;
}

size_t
notify_filter(const char *in, size_t n, char *out)
{
	size_t len = 0;

	while (n > 0) {
		const char *nl = memchr(in, '\n', n);
		size_t piece = nl != NULL ? (size_t)(nl - in) : n;

		if (may_pass(in, piece)) {
			memcpy(out + len, in, piece);
			len += piece;
			out[len++] = '\n';
		}
		piece += nl != NULL;
		in += piece;
		n -= piece;
	}
	return len;
}

void
notify_relay(int from, int to)
{
	char in[NOTIFY_MAX], out[NOTIFY_MAX + 1];

	for (unsigned i = 0; i < NOTIFY_TURN; i++) {
		ssize_t n = recv(from, in, sizeof(in), MSG_DONTWAIT | MSG_TRUNC);
		size_t len;

		if (n < 0)
			return;
		/* One that is cut would say something else. */
		if ((size_t)n > sizeof(in))
			continue;
		len = notify_filter(in, (size_t)n, out);
		if (len > 0)
			send(to, out, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}
