/* SPDX-License-Identifier: ISC */
/*
 * The commands mount and unmount: trees of images for people.
 */
#ifndef POD_STORE_MOUNT_H
#define POD_STORE_MOUNT_H

#include "common/cli/cmd.h"

/*
 * Read-write layers of such mounts are named mount-PID, which lasts as long as that process, or
 * mount-at-DEVICE-INODE of the directory, which lasts until unmount.
 */
#define MOUNT_PREFIX "mount-"
#define MOUNT_AT_PREFIX "mount-at-"

extern const struct cmd mount_cmd, mount_unmount_cmd;

#endif
