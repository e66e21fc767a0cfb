/* SPDX-License-Identifier: ISC */
/*
 * Bringing containers back from checkpoints: their own, one of an archive, one of an image.
 */
#ifndef POD_RESTORE_H
#define POD_RESTORE_H

#include "pod-run/life/checkpoint.h"

struct restore {
	bool keep, tcp_established, tcp_close, file_locks;
	bool ignore_rootfs, ignore_volumes, ignore_static_ip, ignore_static_mac;
	const char *name; /* of the new container, from an archive or image; NULL: the old one */
	const struct rec_port_map *ports; /* instead of those it had */
	size_t ports_n;
	const char *previous; /* archive of the pre-checkpoint, or NULL */
};

/* The container's own checkpoint. */
int restore_own(struct ctx *x, const char *id, const struct restore *o,
    struct checkpoint_figures *f, struct err *e);

/* A container out of an archive; id gets its ID. */
int restore_archive(struct ctx *x, const char *path, const struct restore *o,
    struct checkpoint_figures *f, char id[NAMES_ID_LEN + 1], struct err *e);

/* The same out of an image that a checkpoint was made into. */
int restore_image(struct ctx *x, const char *image, const struct restore *o,
    struct checkpoint_figures *f, char id[NAMES_ID_LEN + 1], struct err *e);

#define RESTORE_ANNOTATION "io.podman.annotations.checkpoint."

#endif
