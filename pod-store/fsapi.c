/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/text.h"
#include "pod-store/fsapi.h"

int
fsapi_open(const char *type)
{
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

int
fsapi_config(int fs, unsigned cmd, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fs, cmd, key, value, aux);
}

int
fsapi_mount(int fs, unsigned attrs)
{
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs);
}

int
fsapi_open_tree(int dirfd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC);
}

int
fsapi_map(int mount, int userns)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns};

	return (int)syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attr, sizeof(attr));
}

/* The kernel explains itself in the context's log: the last message is the cause. */
int
fsapi_error(int fs, const char *type, const char *act, struct err *e)
{
	char line[512], said[512] = "", clean[512];
	int no = errno;
	ssize_t n;

	while ((n = read(fs, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (line[0] == 'e' && line[1] == ' ')
			snprintf(said, sizeof(said), "%s", line + 2);
	}
	errno = no;
	err_sys(e, "mounting %s: %s", type, act);
	if (said[0] != '\0') {
		said[strcspn(said, "\n")] = '\0';
		text_escape(said, clean, sizeof(clean));
		err_wrap(e, "%s", clean);
	}
	return -1;
}
