/* SPDX-License-Identifier: ISC */
// objs: pod-image/artifact.o
/* The manifest of an artifact of somebody else: titles are safe names, and it can be added to. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/artifact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char digest[] =
    "sha256:0000000000000000000000000000000000000000000000000000000000000000";

static void
check(const struct rec_artifact *r)
{
	for (size_t k = 0; k < r->files.n; k++) {
		const char *t = r->files.v[k].title;

		if (t != NULL && (*t == '\0' || strchr(t, '/') != NULL || strcmp(t, ".") == 0 ||
				     strcmp(t, "..") == 0 || strlen(t) > 255))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rec_kv kv = {"k", "v"};
	struct rec_artifact_file f = {
	    .digest = digest, .title = "t", .media_type = "x/y", .size = 1};
	own_artifact struct artifact a = {0}, again = {0};
	own_arena struct arena words = {0};
	struct rec_artifact r = {0};
	own_mem char *text = NULL;
	struct err e = {0};

	(void)artifact_sniff(data, n);
	if (artifact_parse((struct bytes){data, n}, &a, &e) < 0) {
		if (!err_is_set(&e))
			abort();
		return 0;
	}
	artifact_describe(&a, &r, &words);
	check(&r);
	if (artifact_add(a.json, &f, &kv, 1, &e) < 0)
		return 0;
	text = json_text(a.json);
	if (strlen(text) < MANIFEST_MAX &&
	    artifact_parse((struct bytes){(const uint8_t *)text, strlen(text)}, &again, &e) < 0)
		abort();
	return 0;
}
