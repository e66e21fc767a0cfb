/* SPDX-License-Identifier: ISC */
/*
 * The devices of the host that a container gets.
 */
#ifndef POD_CONFIG_DEVICES_H
#define POD_CONFIG_DEVICES_H

#include <sys/stat.h>

#include "common/base/err.h"
#include "common/wire/msg.h"
#include "pod-run/oci/cdi.h"

struct device {
	const char *source, *target, *access;
	struct stat st;
};

struct device_list {
	struct device *v;
	size_t n;
};

/*
 * cdi (may be NULL) adds its nodes.
 * Looks up --device on the host; a directory stands for all devices below it.  A privileged
 * container gets everything in /dev but what is the container's own (pts, shm, mqueue, console).
 */
int config_devices_find(const struct rec_ctr_config *c, const struct cdi_edits *cdi,
    struct arena *a, struct device_list *out, struct err *e);

#endif
