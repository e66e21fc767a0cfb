/* SPDX-License-Identifier: ISC */
/* What a checkpoint archive of Podman's says of its container: [config.dump, spec.dump]. */
// objs: pod-run/worker/libpod_words.o
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-run/worker/libpod_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_json json_t *both = NULL;
	own_strv struct strv words = {0}, entrypoint = {0};
	struct err e = {0};
	size_t end;
	int r;

	both = json_read((const char *)data, n, &e);
	if (both == NULL)
		return 0;
	err_clear(&e);
	r = libpod_words(json_array_get(both, 0), json_array_get(both, 1), &words, &entrypoint, &e);
	if ((r == -1) != err_is_set(&e))
		abort();
	if (r == -1)
		return 0;
	/* There is an image behind the options, each of which is a word of its own. */
	end = strv_find(&words, "--");
	if (end + 1 >= words.n)
		abort();
	for (size_t i = 0; i < end; i++)
		if (strncmp(words.v[i], "--", 2) != 0)
			abort();
	return 0;
}
