/* SPDX-License-Identifier: ISC */
/*
 * Overlay file systems as detached mounts: a descriptor that no mount table shows, to be attached by
 * whoever receives it, and gone with its last user.
 */
#ifndef POD_OVERLAY_H
#define POD_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

#define OVERLAY_LOWER_MAX 500 /* the kernel's own limit */
#define OVERLAY_BASES_MAX 32

struct overlay {
	const char *base; /* absolute path of the store; all other paths are relative to it */
	const char *const *bases; /* absolute paths of further stores */
	size_t nbases;		  /* at most OVERLAY_BASES_MAX */
	/*
	 * Directories, or images with their tar beside them (layout.h); lowest first.  Absolute ones are below
	 * a base.
	 */
	const char *const *lower;
	size_t n;	   /* 0 is allowed: an empty directory is below then */
	const char *empty; /* that directory */
	const char *rw;	   /* directory with upper/ and work/; NULL: read-only */
	bool volatile_;	   /* need not survive a crash; never synced */
	bool userxattr;	   /* inside a user namespace: marks are user.overlay.* */
	const char *label; /* SELinux; NULL: that of each file */
	bool label_nested; /* it is that of the root; files may be given others */
	const char
	    *options; /* of mount(8), as "nodev,metacopy=on", or NULL: see overlay_check_options */
	int userns;   /* user namespace by which the owners of all directories are mapped, or 0 */
};

/* In the order they are tried; which of them works is found out once in each process. */
enum overlay_way {
	OVERLAY_FDS,	 /* layers as descriptors (Linux 6.13) */
	OVERLAY_STRINGS, /* lowerdir+ strings (Linux 6.7) */
	OVERLAY_CLASSIC, /* mount(2) in a private namespace, then open_tree(2) */
	OVERLAY_WAYS,
};

/* Returns the detached mount.  A volatile upper that was used before is made usable again. */
int overlay_mount(const struct overlay *o, struct err *e);

/*
 * True if e, of an overlay with a user namespace, says that the kernel or the file system below cannot map
 * owners.
 */
bool overlay_cannot_map(const struct err *e);

/* The same by one way only, for tests. */
int overlay_mount_by(enum overlay_way way, const struct overlay *o, struct err *e);

/*
 * Of one word of options: true if it is the mount's, whose attribute is added, or the kernel's overlay's alone;
 * false if a mount program has to know it.
 */
bool overlay_flag(const char *word, unsigned *attrs);

/* Is this path of a lower layer that of an image? */
bool overlay_is_image(const char *lower);

/* Are these options that a mount of a root file system may have?  -1 with e names the first that is not. */
int overlay_check_options(const char *options, struct err *e);

#endif
