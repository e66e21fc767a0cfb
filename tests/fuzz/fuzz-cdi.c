/* SPDX-License-Identifier: ISC */
/* Descriptions of devices by their vendors, and what a container gets of them. */
// objs: pod-run/oci/cdi.o pod-run/oci/spec_list.o
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/oci/cdi.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *words[] = {"vendor.com/dev=all", "vendor.com/dev=0"};
	const struct strs names = {words, COUNTOF(words)};
	own_cdi struct cdi_edits edits = {0};
	own_arena struct arena a = {0};
	own_strv struct strv dirs = {0};
	struct err e = {0};

	strv_add(&dirs, input_dir(data, n, "vendor.yaml"));
	if ((cdi_find(&dirs, &names, &a, &edits, &e) == -1) != err_is_set(&e))
		abort();
	for (size_t i = 0; i < edits.nodes.n; i++)
		if (edits.nodes.v[i].path == NULL)
			abort();
	for (size_t i = 0; i < edits.mounts.n; i++)
		if (edits.mounts.v[i].source == NULL || edits.mounts.v[i].target == NULL)
			abort();
	return 0;
}
