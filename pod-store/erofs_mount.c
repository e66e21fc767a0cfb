/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-store/erofs_mount.h"
#include "pod-store/fsapi.h"

/*
 * The kernel opens files by name.  Safe because the names are of our own descriptors, which were opened
 * without following links.
 */
static int
set_file(int fs, const char *key, int file, struct err *e)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return fsapi_config(fs, FSCONFIG_SET_STRING, key, path, 0) == 0
		   ? 0
		   : fsapi_error(fs, "erofs", key, e);
}

int
erofs_mount(int base, const char *path, int userns, struct err *e)
{
	const char *slash = strrchr(path, '/');
	own_mem char *tar = xasprintf("%.*s"
				      "tar",
	    slash != NULL ? (int)(slash + 1 - path) : 0, path);
	own_fd int image = path_open(base, path, PATH_PLAIN, O_RDONLY, 0, e);
	own_fd int device = image == -1 ? -1 : path_open(base, tar, PATH_PLAIN, O_RDONLY, 0, e);
	own_fd int fs = -1, m = -1;

	if (device == -1)
		return -1;
	fs = fsapi_open("erofs");
	if (fs == -1)
		return err_sys(e, "mounting erofs: fsopen");
	if (set_file(fs, "source", image, e) == -1 || set_file(fs, "device", device, e) == -1)
		return -1;
	if (fsapi_config(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) == -1 ||
	    fsapi_config(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		return fsapi_error(fs, "erofs", "creating the file system", e);
	m = fsapi_mount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (m == -1)
		return fsapi_error(fs, "erofs", "fsmount", e);
	if (userns > 0 && fsapi_map(m, userns) == -1)
		return err_sys(e, "mapping the owners of files: mount_setattr");
	return fd_take(&m);
}
