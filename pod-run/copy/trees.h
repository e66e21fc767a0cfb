/* SPDX-License-Identifier: ISC */
/*
 * The three forms of copying; see the message "copy".  Each source is walked by descriptor, a component
 * at a time, following no link; mounts below it are entered, but for those of the kernel's own files.
 */
#ifndef POD_COPY_TREES_H
#define POD_COPY_TREES_H

#include "pod-run/copy/put.h"

/* The path under way, as messages and tar headers show it. */
struct trail {
	struct strbuf path;
};
void trail_free(struct trail *t);
#define own_trail own(trail_free)
size_t trail_push(struct trail *t, const char *name); /* what trail_pop takes */
void trail_pop(struct trail *t, size_t before);

/* True for a directory whose content is the kernel's (proc, sysfs, cgroups …): it counts as empty. */
bool trees_is_kernel(int fd);

/* Opens dir/name, a directory or regular file, for reading, without waiting; -1 with errno. */
int trees_open(int dir, const char *name, struct stat *st);

/* Names in a directory. */
int trees_list(int fd, struct strv *names, const char *shown, struct err *e);

int copy_tree(const struct msg_copy *m, struct err *e);
int copy_pack(const struct msg_copy *m, struct err *e);
int copy_unpack(const struct msg_copy *m, struct err *e);

#endif
