/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "pod-run/life/landing.h"

bool
landing_doubtful(const struct runtime *r, const struct nested_mounts *nested)
{
	const char *base = strrchr(r->path, '/') + 1;

	return nested->at.n > 0 && (r->is_crun || text_has_prefix(base, "runc"));
}

/* The mount at a place beneath a mount; each place has one of its own. */
static int
mount_at(int root, const char *within, const char *at, uint64_t *id)
{
	own_fd int volume = path_try(root, within, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0), fd = -1;
	struct statx st;

	if (volume == -1)
		return -1;
	/* A relative link in the volume may be meant; one that leads out of it is not. */
	fd = path_try(volume, at + strlen(within) + 1, PATH_BENEATH, O_PATH, 0);
	if (fd == -1 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == -1 ||
	    (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
		return -1;
	*id = st.stx_mnt_id;
	return 0;
}

int
landing_check(pid_t pid, const struct nested_mounts *nested, struct err *e)
{
	own_mem uint64_t *ids = xcalloc(nested->at.n, sizeof(*ids));
	own_fd int root = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return err_sys(e, "looking at the mounts of the container");
	for (size_t i = 0; i < nested->at.n; i++) {
		bool found = mount_at(root, nested->within.v[i], nested->at.v[i], &ids[i]) == 0;

		/* Two places with one mount: the other landed somewhere else. */
		for (size_t k = 0; k < i; k++)
			found = found && ids[k] != ids[i];
		if (!found)
			return err_set(e, ERR_RUNTIME,
			    "the mount of %s did not land in %s: somebody changed that volume or "
			    "directory meanwhile",
			    nested->at.v[i], nested->within.v[i]);
	}
	return 0;
}
