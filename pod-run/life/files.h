/* SPDX-License-Identifier: ISC */
/*
 * The files of a container as its processes see them: root file system, volumes, binds.  Of one that runs
 * through /proc/PID/root, of one that does not by mounting them in a mount namespace of this command.
 */
#ifndef POD_FILES_H
#define POD_FILES_H

#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

struct files {
	struct ctr ctr;
	int root; /* O_PATH; to be walked with PATH_IN_ROOT only */
	int lock; /* of a container that does not run: nobody may start it meanwhile */
	bool read_only;
	uint32_t uid, gid;	       /* the container's user, as seen from here */
	uint32_t inner_uid, inner_gid; /* and as the container counts */
	struct peer_in rootfs;
	struct arena arena;
};
void files_free(struct files *f);
#define own_files own(files_free)

/* Initialise with FILES_NONE. */
#define FILES_NONE                      \
	{                               \
		.root = -1, .lock = -1, \
	}
int files_open(struct ctx *x, const char *id, struct files *f, struct err *e);

/* The ID outside of a container whose map is v; one that is not in it stays as it is. */
uint32_t files_mapped(uint64_t id, const struct rec_id_range *v, size_t n);

/* A path of the container made absolute by its working directory; in the arena of f. */
const char *files_absolute(struct files *f, const char *path);

#endif
