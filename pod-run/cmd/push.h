/* SPDX-License-Identifier: ISC */
/* What commands share that push images, manifest lists and artifacts. */
#ifndef POD_PUSH_H
#define POD_PUSH_H

#include "common/wire/peer.h"
#include "pod-run/ctx.h"

/* What becomes of layers and manifests. */
struct push_form {
	const char *compression_format, *format;
	int64_t compression_level;
	int force_compression;
};

/* Options and configuration into the request. */
int push_fill(const struct push_form *o, const struct containers_conf *conf,
    struct msg_image_copy *m, struct err *e);

/* Where to: the second word, else the name by which the image was found. */
const char *push_destination(const struct msg_image_got *got, int argc, char **argv);

/* Sends the request; its store is filled in.  Progress goes to standard error unless quiet. */
int push_send(
    struct ctx *x, struct msg_image_copy *m, bool quiet, struct peer_in *in, struct err *e);

#endif
