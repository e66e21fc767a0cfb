/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>

#include "common/conf/yaml_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	json_t *j = yaml_json_read((const char *)data, size, "f", &e);

	if ((j == NULL) != err_is_set(&e))
		abort();
	json_decref(j);
	return 0;
}
