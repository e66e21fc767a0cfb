/* SPDX-License-Identifier: ISC */
/*
 * The documents of a graph root of containers/storage, the store of Podman and Buildah: lists of images and layers,
 * and manifests and configurations.  All of it is hostile: parse only without privilege.
 */
#ifndef POD_GRAPH_H
#define POD_GRAPH_H

#include "common/base/json.h"
#include "common/oci/manifest.h"

#define GRAPH_LIST_MAX ((size_t)8 << 20) /* what a message carries */
#define GRAPH_LIST_DEPTH 8

/* How its files are read. */
struct graph_files {
	const char *driver;
	/* Appends the whole file to out; e->no is ENOENT if there is none.  name is relative to the graph root. */
	int (*read)(void *arg, const char *name, uint64_t max, struct strbuf *out, struct err *e);
	void *arg;
};

struct graph_layer {
	const char *id, *diff_id; /* diff_id: "" if it is not known */
	uint64_t tar_size;
};

/* kind: "images" or "layers".  The caller's; NULL on failure. */
json_t *graph_list(const struct graph_files *f, const char *kind, struct err *e);

/* Of such a list, an object by the IDs.  The caller's. */
json_t *graph_by_id(const json_t *list);

/* The layers from the lowest one to top, in memory of a; top may be NULL or "": none. */
int graph_layers(const json_t *by_id, const char *top, struct arena *a, struct graph_layer **out,
    size_t *n, struct err *e);

/* The manifest and, as its digest says, the configuration.  A list of images is refused. */
int graph_documents(const struct graph_files *f, const char *id, struct strbuf *manifest,
    struct strbuf *config, struct manifest *m, struct err *e);

/* The signatures of that manifest, in memory of bytes and a; image is its entry in the list. */
int graph_signatures(const struct graph_files *f, const json_t *image, const char *id,
    const struct strbuf *manifest, struct strbuf *bytes, struct arena *a,
    struct rec_signature **out, size_t *n, struct err *e);

#endif
