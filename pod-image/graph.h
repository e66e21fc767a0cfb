/* SPDX-License-Identifier: ISC */
/*
 * Images in the store of another engine: a graph root of containers/storage, Podman's or Buildah's.
 * Its documents are hostile as any other: they are parsed here, without privilege.
 */
#ifndef POD_IMAGE_GRAPH_H
#define POD_IMAGE_GRAPH_H

#include "common/oci/graph.h"
#include "pod-image/document.h"
#include "pod-image/load.h"

/* "[driver@root+run:options]IMAGE"; without brackets the root that other engines use by default. */
struct graph_spec {
	char *driver, *root, *image;
};
int graph_spec_parse(const char *text, struct graph_spec *out, struct err *e);
void graph_spec_free(struct graph_spec *g);
#define own_graph_spec own(graph_spec_free)

struct graph_image {
	struct arena arena;
	struct document manifest, config;
	struct signatures signatures; /* of the manifest */
	struct strv names; /* the one that was asked for; all if the image was named by its ID */
	struct graph_layer *layers; /* lowest first */
	size_t nlayers;
};
void graph_image_free(struct graph_image *g);
#define own_graph_image own(graph_image_free)

/* Reads the image that l->reference names, by the worker of l. */
int graph_read(struct load *l, struct graph_image *out, struct err *e);

/* Asks for the tar of a layer to be written to stream. */
int graph_ask(struct load *l, const char *layer, int stream, uint32_t *seq, struct err *e);

#endif
