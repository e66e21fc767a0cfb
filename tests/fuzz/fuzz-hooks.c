/* SPDX-License-Identifier: ISC */
/* Hooks of the host's directories, of both formats. */
// objs: pod-run/oci/hooks.o pod-run/oci/config_json.o pod-run/state/summary.o
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/oci/hooks.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *command[] = {"/bin/sh", "-c", "true"};
	struct rec_kv pair = {"key", "value"};
	struct rec_ctr_config c = {.command = {command, COUNTOF(command)}};
	own_json json_t *hooks = NULL;
	own_strbuf struct strbuf text = {0};
	own_strv struct strv dirs = {0};
	struct err e = {0};

	c.annotations.v = &pair;
	c.annotations.n = 1;
	strv_add(&dirs, input_dir(data, n, "hook.json"));
	if (hooks_find(&dirs, &c, &hooks, &e) == -1) {
		if (!err_is_set(&e))
			abort();
		return 0;
	}
	if (hooks != NULL)
		hooks_write(hooks, &text);
	return 0;
}
