/* SPDX-License-Identifier: ISC */
/* Manifests, indexes and image configurations. */
// libs: -ljansson
#include <stdint.h>

#include "common/oci/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const types[] = {
	    NULL, MANIFEST_TYPE_OCI, MANIFEST_TYPE_DOCKER_LIST, "x"};
	struct manifest_platform want = {"linux", "arm", "v7"};
	struct rec_image_config config = {0};
	struct manifest m = {0};
	struct arena a = {0};
	struct err e = {0};

	if (n == 0)
		return 0;
	if (manifest_parse((const char *)data + 1, n - 1, types[data[0] & 3], &m, &e) == 0) {
		if (m.is_index)
			(void)manifest_choose(&m, &want, &e);
		manifest_free(&m);
	}
	(void)manifest_config((const char *)data + 1, n - 1, data[0] >> 2 & 3, &config, &a, &e);
	arena_free(&a);
	return 0;
}
