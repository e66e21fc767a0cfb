/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

#include "common/base/own.h"
#include "common/role/caps.h"
#include "common/role/role.h"
#include "role-filters.h"

static const struct role_info infos[] = {
#define ROLE(id, name_, program_, identity_, caps_, ns_, view_, calls_, files_, libs_, doc_) \
	[ROLE_##id] = {.name = name_,                                                        \
	    .program = program_,                                                             \
	    .identity = identity_,                                                           \
	    .caps = caps_,                                                                   \
	    .namespaces = ns_,                                                               \
	    .view = view_,                                                                   \
	    .calls = calls_,                                                                 \
	    .open_files = files_,                                                            \
	    .libraries = libs_,                                                              \
	    .doc = doc_},
#include "common/role/role.def"
#undef ROLE
};

static const struct {
	const struct sock_filter *filter;
	unsigned short n;
} filters[] = {
#define ROLE(id, name, program, identity, caps, ns, view, calls, files, libs, doc) \
	[ROLE_##id] = FILTER_##id,
#include "common/role/role.def"
#undef ROLE
};

/* Copies of these make the world of VIEW_RESOLVER; a missing one is no fault. */
static const char *const resolver_files[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
    "/etc/host.conf", "/etc/gai.conf", "/etc/services"};
static const char *const authorities[] = {"/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
#define RESOLVER_FILE_MAX (4u << 20)

/* What a program of the host needs to run, for VIEW_PROGRAMS; a missing one is no fault. */
static const char *const program_trees[] = {
    "/usr", "/bin", "/lib", "/lib64", "/lib32", "/dev/null", "/dev/urandom"};

const char *const *
role_authorities(size_t *n)
{
	*n = COUNTOF(authorities);
	return authorities;
}

const struct role_info *
role_info(enum role r)
{
	return &infos[r];
}

void
role_start(void)
{
	int fd;

	/* With 0, 1 and 2 in use, nothing that is opened later can be mistaken for a standard
	 * stream. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 3);
	if (fd >= 3)
		close(fd);
	umask(022);
	signal(SIGPIPE, SIG_IGN);
}

static int
close_others(const int *keep, size_t n, struct err *e)
{
	unsigned from = 3;

	for (size_t i = 0; i <= n; i++) {
		unsigned to = i < n ? (unsigned)keep[i] - 1 : ~0u;

		if (from <= to && close_range(from, to, 0) == -1)
			return err_sys(e, "closing descriptors");
		if (i < n)
			from = (unsigned)keep[i] + 1;
	}
	return 0;
}

static bool
has_cap(int cap)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	return syscall(SYS_capget, &h, d) == 0 && (d[cap / 32].effective >> cap % 32 & 1);
}

static int
write_proc(const char *path, const char *text, struct err *e)
{
	own_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, text, strlen(text)) == -1)
		return err_sys(e, "writing %s", path);
	return 0;
}

/* For people who start a worker by hand: root of a namespace that holds only themselves. */
static int
enter_user_namespace(struct err *e)
{
	char uid_map[64], gid_map[64];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1\n", geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1\n", getegid());
	if (unshare(CLONE_NEWUSER) == -1) {
		err_sys(e, "making a user namespace");
		return err_hint(
		    e, "The kernel or its settings forbid user namespaces to ordinary users.");
	}
	if (write_proc("/proc/self/setgroups", "deny", e) == -1 ||
	    write_proc("/proc/self/uid_map", uid_map, e) == -1 ||
	    write_proc("/proc/self/gid_map", gid_map, e) == -1)
		return -1;
	return 0;
}

/*
 * *alone: what is mounted from now on is seen by us only.  It is not where "/" is no mount of its own
 * (a plain chroot), because then its propagation cannot be changed.
 */
static int
enter_namespaces(const struct role_info *r, bool *alone, struct err *e)
{
	*alone = true;
	if (r->namespaces == 0 && r->view == ROLE_VIEW_ALL)
		return 0;
	if (!has_cap(CAP_SYS_ADMIN) && enter_user_namespace(e) == -1)
		return -1;
	if (unshare(r->namespaces) == -1)
		return err_sys(e, "making namespaces");
	if ((r->namespaces & CLONE_NEWNS) &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) {
		if (errno != EINVAL)
			return err_sys(e, "making mounts private");
		*alone = false;
	}
	return 0;
}

/* Copies one file of the host below dir, 0 if it is missing, 1; paths are ours, so plain calls do. */
static int
copy_below(int dir, const char *path, struct err *e)
{
	char part[128], buf[16384];
	own_fd int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	own_fd int to = -1;
	ssize_t n;
	size_t all = 0;

	if (from == -1)
		return 0;
	for (const char *s = strchr(path + 1, '/'); s != NULL; s = strchr(s + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(s - path - 1), path + 1);
		if (mkdirat(dir, part, 0755) == -1 && errno != EEXIST)
			return err_sys(e, "making /%s", part);
	}
	to = openat(dir, path + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (to == -1)
		return err_sys(e, "making a copy of %s", path);
	while ((n = read(from, buf, sizeof(buf))) > 0 && (all += (size_t)n) <= RESOLVER_FILE_MAX)
		if (write(to, buf, (size_t)n) != n)
			return err_sys(e, "copying %s", path);
	return 1;
}

static int
copy_resolver(int root, struct err *e)
{
	int got = 0;

	for (size_t i = 0; i < COUNTOF(resolver_files); i++)
		if (copy_below(root, resolver_files[i], e) == -1)
			return -1;
	for (size_t i = 0; got == 0 && i < COUNTOF(authorities); i++)
		got = copy_below(root, authorities[i], e);
	return got == -1 ? -1 : 0;
}

/* A detached tmpfs, filled as the view wants it. */
static int
make_root(const struct role_info *r, struct err *e)
{
	own_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	own_fd int root = -1;

	if (fs == -1 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "8m", 0) == -1 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) == -1 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		return err_sys(e, "making an empty file system");
	root =
	    fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (root == -1)
		return err_sys(e, "mounting an empty file system");
	if (r->view == ROLE_VIEW_RESOLVER && copy_resolver(root, e) == -1)
		return -1;
	return fd_take(&root);
}

/*
 * Makes root "/".  Safe because the new root covers the old one before the old one is detached: at no
 * moment is there another way, and descriptors of old directories were closed before.
 *
 * pivot_root(2) refuses (EINVAL) where our old root is no mount or has none above it, as in a chroot
 * or an initramfs.  Then the new root stays on top of the old one and chroot(2) confines us to it; what
 * leads out of a chroot (CAP_SYS_CHROOT, a directory of outside) no role with a view keeps.
 */
static int
pivot(int root, bool alone, struct err *e)
{
	/* A detached mount can be a root without being attached anywhere. */
	if (!alone)
		return fchdir(root) == -1 || chroot(".") == -1
			   ? err_sys(e, "changing the root directory")
			   : 0;
	if (move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == -1 ||
	    fchdir(root) == -1)
		return err_sys(e, "changing the root directory");
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		if (umount2(".", MNT_DETACH) == -1 || chdir("/") == -1)
			return err_sys(e, "changing the root directory");
		return 0;
	}
	if (errno != EINVAL || chroot(".") == -1 || chdir("/") == -1)
		return err_sys(e, "changing the root directory");
	return 0;
}

/* --- VIEW_PROGRAMS -----------------------------------------------------------------------------*/

struct trees {
	int fd[COUNTOF(program_trees)];
};

static void
close_trees(struct trees *t)
{
	for (size_t i = 0; i < COUNTOF(t->fd); i++)
		fd_close(&t->fd[i]);
}

/* A place for what will be mounted at path, or the same link; *tree is a clone of it, or -1. */
static int
make_place(int root, const char *path, int *tree, struct err *e)
{
	char target[256];
	struct stat st;
	own_fd int fd = -1;
	ssize_t n;

	if (lstat(path, &st) == -1)
		return 0;
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		return n <= 0 || symlinkat(target, root, path + 1) == -1
			   ? err_sys(e, "making %s", path)
			   : 0;
	}
	*tree = open_tree(AT_FDCWD, path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (S_ISDIR(st.st_mode) ? AT_RECURSIVE : 0));
	if (*tree == -1)
		return err_sys(e, "taking %s", path);
	if (S_ISDIR(st.st_mode))
		return mkdirat(root, path + 1, 0755) == -1 ? err_sys(e, "making %s", path) : 0;
	fd = openat(root, path + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	return fd == -1 ? err_sys(e, "making %s", path) : 0;
}

static int
make_places(int root, struct trees *t, struct err *e)
{
	if (mkdirat(root, "dev", 0755) == -1 || mkdirat(root, "tmp", 0755) == -1)
		return err_sys(e, "making directories");
	for (size_t i = 0; i < COUNTOF(program_trees); i++)
		if (make_place(root, program_trees[i], &t->fd[i], e) == -1)
			return -1;
	return copy_below(root, "/etc/ld.so.cache", e);
}

/* Attaches the clones below the new root, which is "/" by now, and a writable /tmp. */
static int
fill_places(const struct trees *t, int scratch, struct err *e)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};

	for (size_t i = 0; i < COUNTOF(program_trees); i++) {
		if (t->fd[i] == -1)
			continue;
		if (mount_setattr(t->fd[i], "", AT_EMPTY_PATH | AT_RECURSIVE, &ro, sizeof(ro)) ==
			-1 ||
		    move_mount(t->fd[i], "", AT_FDCWD, program_trees[i], MOVE_MOUNT_F_EMPTY_PATH) ==
			-1)
			return err_sys(e, "mounting %s", program_trees[i]);
	}
	if (move_mount(scratch, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH) == -1 ||
	    chmod("/tmp", 01777) == -1)
		return err_sys(e, "mounting /tmp");
	return 0;
}

