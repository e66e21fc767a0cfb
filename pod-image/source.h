/* SPDX-License-Identifier: ISC */
/*
 * Where an image is read from when it is copied to somewhere else than the store: a registry, the
 * store, an archive or a directory.  Each gives documents at once and writes layers to pipes.
 */
#ifndef POD_IMAGE_SOURCE_H
#define POD_IMAGE_SOURCE_H

#include "common/oci/manifest.h"
#include "common/wire/peer.h"
#include "pod-image/document.h"
#include "pod-image/late.h"
#include "pod-image/load.h"
#include "pod-image/plan.h"
#include "pod-image/wrapped.h"

#define PIECE_PACKED_MAX 8

struct piece {			   /* a layer */
	struct manifest_desc from; /* as the source has it; digest "" if that is not known */
	const char *diff_id;	   /* or NULL */
	const char *name;	   /* what the source calls it */
	bool plain;		   /* the source cannot give what from says, only the tar */
	uint64_t tar_size;	   /* 0 if it is not known */
	struct {		   /* what it became when it was compressed before */
		struct manifest_desc desc;
		const char *how;
	} packed[PIECE_PACKED_MAX];
	size_t npacked, used;		/* used: the one that is there already */
	struct wrapped_options *opened; /* how it is encrypted where it comes from, or NULL */
	struct manifest_desc sealed; /* with opened: what the source has; from is what is inside */
};

struct image {
	struct arena arena;
	struct late late;    /* what becomes its configuration; then doc and diff_ids are missing */
	struct document doc; /* its manifest; empty if the source has none */
	char digest[DIGEST_TEXT];     /* of doc */
	struct manifest manifest;     /* doc parsed, if there is one */
	struct signatures signatures; /* of doc */
	struct document config;
	struct rec_image_config parsed; /* of the configuration, if it is that of an image */
	bool is_image;
	struct piece *pieces; /* lowest first */
	size_t npieces;
	struct strv mounts; /* repositories, with registry, that may hold its blobs */
	struct strv places; /* those of them that the store knows to have got them */
};
void image_free(struct image *i);

/* i->late is set: what is known of the configuration now, without the layers, into config and parsed. */
int image_take_late(struct image *i, struct err *e);

struct source;
struct source_list;
struct source_ops {
	/* The document that was named: a manifest or an index.  NULL: the source has none. */
	int (*top)(struct source *s, struct document *out, struct err *e);
	/* A document by its descriptor; size and digest are checked by the caller. */
	int (*read)(struct source *s, const struct manifest_desc *d, bool manifest,
	    struct document *out, struct err *e);
	/* Instead of top and read: the whole image. */
	int (*image)(struct source *s, struct image *out, struct err *e);
	/* Appends the signatures of the manifest or index with that digest.  NULL: the source keeps none. */
	int (*signatures)(
	    struct source *s, const char *digest, struct signatures *out, struct err *e);
	/* Does the policy accept the image with that manifest, having these signatures? */
	int (*trust)(
	    struct source *s, const char *digest, const struct signatures *have, struct err *e);
	/*
	 * Where the image of an entry is, if not in s itself: *out, which may be own, filled in.  A
	 * source with ops->image holds that one image.
	 */
	int (*part)(struct source *s, const struct manifest_desc *d, struct source *own,
	    struct source **out, struct err *e);
	/* Asks for the layer to be written to stream; tar: the store's tar instead of what from says. */
	int (*ask)(struct source *s, const struct piece *p, bool tar, int stream, uint32_t *seq,
	    struct err *e);
};

struct source {
	const struct source_ops *ops;
	struct peer *peer; /* which answers ask */
	const struct wire_desc *request;
	bool tars; /* a store: it gives the tars of layers, whatever their blobs were */
	/* of a registry */
	struct plan *plan;
	struct plan_source *named;
	size_t endpoint;
	const char *repository;
	struct document
	    first; /* what the registry answered when it was looked for; taken by source_top */
	/* of an archive or a directory */
	struct load *load;
	const char *blobs;     /* what stands before the hexadecimal digest in names of blobs */
	char top[DIGEST_TEXT]; /* of "dir:": digest of the document whose files have no prefix */
	/* of a store */
	const char *id;
	struct source_list *list; /* with ops->part */
};

/* An image of another engine's store; l has been opened. */
void source_graph(struct source *s, struct load *l);

/* The first meaning of the plan's word that is there. */
int source_registry(struct source *s, struct plan *plan, struct err *e);
int source_files(struct source *s, struct load *load, struct err *e);

/* Of a docker-archive: adds the full names of its images. */
int source_docker_tags(struct source *s, struct strv *out, struct err *e);
void source_store(struct source *s, struct peer *store, const char *id);

/* Reads the document that was named; doc is empty if the source has none. */
int source_top(struct source *s, struct document *out, struct err *e);

/* An image: that of the manifest doc (taken over), or the source's only one if doc is NULL. */
int source_image(struct source *s, struct document *doc, struct image *out, struct err *e);

/* A document that a descriptor names: size and digest must be right. */
int source_read(struct source *s, const struct manifest_desc *d, bool manifest,
    struct document *out, struct err *e);

#endif
