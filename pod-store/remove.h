/* SPDX-License-Identifier: ISC */
/*
 * Names given and taken, images removed.
 */
#ifndef POD_REMOVE_H
#define POD_REMOVE_H

#include "common/wire/msg.h"
#include "pod-store/store.h"

/* Names that are gone, with a tag or digest, and IDs of images that are gone. */
struct removed {
	struct strv untagged, deleted;
};
void removed_free(struct removed *r);
#define own_removed own(removed_free)

int remove_tag(struct store *s, const struct msg_image_tag *m, struct err *e);
int remove_untag(struct store *s, const struct msg_image_untag *m, struct err *e);

/* Podman's rules: see image_remove in store.def. */
int remove_image(
    struct store *s, const struct msg_image_remove *m, struct removed *out, struct err *e);

/* Damaged images, but for those that a container stands on; their layers are left to layer_bury. */
int remove_damaged(struct store *s, const struct strv *ids, struct removed *out, struct err *e);

/* Images that no container uses: those without a name, or all of them. */
int remove_unused(struct store *s, bool all, struct removed *out, struct err *e);

#endif
