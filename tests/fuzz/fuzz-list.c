/* SPDX-License-Identifier: ISC */
// objs: pod-image/list.o
/* A manifest list of somebody else, changed in every way: what comes out must be readable again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char digest[] =
    "sha256:0000000000000000000000000000000000000000000000000000000000000000";

static void
must_be_readable(json_t *list)
{
	own_manifest struct manifest m = {0};
	const char *type = list_settle(list);
	own_mem char *text = json_text(list);
	struct err e = {0};

	if (strlen(text) <= MANIFEST_MAX && manifest_parse(text, strlen(text), type, &m, &e) < 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *words[] = {"a", "b"};
	struct rec_kv kv = {"k", "v"};
	struct rec_list_change c = {.os = "os",
	    .architecture = "arch",
	    .variant = "v",
	    .os_version = "1",
	    .os_features = {words, 2},
	    .features = {words, 1}};
	struct manifest_desc d = {MANIFEST_TYPE_OCI, digest, 1};
	struct rec_image_config platform = {.os = "linux", .architecture = "amd64"};
	own_strbuf struct strbuf shown = {0};
	struct err e = {0};
	own_json json_t *list = list_parse((struct bytes){data, n}, NULL, &e);

	if (list == NULL) {
		if (!err_is_set(&e))
			abort();
		return 0;
	}
	c.annotations.v = &kv;
	c.annotations.n = 1;
	if (list_add(list, list_entry(&d, &platform, "application/x"), &e) == 0) {
		list_change_entry(json_array_get(json_object_get(list, "manifests"), 0), &c);
		if (list_find(list, digest) == NULL)
			abort();
		must_be_readable(list);
		list_change(list, &c);
		list_set_subject(list, &d);
		must_be_readable(list);
	}
	list_show(list, &shown);
	list_convert(list, n & 1);
	if (list_remove(list, digest, &e) == 0)
		must_be_readable(list);
	return 0;
}
