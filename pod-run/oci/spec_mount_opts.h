/* SPDX-License-Identifier: ISC */
/*
 * The options of one mount, with Podman's rules about what excludes what and what is added.
 */
#ifndef POD_SPEC_MOUNT_OPTS_H
#define POD_SPEC_MOUNT_OPTS_H

#include "common/base/err.h"
#include "common/wire/msg.h"

enum mount_kind {
	MOUNT_BIND,
	MOUNT_VOLUME,
	MOUNT_TMPFS,
	MOUNT_RAMFS,
	MOUNT_DEVPTS,
	MOUNT_IMAGE,
	MOUNT_GLOB,	/* becomes binds */
	MOUNT_ARTIFACT, /* so does this, once the artifact is known */
};

/* State while the options of one mount are collected; zero-initialised. */
struct mount_opts {
	enum mount_kind kind;
	unsigned seen;	      /* groups of options that occurred */
	const char *last[32]; /* of each group, the option that did */
	struct rec_ctr_mount *mount;
	struct arena *a;
};

/* Takes one option as in -v and --tmpfs. */
int spec_mount_opts_add(struct mount_opts *m, const char *option, struct err *e);

/* Checks the form of "idmap" or "idmap=uids=INSIDE-OUTSIDE-COUNT#…;gids=…", as the runtime reads it. */
int spec_mount_opts_check_idmap(const char *word, struct err *e);

/*
 * Adds the defaults: rw, rprivate, rbind or tmpcopyup, and nosuid, nodev, noexec where there is no
 * source, or where the source's file system has them.
 */
int spec_mount_opts_finish(struct mount_opts *m, struct err *e);

#endif
