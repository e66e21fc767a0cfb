/* SPDX-License-Identifier: ISC */
/*
 * Bringing one image into the store: the layers that are not there yet, several at a time, each
 * through a pipe from where it comes to pod-store; then the image in one step.
 */
#ifndef POD_IMAGE_COPY_H
#define POD_IMAGE_COPY_H

#include "common/oci/manifest.h"
#include "common/wire/peer.h"
#include "pod-image/crypt.h"
#include "pod-image/late.h"
#include "pod-image/partial.h"
#include "pod-image/report.h"
#include "pod-image/signatures.h"

/* Where layers come from: a worker that writes them to pipes. */
struct copy_from {
	struct peer *peer;
	const struct wire_desc *request; /* what ask sends; its answer ends a layer */
	/* Asks for the layer to be written to stream; gives the sequence number of the request. */
	int (*ask)(void *arg, size_t layer, int stream, uint32_t *seq, struct err *e);
	/* The same of parts of its blob; NULL: it only gives whole ones. */
	partial_ask_fn *ask_parts;
	void *arg;
};

struct copy {
	struct peer *store;
	struct report report;
	struct rec_image_config config; /* parsed; as many diff_ids as layers */
	struct bytes config_bytes;
	struct bytes manifest_bytes;
	const char *manifest_type;
	struct rec_layer_ref *layers; /* lowest first; digest and size NULL and 0 if not known */
	const struct manifest_desc *descs; /* of the layers, or NULL */
	const char **labels; /* of layers whose digests are not known yet, for messages; or NULL */
	const struct signatures *signatures; /* of the manifest, or NULL */
	struct crypt *crypt;		     /* for layers that are encrypted, or NULL */
	size_t nlayers;
	size_t parallel; /* at once; 0: as suits the machine */
	bool
	    tars; /* what comes is the tar, also where the layer's digest is that of another blob */
	struct strs names, repo_digests;
	/*
	 * For images that came without a manifest or a configuration: makes what is missing of
	 * manifest_X and config_X once digest, size and DiffID of every layer are known.  Without a
	 * configuration config.diff_ids is empty and each layer's diff_id "" before.
	 */
	int (*settle)(struct copy *c, struct err *e);
};

/*
 * For settle: a manifest of manifest_type for the layers and config_bytes as they are now, in *b, which
 * must last as long as c.
 */
int copy_write_manifest(struct copy *c, struct strbuf *b, struct err *e);

/*
 * The same for an image that is late: the configuration too.  Both texts must last as long as c, of which
 * a holds parts.
 */
int copy_settle_late(struct copy *c, const struct late *l, struct strbuf *config,
    struct strbuf *manifest, struct arena *a, struct err *e);

/*
 * On success id holds the image's ID.  A failure leaves the connections unusable.  Encrypted layers are stored
 * plain, with a manifest that says so.  Signatures are kept with the manifest that they are of, and with no other.
 */
int copy_image(struct copy *c, const struct copy_from *from, char id[65], struct err *e);

#endif
