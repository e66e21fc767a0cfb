/* SPDX-License-Identifier: ISC */
/*
 * Staging areas: layers that are being unpacked or are complete but belong to no image yet, in
 * tmp/NAME/N/ (as layers/LAYER in store.h).  The directory is locked while the area lives; without its owner it is
 * swept.
 */
#ifndef POD_STAGE_H
#define POD_STAGE_H

#include "common/base/sha256.h"
#include "common/wire/msg.h"
#include "pod-store/store.h"

#define STAGE_MAX 64	     /* areas on one connection */
#define STAGE_LAYERS_MAX 512 /* layers of one area */

struct staged {
	char name[16];		   /* directory in the area */
	char diff_hex[SHA256_HEX]; /* "" until it is verified */
	uint64_t tar_size;
	char digest[80]; /* of the stream it came from */
	uint64_t size;
};

struct stage {
	uint32_t number;
	char name[STORE_NAME_MAX];
	int dir;	     /* holds the lock */
	bool sync;	     /* its layers are written back before the commit */
	struct flush *flush; /* from the first layer to the commit */
	struct staged *layers;
	size_t n, cap;
};

struct stages {
	struct stage *v;
	size_t n, cap;
	uint32_t last;
};

/* Opens a new area; valid until the next one is opened or ended. */
struct stage *stage_begin(struct store *s, struct stages *all, struct err *e);
struct stage *stage_find(struct stages *all, uint64_t number, struct err *e);

/* Gives up everything in it; store_clean removes it. */
void stage_end(struct store *s, struct stages *all, struct stage *g);
void stage_end_all(struct store *s, struct stages *all);

/* What the worker that takes a layer in writes to: diff/ and tar.index, or the tar and its image (layout.h). */
struct stage_place {
	enum layout layout;
	int content, index; /* the caller's to close */
};

/* A fresh layer directory; its index in layers. */
int stage_layer(
    struct stage *g, enum layout layout, size_t *at, struct stage_place *out, struct err *e);

/* The verified layer of that content, or NULL. */
struct staged *stage_layer_find(struct stage *g, const char *diff_hex);

/*
 * Makes the image of an image_commit request and gives its ID.  The area stays on failure.  All or
 * nothing, also when the process is killed.
 */
int stage_commit(struct store *s, struct stage *g, const struct msg_image_commit *m,
    char id[SHA256_HEX], struct err *e);

#endif
