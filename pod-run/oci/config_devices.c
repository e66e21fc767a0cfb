/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/config_devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "common/base/own.h"
#include "pod-run/oci/spec_list.h"

#define DEPTH_MAX 16
#define DEVICES_MAX 65536

static bool
is_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

/* Directories and files of /dev that every container has for itself. */
static bool
is_own(const char *name)
{
	static const char *const names[] = {"pts", "shm", "fd", "mqueue", "console", ".lxc",
	    ".lxd-mounts", ".udev", "ptmx", "null", "zero", "full", "random", "urandom", "tty",
	    "stdin", "stdout", "stderr"};

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* All devices below source.  own: skip what is_own names, at the top. */
static int
walk(const char *source, const char *target, const char *access, bool own, int depth,
    struct arena *a, struct device_list *out, struct err *e)
{
	own_dir DIR *dir = opendir(source);
	struct dirent *d;

	if (dir == NULL)
		return own || errno == ENOENT ? 0 : err_sys(e, "open %s", source);
	if (depth > DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "%s: too many directories", source);
	while ((d = readdir(dir)) != NULL) {
		const char *from, *to;
		struct stat st;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
		    (own && is_own(d->d_name)))
			continue;
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    (!is_device(&st) && !S_ISDIR(st.st_mode)))
			continue;
		from = arena_printf(a, "%s/%s", source, d->d_name);
		to = arena_printf(a, "%s/%s", target, d->d_name);
		if (out->n >= DEVICES_MAX)
			return err_set(e, ERR_LIMIT, "%s: too many devices", source);
		if (is_device(&st))
			*SPEC_PUSH(a, out) = (struct device){from, to, access, st};
		else if (walk(from, to, access, false, depth + 1, a, out, e) < 0)
			return -1;
	}
	return 0;
}

/* A node that a CDI description asks for; what it does not say is the host's node's. */
static int
add_node(const struct cdi_node *n, struct arena *a, struct device_list *out, struct err *e)
{
	struct device d = {n->host_path, n->path, n->access, {0}};

	if (stat(n->host_path, &d.st) < 0 && (n->type == NULL || n->major < 0))
		return err_sys(e, "CDI device node: stat %s", n->host_path);
	if (n->type != NULL)
		d.st.st_mode = (d.st.st_mode & 07777) | (*n->type == 'b' ? S_IFBLK : S_IFCHR);
	if (n->major >= 0)
		d.st.st_rdev = makedev((unsigned)n->major, n->minor >= 0 ? (unsigned)n->minor : 0);
	if (n->mode >= 0)
		d.st.st_mode = (d.st.st_mode & S_IFMT) | (mode_t)n->mode;
	if (n->uid >= 0)
		d.st.st_uid = (uid_t)n->uid;
	if (n->gid >= 0)
		d.st.st_gid = (gid_t)n->gid;
	if (!is_device(&d.st))
		return err_set(e, ERR_INVALID, "CDI device node %s: not a device", n->host_path);
	*SPEC_PUSH(a, out) = d;
	return 0;
}

int
config_devices_find(const struct rec_ctr_config *c, const struct cdi_edits *cdi, struct arena *a,
    struct device_list *out, struct err *e)
{
	for (size_t i = 0; cdi != NULL && i < cdi->nodes.n; i++)
		if (add_node(&cdi->nodes.v[i], a, out, e) < 0)
			return -1;
	if (c->privileged)
		return walk("/dev", "/dev", "rwm", true, 0, a, out, e);
	for (size_t i = 0; i < c->devices.n; i++) {
		const struct rec_ctr_device *d = &c->devices.v[i];
		struct stat st;

		if (stat(d->source, &st) < 0)
			return err_sys(e, "stat %s", d->source);
		if (S_ISDIR(st.st_mode)) {
			if (walk(d->source, d->target, d->access, false, 0, a, out, e) < 0)
				return -1;
		} else if (is_device(&st)) {
			*SPEC_PUSH(a, out) = (struct device){d->source, d->target, d->access, st};
		} else {
			return err_set(e, ERR_INVALID, "%s: not a device node", d->source);
		}
	}
	return 0;
}
