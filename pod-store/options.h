/* SPDX-License-Identifier: ISC */
/*
 * The settings of a store by --storage-opt and the tables [storage] of storage.conf(5).  A key may have
 * the name of the driver before it: overlay.size, vfs.size and size are one.
 */
#ifndef POD_STORE_OPTIONS_H
#define POD_STORE_OPTIONS_H

#include "common/base/mem.h"
#include "common/wire/msg.h"
#include "pod-store/store.h"

struct options {
	struct store_options store;
	char *image_store; /* NULL: none */
	struct strv more;  /* additional image stores */
	char *volume_path; /* NULL: not asked for; see volume_place.h */
	bool volume_path_must;
};

/* From a hello.  What no driver of ours knows is refused. */
int options_read(struct options *o, const struct msg_hello *m, struct err *e);
void options_free(struct options *o);

#endif
