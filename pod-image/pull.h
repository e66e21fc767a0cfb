/* SPDX-License-Identifier: ISC */
/* Pulling from registries, by way of the workers of a plan.  Runs without privilege. */
#ifndef POD_IMAGE_PULL_H
#define POD_IMAGE_PULL_H

#include "common/oci/manifest.h"
#include "pod-image/plan.h"

struct pull {
	struct plan *plan;
	struct peer *store;
	struct report report;
	struct manifest_platform platform;
	bool all_tags, newer;
};

/* Appends the IDs and names of the images that are in the store now. */
int pull_run(const struct pull *p, struct strv *ids, struct strv *names, struct err *e);

/* Fetches the manifest or index of the plan's first source that has it, byte for byte. */
int pull_inspect(const struct pull *p, struct strbuf *out, struct err *e);

#endif
