/* SPDX-License-Identifier: ISC */
/* Pulling from registries, by way of the workers of a plan.  Runs without privilege. */
#ifndef POD_IMAGE_PULL_H
#define POD_IMAGE_PULL_H

#include "common/oci/manifest.h"
#include "pod-image/crypt.h"
#include "pod-image/plan.h"

struct pull {
	struct plan *plan;
	struct peer *store;
	struct report report;
	struct manifest_platform platform;
	struct crypt *crypt; /* keys for encrypted layers, or NULL */
	const char *name;    /* to give it instead of its own, or NULL */
	bool all_tags, newer;
	size_t parallel; /* layers at once; 0: as suits the machine */
};

/* Appends the IDs and names of the images that are in the store now. */
int pull_run(const struct pull *p, struct strv *ids, struct strv *names, struct err *e);

/* Appends the tags of the repository that s names. */
int pull_list_tags(struct plan *p, const struct plan_source *s, struct strv *tags, struct err *e);

#endif
