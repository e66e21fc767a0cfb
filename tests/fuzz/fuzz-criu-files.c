/* SPDX-License-Identifier: ISC */
/* Images of files out of a checkpoint archive. */
// objs: pod-run/worker/criu_files.o
#include <stdlib.h>

#include "common/base/own.h"
#include "pod-run/worker/criu_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_strbuf struct strbuf out = {0}, again = {0};
	bool changed = criu_files_loosen(data, n, &out);

	/* Something went, and there is nothing left to go. */
	if (changed ? out.n >= n || criu_files_loosen((const uint8_t *)out.s, out.n, &again)
		    : out.n > 0)
		abort();
	return 0;
}
