/* SPDX-License-Identifier: ISC */
/* Images of files and of mounts out of a checkpoint archive. */
// objs: pod-run/worker/criu_files.o
#include <stdlib.h>

#include "common/base/own.h"
#include "pod-run/worker/criu_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
try(bool (*fn)(const uint8_t *p, size_t n, struct strbuf *out), const uint8_t *data, size_t n)
{
	own_strbuf struct strbuf out = {0}, again = {0};
	bool changed = fn(data, n, &out);

	/* Something went, and there is nothing left to go. */
	if (changed ? out.n >= n || fn((const uint8_t *)out.s, out.n, &again) : out.n > 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	try(criu_files_loosen, data, n);
	try(criu_files_drop_resolv, data, n);
	return 0;
}
