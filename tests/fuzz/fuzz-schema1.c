/* SPDX-License-Identifier: ISC */
/* Docker manifests of schema 1, and the configurations made of them. */
// objs: pod-image/schema1.o pod-image/late.o pod-image/document.o
// libs: -ljansson
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/schema1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char id[] =
	    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	const char *ids[MANIFEST_LAYERS_MAX];
	own_manifest struct manifest m = {0};
	own_late struct late late = {0};
	struct rec_image_config config = {0};
	own_arena struct arena a = {0};
	own_mem char *text = NULL;
	char digest[DIGEST_TEXT];
	struct err e = {0};

	(void)schema1_digest((const char *)data, n, digest, &e);
	if (schema1_parse((const char *)data, n, &m, &late, &e) < 0)
		return 0;
	for (size_t k = 0; k < m.nlayers; k++)
		ids[k] = id;
	text = late_config(&late, ids, m.nlayers);
	(void)manifest_config(text, strlen(text), m.nlayers, &config, &a, &e);
	return 0;
}
