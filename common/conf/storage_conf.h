/* SPDX-License-Identifier: ISC */
/*
 * storage.conf(5): where the store lives.  /etc/containers/storage.conf, else
 * /usr/share/containers/storage.conf; ordinary users $XDG_CONFIG_HOME/containers/storage.conf;
 * CONTAINERS_STORAGE_CONF replaces them.
 *
 * The paths of a file made for other engines would have two engines write into one store, so
 * graphroot and runroot count only where they differ from what those engines use by default.
 */
#ifndef POD_STORAGE_CONF_H
#define POD_STORAGE_CONF_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/mem.h"

struct storage_conf {
	char *graphroot, *runroot, *imagestore,
	    *driver;				      /* imagestore is NULL, driver "" if not set */
	struct strv additional_image_stores, options; /* options: "overlay.mountopt=nodev" */
	struct strv pull_options; /* "pull_options.enable_partial_images=false" */
	bool transient_store;
	char *file; /* that was read, or NULL */
};

/* Fills c from the files and the defaults for the user uid (as seen outside a user namespace).
 * Nothing is created. */
int storage_conf_load(struct storage_conf *c, uid_t uid, struct err *e);

/*
 * For a tool that is run alone: in the namespace of an ordinary user (spawn_in_userns) the roots are those that the
 * environment names, and the files the user's.
 */
int storage_conf_load_alone(struct storage_conf *c, struct err *e);

/*
 * Without a directory of the system for it, a user's run root is /tmp/pod-run-UID, a name that anybody can take
 * first: it is made, or must be a directory of ours that is closed to others.  Other paths are left alone.
 */
int storage_conf_own_runroot(const char *runroot, struct err *e);

/*
 * What the store is told, a "key=value" each: the options given by --storage-opt, which take the place of all
 * in the file ("" alone: none), or those of the file; and what the file says of pulling.
 */
void storage_conf_settings(
    const struct storage_conf *c, const struct strv *given, struct strv *out);

void storage_conf_free(struct storage_conf *c);
#define own_storage_conf own(storage_conf_free)

#endif
