/* SPDX-License-Identifier: ISC */
/*
 * mounts.conf: directories and files of the host that every container gets a copy of.
 */
#ifndef POD_MOUNTS_CONF_H
#define POD_MOUNTS_CONF_H

#include "pod-run/life/start.h"
#include "pod-run/oci/spec_config.h"

/*
 * Copies what the first of the files lists (--default-mounts-file, the user's, /etc/containers/mounts.conf,
 * /usr/share/containers/mounts.conf) into the bundle, and adds its mounts to f.
 */
int mounts_conf_prepare(struct start *s, struct spec_facts *f, struct err *e);

#endif
