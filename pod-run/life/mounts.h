/* SPDX-License-Identifier: ISC */
/*
 * Mounts of a container that are made before its runtime starts: overlays over a source (O), parts of
 * volumes (subpath), images; and giving sources to the container's user (U).  Each is a detached mount that
 * the monitor attaches in its own mount namespace, so none outlives the container.
 */
#ifndef POD_MOUNTS_H
#define POD_MOUNTS_H

#include "pod-run/life/start.h"
#include "pod-run/oci/spec_config.h"

/*
 * The root file system of --rootfs as a detached mount, with the overlay and the mapped owners that were
 * asked for; -1 with e.
 */
int mounts_rootfs(struct start *s, struct err *e);

/*
 * Before the store is asked: mounts the volumes that are more than directories.  Those that are not the
 * store's are marked external.
 */
int mounts_volumes(struct start *s, struct rec_volume_use *v, size_t n, struct err *e);

/* Asks for the images that c mounts; before mounts_prepare, so that the helper works meanwhile. */
int mounts_ask(struct start *s, struct err *e);

/* Fills f->mount_sources.  The user of the container is known. */
int mounts_prepare(struct start *s, struct spec_facts *f, struct err *e);

/* Removes what overlays of container id kept for one run. */
void mounts_forget(const struct ctx *x, const char *id);

#endif
