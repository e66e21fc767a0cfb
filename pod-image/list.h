/* SPDX-License-Identifier: ISC */
/*
 * Manifest lists that are being made: an index as JSON, kept in one form whatever its media type is.
 * It is Docker's manifest list as long as that can say all there is to say, else an OCI index (OCI
 * image specification 1.1, "Image Index").
 */
#ifndef POD_IMAGE_LIST_H
#define POD_IMAGE_LIST_H

#include "common/base/json.h"
#include "common/oci/manifest.h"

/* One without entries. */
json_t *list_new(void);

/* An index that somebody else may have written; NULL on failure. */
json_t *list_parse(struct bytes b, const char *media_type, struct err *e);

/* An entry for what desc describes.  Platform words may be NULL or "". */
json_t *list_entry(const struct manifest_desc *desc, const struct rec_image_config *platform,
    const char *artifact_type);

/* Appends entry, which is owned afterwards, instead of one with the same digest. */
int list_add(json_t *list, json_t *entry, struct err *e);

/* The entry with that digest, or NULL. */
json_t *list_find(const json_t *list, const char *digest);
int list_remove(json_t *list, const char *digest, struct err *e);

void list_change_entry(json_t *entry, const struct rec_list_change *c);
/* Annotations of the list itself. */
void list_change(json_t *list, const struct rec_list_change *c);
void list_set_subject(json_t *list, const struct manifest_desc *desc);

/* Gives it the media type that its content needs, and returns that. */
const char *list_settle(json_t *list);

/* Makes it Docker's or OCI's; what the other kind cannot say is left out. */
void list_convert(json_t *list, bool docker);

/* Indented by four, in Podman's words: no entries are null, and what Docker's list can say is called one. */
void list_show(const json_t *list, struct strbuf *out);

#endif