static int
enter_programs(const struct role_info *r, bool alone, struct err *e)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	own_fd int root = make_root(r, e), scratch = -1;
	own(close_trees) struct trees t;

	memset(&t, -1, sizeof(t));
	if (root == -1 || (scratch = make_root(r, e)) == -1 || make_places(root, &t, e) == -1 ||
	    pivot(root, alone, e) == -1 || fill_places(&t, scratch, e) == -1)
		return -1;
	if (mount_setattr(root, "", AT_EMPTY_PATH, &ro, sizeof(ro)) == -1)
		return err_sys(e, "making the root read-only");
	return 0;
}

static bool
view_is_given(const struct role_info *r)
{
	return r->view == ROLE_VIEW_FD || r->view == ROLE_VIEW_FD_READ;
}

/* A mount that is attached nowhere.  Its path says nothing: it is the root of a tree of its own. */
static bool
is_detached(const char *path)
{
	struct statx sx;

	return strcmp(path, "/") == 0 &&
	       statx(ROLE_VIEW_FD_NUMBER, "", AT_EMPTY_PATH, STATX_TYPE, &sx) == 0 &&
	       (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * A mount of the directory handed over.  The descriptor stands in the mount namespace of the
 * caller, and only there can it be cloned; who may not do that yet finds it again by its path and
 * compares.
 */
static int
clone_handed(struct err *e)
{
	char path[4096];
	struct stat given, found;
	own_fd int root = -1;
	ssize_t n = readlink("/proc/self/fd/4", path, sizeof(path) - 1);

	if (n <= 0)
		return err_sys(e, "finding the directory of descriptor 4");
	path[n] = '\0';
	if (fstat(ROLE_VIEW_FD_NUMBER, &given) == -1 || stat(path, &found) == -1)
		return err_sys(e, "looking at the directory of descriptor 4");
	/*
	 * Kernels before 6.15 clone no such mount, but it serves as it is.  The root that its path names may have
	 * mounts below that a user namespace cannot part from it, so that this is not even tried.
	 */
	if (!is_same(&given, &found) && is_detached(path)) {
		root = fcntl(ROLE_VIEW_FD_NUMBER, F_DUPFD_CLOEXEC, ROLE_VIEW_FD_NUMBER + 1);
		return root == -1 ? err_sys(e, "taking descriptor 4 as root") : fd_take(&root);
	}
	root = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (root == -1)
		return err_sys(e, "taking the directory of descriptor 4 as root");
	if (fstat(root, &found) == -1)
		return err_sys(e, "looking at the directory of descriptor 4");
	if (!is_same(&given, &found))
		return err_set(e, ERR_DENIED, "the directory of descriptor 4 moved");
	return fd_take(&root);
}

/* handed: a clone of descriptor 4 made before the namespaces changed, or -1; taken over. */
static int
enter_view(const struct role_info *r, int handed, bool alone, struct err *e)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	bool given = view_is_given(r);
	own_fd int root = handed, again = -1;

	if (r->view == ROLE_VIEW_ALL)
		return 0;
	if (r->view == ROLE_VIEW_PROGRAMS)
		return enter_programs(r, alone, e);
	if (root == -1)
		root = given ? clone_handed(e) : make_root(r, e);
	if (root == -1 || pivot(root, alone, e) == -1)
		return -1;
	if (r->view != ROLE_VIEW_FD &&
	    mount_setattr(root, "", AT_EMPTY_PATH, &ro, sizeof(ro)) == -1)
		return err_sys(e, "making the root read-only");
	if (!given)
		return 0;
	/* The old descriptor still stands in the old tree, from where ".." leads out. */
	again = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (again == -1 || dup3(again, ROLE_VIEW_FD_NUMBER, O_CLOEXEC) == -1)
		return err_sys(e, "opening the new root");
	return 0;
}

static int
drop_bounding(const struct role_info *r, struct err *e)
{
	for (int cap = 0; cap < 64; cap++) {
		if ((r->caps >> cap & 1) || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* behind the last one that this kernel knows */
			return 0;
		/* Who may drop none has none to give to others either. */
		return has_cap(CAP_SETPCAP)
			   ? err_sys(e, "dropping capability %d from the bounding set", cap)
			   : 0;
	}
	return 0;
}

/*
 * Fallback named in role.def: where 65534 has no place in the user namespace, the id stays and only
 * the capabilities go; a namespace whose map denies setgroups has no groups to drop.
 */
static int
drop_ids(const struct role_info *r, struct err *e)
{
	if (r->identity != ROLE_NOBODY || !has_cap(CAP_SETUID))
		return 0;
	if (setgroups(0, NULL) == -1 && errno != EPERM)
		return err_sys(e, "dropping supplementary groups");
	if (setresgid(ROLE_NOBODY_ID, ROLE_NOBODY_ID, ROLE_NOBODY_ID) == -1)
		return errno == EINVAL ? 0 : err_sys(e, "setting the group ID");
	if (setresuid(ROLE_NOBODY_ID, ROLE_NOBODY_ID, ROLE_NOBODY_ID) == -1)
		return errno == EINVAL ? 0 : err_sys(e, "setting the user ID");
	return 0;
}

static int
drop_caps(const struct role_info *r, struct err *e)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) == -1)
		return err_sys(e, "reading capabilities");
	for (int i = 0; i < 2; i++) {
		uint32_t want = (uint32_t)(r->caps >> 32 * i);

		d[i].permitted &= want;
		d[i].effective = d[i].permitted;
		d[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &h, d) == -1)
		return err_sys(e, "dropping capabilities");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		return err_sys(e, "clearing ambient capabilities");
	return 0;
}

