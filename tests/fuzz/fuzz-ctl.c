/* SPDX-License-Identifier: ISC */
// objs: pod-monitor/stdio/ctl.o pod-monitor/ocierr.o
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/oci/attach.h"
#include "pod-monitor/ocierr.h"
#include "pod-monitor/stdio/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The requests must not depend on how the bytes come in pieces. */
static unsigned
digest(const char *p, size_t size, size_t piece)
{
	struct ctl c = {0};
	struct ctl_request r;
	unsigned sum = 1;

	while (size > 0) {
		size_t n = size < piece ? size : piece, left = n;
		const char *at = p;

		while (ctl_feed(&c, &at, &left, &r)) {
			if (r.rows > CTL_SIZE_MAX || r.columns > CTL_SIZE_MAX)
				abort();
			sum = sum * 31 + (unsigned)r.kind * 7 + r.rows * 3 + r.columns;
		}
		p += n;
		size -= n;
	}
	return sum;
}

static void
detach(const uint8_t *data, size_t size)
{
	char spec[64];
	struct detach d;
	struct err e = {0};
	size_t k = size > 63 ? 63 : size, n;
	uint8_t *out = malloc(size + DETACH_KEYS_MAX);

	memcpy(spec, data, k);
	spec[k] = '\0';
	if (out != NULL && detach_parse(&d, spec, &e) == 0)
		detach_feed(&d, data, size, out, &n);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[64];

	if (digest((const char *)data, size, 1) != digest((const char *)data, size, 100))
		abort();
	ocierr_find((const char *)data, size, text, sizeof(text));
	detach(data, size);
	return 0;
}
