/* SPDX-License-Identifier: ISC */
/* The WWW-Authenticate header of a registry. */
// objs: pod-image/fetch/challenge.o
#include <stdint.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-image/fetch/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_mem char *text = xstrndup((const char *)data, n);
	struct challenge c[4] = {0};
	struct err e = {0};
	size_t count;

	if (challenge_parse(text, c, COUNTOF(c), &count, &e) == 0) {
		for (size_t i = 0; i < count; i++)
			challenge_free(&c[i]);
	}
	return 0;
}
