/* SPDX-License-Identifier: ISC */
#ifndef POD_INFO_HOST_H
#define POD_INFO_HOST_H

#include "common/base/json.h"
#include "pod-run/ctx.h"

/*
 * Facts about the machine and our tools, under the names of the fields of Podman's define.HostInfo,
 * which templates use.  NULL with e on failure.
 */
json_t *info_host(struct ctx *x, struct err *e);

/* Disk use of the file system that holds path, in bytes. */
void info_disk(const char *path, uint64_t *total, uint64_t *used);

#endif
