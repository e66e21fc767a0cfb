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

/* One word of --volumes-from, NAME[:OPTIONS]; how is a mask of SPEC_INHERIT_x. */
#define SPEC_INHERIT_RO 1u
#define SPEC_INHERIT_RW 2u
#define SPEC_INHERIT_Z 4u
int spec_mounts_inherit_word(
    const char *word, const char **name, unsigned *how, struct arena *a, struct err *e);

/* Takes over the volumes and binds of another container where the user put nothing else. */
void spec_mounts_inherit(
    const struct rec_ctr_config *from, unsigned how, struct rec_ctr_config *c, struct arena *a);

/* path without ".", ".." and doubled slashes, as Go's path.Clean; in a. */
char *spec_mounts_clean(const char *path, struct arena *a);

#endif
