/* SPDX-License-Identifier: ISC */
/*
 * What the host's cgroups look like, and where a container's are.
 */
#ifndef POD_CGROUP_H
#define POD_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/wire/msg.h"

enum cgroup_layout { CGROUP_V1, CGROUP_HYBRID, CGROUP_V2, CGROUP_NONE };

/* By the file systems mounted on /sys/fs/cgroup. */
enum cgroup_layout cgroup_layout(void);

/* The path of our own cgroup on v2, below the mount point; caller frees.  NULL if there is none. */
char *cgroup_own(void);

/*
 * --cgroups=split: moves everything in the cgroup parent (ours) into its child "runtime", since the kernel wants
 * processes only in leaves.
 */
int cgroup_split(const char *parent, struct err *e);

/*
 * Who makes the cgroups: "systemd" or "cgroupfs".  asked: by the user, or NULL: systemd where the machine runs it.
 * An ordinary user's is that of the user's session; without one cgroupfs remains, with a warning if systemd was asked
 * for.
 */
const char *cgroup_manager(const char *asked, bool rootless);

/* Our own cgroup was delegated to us (v2 only). */
bool cgroup_delegated(enum cgroup_layout layout);

/*
 * True if cgroups can be made below parent (NULL: where they are by default): by root of the host always, else (v2
 * only) by the user's own systemd, or by us where both parent and our own cgroup were delegated to us.
 */
bool cgroup_usable(
    enum cgroup_layout layout, const char *manager, bool rootless, const char *parent);

bool cgroup_is_systemd(const struct rec_ctr_config *c);

/* False: the container is to have none (--cgroups=disabled). */
bool cgroup_wanted(const struct rec_ctr_config *c);

/* The slice of the container's scope, for the systemd manager: of a path its last part, for systemd names units. */
const char *cgroup_slice(const struct rec_ctr_config *c);

/*
 * linux.cgroupsPath of the container: "/libpod_parent/libpod-ID", or "SLICE:libpod:ID" for the
 * systemd manager; NULL if it has none.
 */
char *cgroup_oci_path(const struct rec_ctr_config *c, const char *id);

/*
 * Where its monitors go when cgroups are made by hand: "/libpod_parent/conmon", below the mount point of cgroup v2;
 * caller frees.  NULL if they stay where they are started: the options say so, it has no cgroup, or this is cgroup v1,
 * where a move goes hierarchy by hierarchy and none of them is that by which sessions are ended.
 */
char *cgroup_monitor_path(const struct rec_ctr_config *c, bool usable);

/* Path below the mount point of a hierarchy, for reading statistics and for signalling; caller
 * frees. */
char *cgroup_fs_path(const struct rec_ctr_config *c, const char *id);

#endif
