/* SPDX-License-Identifier: ISC */
/*
 * The user namespace of a container: --userns, --uidmap, --gidmap, --subuidname, --subgidname.
 */
#ifndef POD_SPEC_USERNS_H
#define POD_SPEC_USERNS_H

#include "pod-run/oci/spec_options.h"

/* A map that is being put together; "outside" are ids of our own namespace. */
struct id_map {
	struct rec_id_range *v;
	size_t n;
};

/* Fills user_ns and, unless the mode needs the other containers (auto), the maps. */
int spec_userns_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

/*
 * One word of --uidmap or --gidmap, [FLAGS]INSIDE:OUTSIDE[:COUNT], into the maps it is for.  Flags:
 * + takes what conflicts out of the map so far, u and g restrict it to users or groups, @ says that
 * OUTSIDE is an id of the namespace above ours.  users: the word stands in --uidmap.
 */
struct spec_userns_word {
	bool extend, users, groups, parent;
	struct rec_id_range range;
};
int spec_userns_word(
    const char *word, bool users, struct spec_userns_word *out, struct arena *a, struct err *e);

/* Adds range to map; extend: whatever is in its way, inside or outside, goes first. */
void spec_userns_add(
    struct id_map *map, const struct rec_id_range *range, bool extend, struct arena *a);

/* The options after "auto:". */
struct spec_userns_auto {
	uint64_t size; /* 0: by the image */
	struct id_map uids, gids;
};
int spec_userns_auto(
    const struct rec_ctr_config *c, struct spec_userns_auto *out, struct arena *a, struct err *e);

/*
 * Chooses size ids of available that no range of used holds, in order and merged, for a map that begins with
 * 0; then lays extra over it.  Fails if there are not enough.
 */
int spec_userns_choose(const struct id_map *available, const struct id_map *used, uint64_t size,
    const struct id_map *extra, struct id_map *out, struct arena *a, struct err *e);

#endif
