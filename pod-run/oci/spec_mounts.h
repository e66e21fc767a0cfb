/* SPDX-License-Identifier: ISC */
/*
 * --volume, --mount, --tmpfs, the volumes of the image and the tmpfs of --read-only.
 */
#ifndef POD_SPEC_MOUNTS_H
#define POD_SPEC_MOUNTS_H

#include "pod-run/oci/spec_options.h"

/* What the user and containers.conf asked for. */
int spec_mounts_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

/* Volumes of the image where the user put nothing else; sorts, so that parents come first. */
int spec_mounts_merge(const struct spec_input *in, const struct rec_image_config *image,
    struct rec_ctr_config *c, struct arena *a, struct err *e);

/* path without ".", ".." and doubled slashes, as Go's path.Clean; in a. */
char *spec_mounts_clean(const char *path, struct arena *a);

#endif
