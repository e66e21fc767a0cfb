/* SPDX-License-Identifier: ISC */
/*
 * mountpoints/: the directories and empty files on which a runtime mounts what every container gets (/proc, /dev,
 * /etc/hosts, ...), and the link /etc/mtab.  As the lowest layer of all it spares each container making its own,
 * which costs seven files and the copies of the directories they lie in; whatever the image has is seen instead.
 */
#ifndef POD_MOUNTPOINTS_H
#define POD_MOUNTPOINTS_H

#include "pod-store/store.h"

/* Name of the directory in the store. */
#define MOUNTPOINTS "mountpoints"

/* Makes it if it is not there. */
int mountpoints_need(struct store *s, struct err *e);

/* Is what is there of it what was made? */
bool mountpoints_sound(const struct store *s);

/* Makes it so, where it stands: it is the lowest layer of containers that run. */
int mountpoints_mend(struct store *s, struct err *e);

#endif
