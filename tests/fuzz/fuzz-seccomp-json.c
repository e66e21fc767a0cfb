/* SPDX-License-Identifier: ISC */
/* Seccomp profiles as users write them.  What is accepted must be JSON again when written. */
// objs: pod-run/oci/seccomp_profile.o pod-run/oci/seccomp_default.o pod-run/oci/spec_list.o
// objs: pod-run/oci/spec_cap.o pod-run/oci/config_json.o
#include <stdlib.h>

#include "common/base/json.h"
#include "pod-run/oci/seccomp_profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	struct strbuf b = {0};
	struct seccomp_profile p;
	struct err e = {0};
	json_t *j;

	if (seccomp_profile_read((const char *)data, n, n, &a, &p, &e) == 0) {
		seccomp_profile_write(&p, &b);
		j = json_read(b.s, b.n, &e);
		if (j == NULL)
			abort();
		json_decref(j);
	}
	strbuf_free(&b);
	arena_free(&a);
	return 0;
}
