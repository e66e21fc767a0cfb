/* SPDX-License-Identifier: ISC */
/* The file of --tls-details. */
#include <stdlib.h>

#include "common/base/own.h"
#include "common/conf/tls_details.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_arena struct arena a = {0};
	own_strbuf struct strbuf packed = {0};
	struct rec_tls_details d;
	struct err e = {0};

	if ((tls_details_read(input_path(data, n), &a, &d, &e) == -1) != err_is_set(&e))
		abort();
	/* What was taken can be sent. */
	if (!err_is_set(&e)) {
		wire_pack(&rec_tls_details_desc, &d, &packed);
		if (packed.n > WIRE_FRAME_MAX / 2)
			abort();
	}
	return 0;
}
