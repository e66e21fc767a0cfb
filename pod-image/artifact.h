/* SPDX-License-Identifier: ISC */
/*
 * Manifests of artifacts (OCI image specification 1.1, "Guidelines for Artifact Usage"): files as
 * layers, called by their annotation org.opencontainers.image.title.
 */
#ifndef POD_IMAGE_ARTIFACT_H
#define POD_IMAGE_ARTIFACT_H

#include "common/base/json.h"
#include "common/oci/manifest.h"

#define ARTIFACT_TYPE_DEFAULT "application/vnd.unknown.artifact.v1"
#define ARTIFACT_EMPTY "{}" /* the configuration that says nothing */
#define ARTIFACT_TITLE "org.opencontainers.image.title"

struct artifact {
	json_t *json;
	struct manifest manifest;
};

/* One without files.  created: RFC 3339, or NULL. */
json_t *artifact_new(const char *type, const char *created);

/* A manifest that somebody else may have written; an index is refused. */
int artifact_parse(struct bytes b, struct artifact *out, struct err *e);
void artifact_free(struct artifact *a);
#define own_artifact own(artifact_free)

/* Instead of the empty configuration. */
void artifact_set_config(json_t *manifest, const struct manifest_desc *d);

/* Appends a file; one with its title must not be there.  The title may be NULL. */
int artifact_add(json_t *manifest, const struct rec_artifact_file *f,
    const struct rec_kv *annotations, size_t n, struct err *e);

/* Fills files and size, and created_ns; words live in a or in m. */
void artifact_describe(const struct artifact *m, struct rec_artifact *out, struct arena *a);

/* Where the store keeps the signatures of an artifact: what stands before "signature-1" in their files' names. */
#define ARTIFACT_SIGNATURES "signatures"
char *artifact_signatures(const char *digest);

/* What the beginning of a file looks like, in the words of Go's http.DetectContentType. */
const char *artifact_sniff(const unsigned char *p, size_t n);

#endif
