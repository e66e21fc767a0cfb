/* SPDX-License-Identifier: ISC */
/* Instructions of --change, one a line; figures that CRIU left; and ranges of subordinate IDs. */
// objs: pod-run/cmd/change.o pod-run/idmap.o pod-run/life/criu.o
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "pod-run/cmd/change.h"
#include "pod-run/idmap.h"
#include "pod-run/life/criu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
change(char *text)
{
	struct change c = {0};
	own_arena struct arena a = {0};
	struct rec_image_config out = {0};
	char *rest = NULL;

	for (char *s = strtok_r(text, "\n", &rest); s != NULL; s = strtok_r(NULL, "\n", &rest)) {
		struct err e = {0};

		if ((change_apply(&c, s, &e) == -1) != err_is_set(&e))
			abort();
	}
	change_record(&c, &out, &a);
	change_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_json json_t *figures = criu_stats_parse(data, n);
	own_mem char *text = xstrndup((const char *)data, n);
	struct idmap m = {0};

	idmap_parse(text, "u", 1000, &m);
	for (size_t i = 0; i < m.n; i++)
		if (m.v[i].count == 0 || m.v[i].inside + m.v[i].count < m.v[i].inside ||
		    m.v[i].outside + m.v[i].count < m.v[i].outside)
			abort();
	change(text);
	return 0;
}
