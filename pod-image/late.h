/* SPDX-License-Identifier: ISC */
/*
 * Images that come without a configuration: Docker manifests of schema 1, tarballs.  A configuration
 * names the layers by their DiffIDs, so it can be made only once all layers have passed.
 */
#ifndef POD_IMAGE_LATE_H
#define POD_IMAGE_LATE_H

#include "common/base/json.h"

#define LATE_UNKNOWN "" /* DiffID of a layer that has not passed yet */

struct late {
	json_t *config;	 /* what is known before; NULL: the image is none of these */
	json_t *history; /* oldest first */
	bool sorted;	 /* by key, else rootfs and history come last */
	bool
	    tells_diff_id; /* created_by of a step with a layer ends in what late_config puts there */
};

void late_free(struct late *l);
#define own_late own(late_free)

/*
 * The configuration, as Go's encoder writes it: other engines come to the same image ID.  The caller's
 * to free.
 */
char *late_config(const struct late *l, const char *const *diff_ids, size_t n);

#endif
