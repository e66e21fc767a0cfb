/* SPDX-License-Identifier: ISC */
/* A document that a worker hands over: what is taken comes out again as it was. */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/wire/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes b = {data, n};
	struct err e = {0};
	own_json json_t *j = document_unpack(&b, &e);
	own_strbuf struct strbuf out = {0};

	if (j != NULL &&
	    (document_pack(j, &out, &e) == -1 || out.n != n || memcmp(out.s, data, n) != 0))
		abort();
	return 0;
}
