/* SPDX-License-Identifier: ISC */
/*
 * One graph root: its directories, its index, its lock and its trash.
 *
 *	store.db  store.lock
 *	layers/LAYER/{diff/,tar.index}	LAYER: see layer.h; or {tar,erofs}: see layout.h
 *	layers/LAYER/map-MAP/		diff/ with other owners, see variant.h
 *	rw/CONTAINER/{upper,work,image,owners}	image: symbolic link holding the image ID; owners: see owners.h
 *	volumes/NAME/_data		volumes: may be a link to another place, see volume_place.h
 *	tmp/STAGE/			locked (flock on the directory) by its owner
 *	trash/				removed at leisure
 *	made/LAYER/NAME			made of a layer and those below it, and remade when missing: see made.h
 *	mounts/ID			where a user had a root file system mounted
 *	empty/				an empty directory, the lowest layer where there is none
 *
 * Rules that keep it whole whenever a process is killed: a layer's directory is complete before its row is
 * written, which says so until it is on disk too (unwritten.h); a row is gone before its directory is; a directory
 * without a row is swept.
 * store.lock is held shared while a root file system is put on an image and exclusively while images are
 * removed, so that neither misses the other.
 */
#ifndef POD_STORE_H
#define POD_STORE_H

#include <stdbool.h>

#include "common/base/mem.h"
#include "common/fs/lock.h"
#include "pod-store/db.h"
#include "pod-store/layout.h"

enum store_driver { DRIVER_AUTO, DRIVER_OVERLAY, DRIVER_VFS };

/* Settings by --storage-opt and storage.conf, see options.h. */
struct store_options {
	enum store_driver driver; /* AUTO: overlay where it can be mounted, else vfs */
	bool vfs_first;		  /* of AUTO: driver_priority */
	char *mountopt;
	char *mount_program;   /* makes the overlays, see fuse.h; NULL: the kernel does */
	uint64_t size, inodes; /* of the changes of each container; 0: no limit */
	bool ignore_chown_errors;
	enum layout layout; /* of new layers */
	bool sync;	    /* layers are on disk before there is an answer */
	bool whole_layers;  /* files of other layers are not used for those to come */
};

struct store {
	struct db db;
	char *root;		/* absolute */
	int dir;		/* root, opened */
	char *volume_path;	/* absolute, see volume_place.h */
	bool volumes_elsewhere; /* than below root */
	int trash;
	int lock;
	bool userxattr;	       /* in a user namespace */
	bool single_id;	       /* with nobody in it but one user */
	enum layout layout;    /* of new layers, as asked for */
	bool probed;	       /* and as it can be had */
	int writing;	       /* layers/, locked: see unwritten.h */
	struct strv unwritten; /* by this process */
	bool dirty;	       /* something lies in the trash or may have to be reaped */
	bool read_only; /* an additional one: neither trash nor lock, and nothing is ever written */
	bool theirs;	/* and it is of containers/storage, see theirs.h */

	/* Other places where images lie, see places.h; closed with this one. */
	struct store *images; /* made there (--imagestore); NULL: here */
	struct store *more;   /* read-only ones */
	size_t nmore;
	struct store *base; /* of one of the two above: the store it was opened for */
	struct store_options opt;
};

#define STORE_NAME_MAX 128 /* of a directory below layers/, rw/, tmp/ */

/* Makes what is missing. */
int store_open(struct store *s, const char *root, struct err *e);

/*
 * Puts an index in the damaged one's place that has all that can be read of it, and the volumes whose
 * directories are there; the old one stays as store.db.damaged.  The store may be open or not.
 */
int store_renew_db(struct store *s, const char *root, struct err *e);
void store_close(struct store *s);

/* Renames name in the directory root to NAME.damaged, or NAME.damaged.1, …; warns of it. */
int store_move_aside(int root, const char *name, struct err *e);

/* Adds the names of what stands in the place of directories that only some stores have. */
int store_displaced(const struct store *s, struct strv *out, struct err *e);

/*
 * Moves what stands in the place of a directory or file of the store, and is something else, to NAME.damaged;
 * opening the store makes a new one.
 */
int store_mend(const char *root, struct err *e);

/* Opens one of the directories above ("rw", "layers/ID"), never through a link. */
int store_dir(const struct store *s, const char *path, struct err *e);

/*
 * The directory of a layer, relative to the root: "layers/ID", or "overlay/ID" of containers/storage, which has nothing
 * but "diff" of what stands above.  The caller frees.
 */
char *store_layer_path(const struct store *s, const char *id);

/* Opens it, or what is below it if that is not "". */
int store_open_layer(const struct store *s, const char *id, const char *below, struct err *e);

/* Is it there? */
bool store_has_layer(const struct store *s, const char *id);

/* Adds the names in such a directory, or in one that is open, but for those that begin with a dot. */
int store_names(const struct store *s, const char *path, struct strv *out, struct err *e);
int store_names_in(int dir, const char *shown, struct strv *out, struct err *e);

int store_lock(const struct store *s, enum lock_mode mode, struct err *e);
void store_unlock(const struct store *s);

/* Moves dirfd/name out of sight; removed by store_clean.  Nothing there is success. */
int store_trash(struct store *s, int dirfd, const char *name, struct err *e);

/*
 * Removes what is in the trash and what killed owners left in tmp/.  Takes as long as it takes; for
 * the time after the answer.  force: even if this process knows of nothing to do.
 */
int store_clean(struct store *s, bool force, struct err *e);

/* A new directory tmp/NAME (0700), locked; returns its descriptor, which holds the lock. */
int store_stage(struct store *s, char name[STORE_NAME_MAX], struct err *e);

/* n random bytes as lower-case hexadecimal digits and a NUL. */
int store_random(char *out, size_t n, struct err *e);

#endif
