/* SPDX-License-Identifier: ISC */
/*
 * The map of a container's user namespace, for the owners of files.  "Inside" are ids of the container,
 * which is also how layers are stored; "outside" are ids of our own namespace.
 *
 * A container with a map gets its root file system in one of two ways: the kernel maps the owners while
 * it reads (idmapped mounts; nothing on disk differs), or, where it refuses, the layers are copied with
 * other owners, once for each map, and the read-write layer holds outside ids (shifted).  Which one it is
 * stands with the map in the read-write layer, for whoever reads that layer later.
 */
#ifndef POD_OWNERS_H
#define POD_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/wire/msg.h"

#define OWNERS_NAME 21 /* "map-" and 16 digits */
#define OWNERS_NONE UINT32_MAX

struct owners {
	struct rec_id_range *uid, *gid;
	size_t nuid, ngid; /* 0: there is no map, inside and outside are the same */
	bool shifted;
	struct arena mem; /* of owners_load */
};
void owners_free(struct owners *o);
#define own_owners own(owners_free)

/* The map of a request, borrowed from it.  Ranges must not overlap; one kind only is refused. */
int owners_of(const struct msg_rootfs_open *m, struct owners *out, struct err *e);

bool owners_is_mapped(const struct owners *o);

/* OWNERS_NONE if the id has no counterpart. */
uint32_t owners_uid_outside(const struct owners *o, uint32_t uid);
uint32_t owners_gid_outside(const struct owners *o, uint32_t gid);

/*
 * Gives st the owner a copy has outside.  What the container has no id for becomes its nobody, or an id
 * it does not have either, and then loses set-user-ID and set-group-ID bits.
 */
void owners_shift(const struct owners *o, struct stat *st);

/* The same name for the same map. */
void owners_name(const struct owners *o, char out[OWNERS_NAME]);

/*
 * Between these two, what we make belongs to the container's root, as if it had made it, while our capabilities
 * stay.  Without a map nothing happens.
 */
int owners_become(const struct owners *o, struct err *e);
void owners_return(const struct owners *o);

/* Beside upper/ in the read-write layer rw.  No file: no map. */
int owners_save(const struct owners *o, int rw, struct err *e);
int owners_load(struct owners *o, int rw, struct err *e);

#endif