/* What was given up must not come back; asked of the kernel, not assumed. */
static int
try_to_regain(const struct role_info *r, bool id_changed, struct err *e)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{~0u, ~0u, 0}, {~0u >> 24, ~0u >> 24, 0}};

	if (r->caps != CAPS_ALL && syscall(SYS_capset, &h, d) == 0)
		return err_set(e, ERR_INTERNAL, "capabilities could be regained");
	if (id_changed && setresuid(0, 0, 0) == 0)
		return err_set(e, ERR_INTERNAL, "the user ID could be regained");
	return 0;
}

static int
set_limits(const struct role_info *r, struct err *e)
{
	struct rlimit core = {0, 0}, files = {r->open_files, r->open_files}, now;

	/* Foreign programs, containers among them, inherit limits: they are the caller's to choose. */
	if (r->calls & SYS_ANY)
		return 0;
	if (setrlimit(RLIMIT_CORE, &core) == -1)
		return err_sys(e, "limiting core dumps");
	if (r->open_files == 0)
		return 0;
	if (getrlimit(RLIMIT_NOFILE, &now) == 0) {
		if (now.rlim_max < files.rlim_max)
			files.rlim_cur = files.rlim_max = now.rlim_max;
		/* A program of the host that such a role starts may need more than itself. */
		if (r->calls & SYS_SPAWN)
			files.rlim_max = now.rlim_max;
	}
	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		return err_sys(e, "limiting open files");
	return 0;
}

