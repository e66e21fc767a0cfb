/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "common/base/text.h"
#include "pod-store/layer_id.h"

const char *
layer_hex(const char *digest)
{
	if (digest == NULL || !text_has_prefix(digest, "sha256:") || !text_is_hex(digest + 7, 64))
		return NULL;
	return digest + 7;
}

void
layer_id(const char *parent, const char *diff_hex, char out[SHA256_HEX])
{
	char both[2 * SHA256_HEX + 1];
	int n;

	if (parent == NULL || *parent == '\0') {
		snprintf(out, SHA256_HEX, "%s", diff_hex);
		return;
	}
	n = snprintf(both, sizeof(both), "%.64s+%.64s", parent, diff_hex);
	sha256_hex(both, (size_t)n, out);
}
