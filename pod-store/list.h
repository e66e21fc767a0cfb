/* SPDX-License-Identifier: ISC */
/*
 * Manifest lists and indexes: rows of images without layers and configuration, whose document is the
 * index and whose parsed record holds its entries.  Their ID is random, for they can be changed.
 */
#ifndef POD_LIST_H
#define POD_LIST_H

#include "common/base/sha256.h"
#include "common/wire/msg.h"
#include "pod-store/store.h"

/* Makes or changes a list, all or nothing. */
int list_put(struct store *s, const struct msg_list_put *m, char id[SHA256_HEX], struct err *e);

/*
 * Replaces list in *image by the image of its entry for the platform that m asks for.  1, or -1:
 * ERR_NOTFOUND if there is no such entry, or its image is not in the store.
 */
int list_choose(struct store *s, const struct msg_image_get *m, struct rec_image *image,
    struct arena *a, struct err *e);

#endif