static int
install_filter(enum role r, struct err *e)
{
	struct sock_fprog prog = {
	    .len = filters[r].n, .filter = (struct sock_filter *)(uintptr_t)filters[r].filter};

	if (prog.len == 0)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return err_sys(e, "setting no_new_privs");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == -1)
		return err_sys(e, "installing the system-call filter");
	return 0;
}

int
role_enter(enum role role, const int *keep, size_t keep_n, struct err *e)
{
	const struct role_info *r = role_info(role);
	const unsigned long locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
				     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
				     SECBIT_NO_CAP_AMBIENT_RAISE |
				     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	bool leaf = !(r->calls & (SYS_SPAWN | SYS_ANY));
	bool alone;
	int handed = -1;
	uid_t before;

	if (close_others(keep, keep_n, e) == -1)
		goto fail;
	if (view_is_given(r) && has_cap(CAP_SYS_ADMIN))
		handed = open_tree(
		    ROLE_VIEW_FD_NUMBER, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (enter_namespaces(r, &alone, e) == -1 || enter_view(r, handed, alone, e) == -1 ||
	    drop_bounding(r, e) == -1)
		goto fail;
	before = geteuid();
	/* Before the ids change, which takes CAP_SETPCAP with it. */
	if (leaf && has_cap(CAP_SETPCAP) && prctl(PR_SET_SECUREBITS, locked, 0, 0, 0) == -1) {
		err_sys(e, "locking the secure bits");
		goto fail;
	}
	if (drop_ids(r, e) == -1)
		goto fail;
	if (drop_caps(r, e) == -1 || try_to_regain(r, geteuid() != before, e) == -1 ||
	    set_limits(r, e) == -1)
		goto fail;
	if (!(r->calls & SYS_ANY) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1) {
		err_sys(e, "forbidding core dumps");
		goto fail;
	}
	if (install_filter(role, e) == -1)
		goto fail;
	return 0;
fail:
	return err_wrap(e, "entering role %s", r->name);
}
