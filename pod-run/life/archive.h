/* SPDX-License-Identifier: ISC */
/*
 * Archives of checkpoints: tar, plain or compressed, with the names that Podman gives (config.dump, spec.dump,
 * network.status, checkpoint/, rootfs-diff.tar, deleted.files, volumes/NAME.tar, ctr.log, stats-dump).
 */
#ifndef POD_ARCHIVE_H
#define POD_ARCHIVE_H

#include "pod-run/life/checkpoint.h"

#define ARCHIVE_ROOTFS "rootfs-diff.tar"
#define ARCHIVE_DELETED "deleted.files"
#define ARCHIVE_VOLUMES "volumes"
#define ARCHIVE_LOG "ctr.log"
#define ARCHIVE_SHM "devshm-checkpoint.tar"

/* none, gzip or zstd; else Podman's error. */
int archive_check_compression(const char *word, struct err *e);

/* Writes the checkpoint that was just made to the file o->export. */
int archive_export(struct ctx *x, struct ctr *c, const struct checkpoint *o, struct err *e);

/* The same, as a plain tar stream. */
int archive_write(
    struct ctx *x, struct ctr *c, const struct checkpoint *o, int stream, struct err *e);

/*
 * Unpacks the archive *stream (taken over) into the empty directory dir, by a worker without privilege, and
 * makes sure that there are only files and directories, all of them ours.
 */
int archive_unpack(int *stream, int dir, struct err *e);

/*
 * Reads the container out of an unpacked archive, ours or (then *foreign) one of Podman's.  c is in the state of a
 * container that was only made.
 */
int archive_read(struct ctx *x, int dir, struct ctr *c, bool *foreign, struct err *e);

#endif
