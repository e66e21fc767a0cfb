/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read, and printed as Go would, reads back as the same value. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	struct strbuf b = {0};
	json_t *j = json_read((const char *)data, size, &e), *again;

	if ((j == NULL) != err_is_set(&e))
		abort();
	if (j == NULL)
		return 0;
	json_go(j, size % 2 == 0 ? "" : "  ", &b);
	again = json_read_max(b.s, b.n, SIZE_MAX, JSON_DEPTH_DEFAULT, &e);
	/* A float without fraction is printed as Go does, which may be too long for an integer. */
	if (again == NULL && strstr(e.text, "too big") == NULL)
		abort();
	json_decref(again);
	json_decref(j);
	strbuf_free(&b);
	return 0;
}
