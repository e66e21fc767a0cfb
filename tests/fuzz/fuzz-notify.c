/* SPDX-License-Identifier: ISC */
/* What a container says of its readiness, and lines for the journal. */
// objs: pod-monitor/stdio/notify.o pod-monitor/stdio/journal.o
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "pod-monitor/stdio/journal.h"
#include "pod-monitor/stdio/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct journal_space space;
	struct journal j = {.fd = -1, .space = &space};
	char out[NOTIFY_MAX + 1];
	size_t len = n < NOTIFY_MAX ? n : NOTIFY_MAX;

	len = notify_filter((const char *)data, len, out);
	if (len > 0 && (out[len - 1] != '\n' || memmem(out, len, "MAINPID", 7) == out))
		abort();
	for (size_t at = 0; at < n;) {
		size_t piece = 1 + data[at] * 64u;

		if (piece > n - at)
			piece = n - at;
		journal_write(&j, (enum klog_stream)(data[at] & 1), (const char *)data + at, piece);
		at += piece;
	}
	journal_flush(&j);
	return 0;
}
