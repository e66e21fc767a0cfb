/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/oci/klog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct klog_line l;
	/* Of exactly this size, so that a read behind the end is seen. */
	char *copy = malloc(size);

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	if (klog_parse(copy, size, &l) == 0 &&
	    (l.text < copy || l.text + l.n != copy + size || strlen(l.stamp) != 35))
		abort();
	free(copy);
	return 0;
}
