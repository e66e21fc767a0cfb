/* SPDX-License-Identifier: ISC */
/*
 * Documents of images as registries and archives give them: OCI image index, manifest and
 * configuration (OCI image specification 1.1), and their Docker forms (manifest list, manifest
 * version 2 schema 2).  All of it is hostile: parse only without privilege.  Bounds are checked
 * here, so that what comes out fits the messages to pod-store.
 */
#ifndef POD_MANIFEST_H
#define POD_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/wire/msg.h"

#define MANIFEST_MAX ((size_t)4 << 20) /* bytes of a manifest, an index or a configuration */
#define MANIFEST_LAYERS_MAX 1024
#define MANIFEST_ENTRIES_MAX 10000 /* of an index */

#define MANIFEST_TYPE_OCI "application/vnd.oci.image.manifest.v1+json"
#define MANIFEST_TYPE_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MANIFEST_TYPE_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MANIFEST_TYPE_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MANIFEST_TYPE_DOCKER "application/vnd.docker.distribution.manifest.v2+json"
#define MANIFEST_TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MANIFEST_TYPE_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MANIFEST_TYPE_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"

struct manifest_chunked;
struct manifest_encrypted;

/* A descriptor (OCI image specification, "Content Descriptors").  urls are not read at all. */
struct manifest_desc {
	const char
	    *media_type;    /* never NULL; may be "" where the specification lets it be absent */
	const char *digest; /* strictly sha256 */
	uint64_t size;
	const struct manifest_chunked *chunked;	    /* or NULL */
	const struct manifest_encrypted *encrypted; /* or NULL: it is plain */
};

/*
 * What the annotations of an encrypted layer hold, as they are; NULL if absent.  The keys are base64, with commas
 * between several.
 */
struct manifest_encrypted {
	const char *plain_type; /* the media type of what is encrypted */
	const char *jwe, *pkcs7, *pgp;
	const char *options;
};
#define MANIFEST_ENCRYPTED "+encrypted" /* behind a media type */
#define MANIFEST_ENCRYPTED_ANNOTATION "org.opencontainers.image.enc."

/* Where the index of a layer in the form zstd:chunked is in its blob, within its size, as annotations say. */
struct manifest_chunked {
	const char *checksum; /* of the table of contents as it is there */
	uint64_t toc_at, toc_size, toc_plain;
	uint64_t split_at, split_size; /* behind it */
};

struct manifest_entry { /* of an index */
	struct manifest_desc desc;
	const char *os, *architecture, *variant; /* "" if absent */
	const char *ref_name; /* annotation org.opencontainers.image.ref.name, or NULL */
};

/* A parsed manifest or index.  Zero-initialise; manifest_free. */
struct manifest {
	struct arena arena;
	const char *media_type; /* one of MANIFEST_TYPE_x above */
	bool is_index;
	const char *artifact_type; /* "" if absent */
	/* of a manifest */
	struct manifest_desc config;
	struct manifest_desc *layers; /* lowest first */
	size_t nlayers;
	/* of an index */
	struct manifest_entry *entries;
	size_t nentries;
};

/*
 * Parses a manifest or an index.  content_type is what the transport called it, or NULL; if it is a
 * type known here it must agree with the document.  A document that could be read as both is
 * refused (CVE-2021-41190), as are schema 1 (pod-image/schema1.h), duplicate keys and more than the bounds above.
 */
int manifest_parse(
    const char *bytes, size_t n, const char *content_type, struct manifest *out, struct err *e);
void manifest_free(struct manifest *m);

/* One of the four kinds that manifest_parse reads. */
bool manifest_type_is_known(const char *media_type);

/* Of an index or a manifest list; NULL is not. */
bool manifest_type_is_index(const char *media_type);
#define own_manifest own(manifest_free)

/* The platform that is wanted; NULL or "" means this machine's. */
struct manifest_platform {
	const char *os, *architecture, *variant;
};

/* This machine's architecture and os in Go's words. */
const char *manifest_host_architecture(void);

/* The entry of an index that fits best; variants fall back to lower ones, as arm v7 to v6. */
const struct manifest_entry *manifest_choose(
    const struct manifest *index, const struct manifest_platform *want, struct err *e);

/* Compression that a layer's media type promises. */
enum manifest_layer_form {
	MANIFEST_LAYER_UNKNOWN,
	MANIFEST_LAYER_TAR,
	MANIFEST_LAYER_GZIP,
	MANIFEST_LAYER_ZSTD
};
enum manifest_layer_form manifest_layer_form(const char *media_type);

/* The media type of a layer, without the word that it is encrypted. */
const char *manifest_plain_type(const struct manifest_desc *d);

/*
 * Parses an image configuration into *out, whose parts live in a.  nlayers is the number of layers
 * that its diff_ids must match.
 */
int manifest_config(const char *bytes, size_t n, size_t nlayers, struct rec_image_config *out,
    struct arena *a, struct err *e);

struct json_t;

/* The members of its object "config" alone, into the parts of *out that are theirs. */
int manifest_config_members(
    const struct json_t *config, struct rec_image_config *out, struct arena *a, struct err *e);

#endif
