/* SPDX-License-Identifier: ISC */
/* policy.json, and the YAML of registries.d. */
// objs: pod-image/policy.o
// libs: -ljansson
#include <stdint.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/conf/yaml_map.h"
#include "pod-image/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_json json_t *j = NULL;
	own_policy_file struct policy_file *f = NULL;
	own_strv struct strv scopes = {0};
	own_policy struct policy p = {0};
	struct err e = {0};

	j = yaml_map_read((const char *)data, n, "fuzz", &e);
	if (memmem(data, n, "Path", 4) != NULL || memmem(data, n, "\\u", 2) != NULL)
		return 0;
	f = policy_open_text((const char *)data, n, "fuzz", &e);
	if (f == NULL)
		return 0;
	strv_add(&scopes, "registry.io/app:1");
	(void)policy_select(f, "docker", &scopes, "docker://registry.io/app:1", &p, &e);
	return 0;
}
