/* SPDX-License-Identifier: ISC */
/* The list of "pod-image sync". */
// objs: pod-image/sync_yaml.o pod-image/semver.o
#include <stdlib.h>
#include <string.h>

#include "pod-image/sync_yaml.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sync_list l = {0};
	struct err e = {0};

	if (sync_yaml_read(input_path(data, n), &l, &e) == -1 && !err_is_set(&e))
		abort();
	sync_yaml_free(&l);
	return 0;
}
