/* SPDX-License-Identifier: ISC */
/*
 * Where an image is written to when it is not the store: a registry, an archive or a directory.
 * Layers arrive by pipes; a layer counts only once it has been committed under its digest.
 */
#ifndef POD_IMAGE_DEST_H
#define POD_IMAGE_DEST_H

#include "pod-image/daemon.h"
#include "pod-image/signer.h"
#include "pod-image/source.h"

enum dest_layers {
	DEST_AS_THEY_ARE,
	DEST_COMPRESSED, /* a tar of the store is compressed first */
	DEST_TARS	 /* nothing but tars */
};
enum dest_kind { DEST_ANY_MANIFEST, DEST_OCI_MANIFEST, DEST_DOCKER_MANIFEST };

struct written { /* a layer as it is there, in the manifest's terms */
	struct manifest_desc to;
	char digest[DIGEST_TEXT];
	char *annotations; /* JSON object, or NULL */
};

struct outcome { /* an image whose layers and configuration are there */
	const struct image *image;
	const struct written *layers;
	struct bytes manifest;
	const char *media_type;
	char digest[DIGEST_TEXT]; /* of manifest */
	struct bytes config;
	char config_digest[DIGEST_TEXT];
	const struct signatures *signatures; /* of the source, to be kept */
	bool instance;			     /* of an index that follows */
	struct strs names;		     /* for archives to record */
};

struct dest;
struct dest_ops {
	/* Is a blob of that digest there, or can it be had without sending it?  NULL: no. */
	int (*has)(struct dest *d, const char *digest, const struct image *from, bool *present,
	    struct err *e);
	/*
	 * Takes a layer from stream.  digest NULL and size 0: not known yet.  number: of the layer; the
	 * same number again goes on with what broke off.  Answered when the stream has ended.
	 */
	int (*put)(struct dest *d, size_t number, const char *digest, uint64_t size, int stream,
	    uint32_t *seq, struct err *e);
	const struct wire_desc *put_request;
	/* After put, and once the digest has been verified; NULL: nothing is left to do. */
	int (*commit)(
	    struct dest *d, size_t number, const char *digest, uint32_t *seq, struct err *e);
	const struct wire_desc *commit_request;
	int (*put_config)(struct dest *d, const char *digest, struct bytes b, struct err *e);
	/* Has it sent beside the layers, if it is not there; put_config ends that.  NULL: not possible. */
	int (*begin_config)(struct dest *d, const char *digest, struct bytes b, struct err *e);
	int (*put_image)(struct dest *d, const struct outcome *o, struct err *e);
	int (*put_index)(struct dest *d, struct bytes b, const char *media_type,
	    const struct signatures *s, struct err *e);
	/* After all images. */
	int (*finish)(struct dest *d, struct err *e);
};

#define DEST_SLOTS 3

struct dest {
	const struct dest_ops *ops;
	struct signer *signer;	   /* of a registry or "dir:"; or NULL */
	const char *no_signatures; /* why it cannot keep any, or NULL */
	bool artifacts;		   /* the store's: a layout with signatures beside its blobs */
	char *shown;		   /* what the user called it, or NULL */
	struct peer *peer;
	enum dest_layers layers;
	enum dest_kind kind;
	bool needs_size; /* one layer at a time, and its digest and size must be known before */
	size_t parallel; /* layers at once */
	/* of a registry */
	struct plan *plan;
	const struct reference *ref;
	const char *repository;
	uint32_t config_seq; /* of the configuration on its way, or 0 */
	/* of archives and directories */
	const struct files_form *form;
	int output;	      /* an archive's file, or 0 */
	struct daemon daemon; /* to which the archive goes, or none */
	char *name;	      /* reference to record, or NULL */
	uint32_t create_seq;
	struct strv written; /* files that are there already: layers may be shared */
	void *list;	     /* JSON: entries of manifest.json or index.json */
};

/* The one registry of the plan, whose peer is waited for. */
int dest_registry(struct dest *d, struct plan *plan, struct err *e);

/*
 * With the caller's power: starts the worker.  form as of image_save; output, a stream or a
 * directory, is taken over.  reference may be NULL.
 */
int dest_files_prepare(
    struct dest *d, const char *form, const char *reference, int output, struct err *e);
/* The same for the directory of the store's artifacts, an OCI layout. */
int dest_files_artifacts(struct dest *d, int output, struct err *e);
/* Without it. */
int dest_files(struct dest *d, struct err *e);

/*
 * Opens what "transport:PATH[:REFERENCE]" names, for writing, and prepares it.  daemon_host as of
 * daemon_put.
 */
int dest_files_path(struct dest *d, const char *transport, const char *rest,
    const char *daemon_host, struct err *e);

/*
 * To the worker of an archive or a directory: what was written is complete.  A directory's removes what it has made
 * since, or altogether, when the connection ends without this.
 */
int dest_files_end(struct peer *worker, struct err *e);

/* Nothing came of it: an archive that was begun is emptied, files that were made in a directory are removed. */
void dest_abandon(struct dest *d);

void dest_fds(const struct dest *d, struct keep *k);
void dest_free(struct dest *d);

#endif
