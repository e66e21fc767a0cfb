/* SPDX-License-Identifier: ISC */
/* What a volume plug-in answers. */
// objs: pod-run/life/volume_answer.o
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-run/life/volume_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_mem char *text = xmalloc(n + 1);
	own_json json_t *j = NULL;
	struct err e = {0};

	if (n > 0)
		memcpy(text, data, n);
	text[n] = '\0';
	if ((volume_answer_parse(text, n, &j, &e) == 0) != json_is_object(j) ||
	    json_is_object(j) == err_is_set(&e))
		abort();
	return 0;
}
