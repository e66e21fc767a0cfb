/* SPDX-License-Identifier: ISC */
#include "pod-net/lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"

#define FORGET_S 60 /* whoever made a directory wants to take a lease in it */
#define LAST "last" /* holds the address given out last, as text */

int
lease_open(struct leases *l, const char *path, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*l = (struct leases)LEASES_CLOSED;
	if (root < 0)
		return err_sys(e, "opening /");
	l->dir = path_mkdirs(root, path + 1, PATH_IN_ROOT, 0700, NULL, e);
	l->path = xstrdup(path);
	return l->dir < 0 ? err_wrap(e, "making the directory of leases") : 0;
}

void
lease_close(struct leases *l)
{
	lease_unlock(l);
	fd_close(&l->dir);
	free(l->path);
	l->path = NULL;
}

/* The directory was swept away as that of a namespace that nobody uses any more. */
static int
open_again(struct leases *l, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	err_clear(e);
	fd_close(&l->dir);
	if (root < 0)
		return err_sys(e, "opening /");
	l->dir = path_mkdirs(root, l->path + 1, PATH_IN_ROOT, 0700, NULL, e);
	return l->dir < 0 ? -1 : 0;
}

int
lease_lock(struct leases *l, struct err *e)
{
	for (int tries = 0; l->lock < 0 && tries < 3; tries++) {
		err_clear(e);
		l->lock = lock_acquire(l->dir, "lock", LOCK_EXCLUSIVE, LOCK_WAIT, e);
		if (l->lock < 0 && (e->no != ENOENT || open_again(l, e) != 0))
			break;
	}
	return l->lock < 0 ? err_wrap(e, "waiting for the address leases") : 0;
}

void
lease_unlock(struct leases *l)
{
	fd_close(&l->lock);
}

static void
subnet_name(const struct prefix *p, char name[ADDR_TEXT])
{
	struct prefix q = {addr_first(p), p->bits};

	addr_format_prefix(&q, name);
	*strchr(name, '/') = '_';
}

/* Reads who holds dir/name; false if nobody does, though the remains of a lease may be there. */
static bool
is_held(int dir, const char *name, char holder[PATH_MAX])
{
	ssize_t n = readlinkat(dir, name, holder, PATH_MAX - 1);

	holder[n > 0 ? n : 0] = '\0';
	return n > 0 && faccessat(AT_FDCWD, holder, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* 1: taken for r, 0: somebody has it (holder tells who), -1 with e. */
static int
try_address(int dir, const struct lease_request *r, const struct addr *a, char holder[PATH_MAX],
    struct err *e)
{
	char name[ADDR_TEXT];

	addr_format(a, name);
	for (int tries = 0; tries < 3; tries++) {
		if (symlinkat(r->holder, dir, name) == 0)
			return 1;
		if (errno != EEXIST)
			return err_sys(e, "recording the lease of %s", name);
		if (is_held(dir, name, holder))
			return 0;
		(void)unlinkat(dir, name, 0);
	}
	return err_set(
	    e, ERR_INTERNAL, "recording the lease of %s: the name does not vanish", name);
}

/* The first and last address that may be given out. */
static void
limits(const struct lease_request *r, struct addr *first, struct addr *last)
{
	struct addr low = addr_first(&r->subnet), high = addr_last(&r->subnet), a;

	*first = low;
	*last = high;
	if (r->subnet.bits + 1 < r->subnet.addr.len * 8u) {
		*first = addr_next(&low);
		/* The address before high: only the last bit differs. */
		if (high.family == AF_INET)
			last->b[high.len - 1] &= 0xfe;
	}
	a = r->start;
	if (a.len != 0 && addr_compare(&a, first) > 0)
		*first = a;
	a = r->end;
	if (a.len != 0 && addr_compare(&a, last) < 0)
		*last = a;
}

static bool
read_last(int dir, struct addr *out)
{
	char text[ADDR_TEXT];
	own_fd int fd = openat(dir, LAST, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

	if (n <= 0)
		return false;
	text[n] = '\0';
	return addr_parse(text, out) == 0;
}

/*
 * Losing this file only means that a freed address may be given out again sooner.  It is overwritten in
 * full: cutting it first would make some file systems write it to the disk at once.
 */
static void
write_last(int dir, const struct addr *a)
{
	char text[ADDR_TEXT] = "";
	own_fd int fd = openat(dir, LAST, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	addr_format(a, text);
	if (fd >= 0 && write(fd, text, sizeof text) < 0)
		(void)unlinkat(dir, LAST, 0);
}

/* Removes the lease if its holder has died without giving it back. */
static bool
bury(const struct leases *l, int dir, const struct addr *a)
{
	char name[ADDR_TEXT], holder[PATH_MAX];

	addr_format(a, name);
	if (l->lives == NULL || !is_held(dir, name, holder) || l->lives(l->arg, holder))
		return false;
	return unlinkat(dir, name, 0) == 0;
}

/* The leases of the dead are looked for only when there is nothing else, as it costs a question each. */
static bool
bury_any(const struct leases *l, int dir, const struct addr *first, const struct addr *last)
{
	own_fd int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	bool any = false;

	if (d == NULL)
		return false;
	(void)fd_take(&fd);
	for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
		struct addr a;

		if (entry->d_type == DT_LNK && addr_parse(entry->d_name, &a) == 0 &&
		    addr_compare(&a, first) >= 0 && addr_compare(&a, last) <= 0)
			any |= bury(l, dir, &a);
	}
	return any;
}

static int
take_next(
    const struct leases *l, int dir, const struct lease_request *r, struct addr *out, struct err *e)
{
	char low[ADDR_TEXT], high[ADDR_TEXT], holder[PATH_MAX];
	struct addr first, last, at, start;
	bool again = true;

	limits(r, &first, &last);
	if (read_last(dir, &at) && at.len == first.len && addr_compare(&at, &first) >= 0 &&
	    addr_compare(&at, &last) < 0)
		at = addr_next(&at);
	else
		at = first;
	start = at;
	while (addr_compare(&first, &last) <= 0) {
		int rc =
		    addr_compare(&at, &r->gateway) == 0 ? 0 : try_address(dir, r, &at, holder, e);

		if (rc != 0) {
			*out = at;
			if (rc > 0)
				write_last(dir, &at);
			return rc < 0 ? -1 : 0;
		}
		at = addr_compare(&at, &last) >= 0 ? first : addr_next(&at);
		if (addr_compare(&at, &start) == 0) {
			if (!again || !bury_any(l, dir, &first, &last))
				break;
			again = false;
		}
	}
	addr_format(&first, low);
	addr_format(&last, high);
	return err_set(
	    e, ERR_LIMIT, "IPAM error: failed to find free IP in range: %s - %s", low, high);
}

static int
take_wanted(
    const struct leases *l, int dir, const struct lease_request *r, struct addr *out, struct err *e)
{
	char text[ADDR_TEXT], holder[PATH_MAX];
	int rc = try_address(dir, r, &r->wanted, holder, e);

	if (rc == 0 && bury(l, dir, &r->wanted))
		rc = try_address(dir, r, &r->wanted, holder, e);
	if (rc < 0)
		return -1;
	*out = r->wanted;
	if (rc > 0)
		return 0;
	addr_format(&r->wanted, text);
	return err_set(e, ERR_EXISTS,
	    "IPAM error: requested ip address %s is already allocated to container ID %s", text,
	    strrchr(holder, '/') != NULL ? strrchr(holder, '/') + 1 : holder);
}

int
lease_take(struct leases *l, const struct lease_request *r, struct addr *out, char key[LEASE_KEY],
    struct err *e)
{
	char subnet[ADDR_TEXT], address[ADDR_TEXT];
	own_fd int dir = -1;

	subnet_name(&r->subnet, subnet);
	if (mkdirat(l->dir, subnet, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "making the directory of leases %s", subnet);
	dir = openat(l->dir, subnet, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "opening the directory of leases %s", subnet);
	if ((r->wanted.len != 0 ? take_wanted : take_next)(l, dir, r, out, e) != 0)
		return -1;
	addr_format(out, address);
	snprintf(key, LEASE_KEY, "%s/%s", subnet, address);
	return 0;
}

void
lease_give(struct leases *l, const char *key, const char *holder)
{
	char now[PATH_MAX];
	ssize_t n = readlinkat(l->dir, key, now, sizeof now - 1);

	if (n < 0)
		return;
	now[n] = '\0';
	if (strcmp(now, holder) == 0)
		(void)unlinkat(l->dir, key, 0);
}

/*
 * Looks at each lease of a subnet.  Without state it stops at the first that is held; with state it
 * removes the remains of those of holders below that directory.  True if any is held.
 */
static bool
walk(int at, const char *subnet, const char *state)
{
	char holder[PATH_MAX];
	own_fd int fd = openat(at, subnet, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_dir DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d == NULL)
		return false;
	(void)fd_take(&fd);
	for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
		bool held;

		if (entry->d_type != DT_LNK)
			continue;
		held = is_held(dirfd(d), entry->d_name, holder);
		if (held && state == NULL)
			return true;
		if (!held && state != NULL && text_has_prefix(holder, state))
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	}
	return false;
}

bool
lease_any(struct leases *l, const struct prefix *subnet)
{
	char name[ADDR_TEXT];

	subnet_name(subnet, name);
	return walk(l->dir, name, NULL);
}

void
lease_sweep(struct leases *l, const char *state)
{
	own_fd int fd = openat(l->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d == NULL)
		return;
	(void)fd_take(&fd);
	for (const struct dirent *entry; (entry = readdir(d)) != NULL;)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			walk(l->dir, entry->d_name, state);
}

/* True if the directory of another namespace holds nothing; *lock then keeps others out of it. */
static bool
is_empty(int at, const char *name, int *lock)
{
	own_fd int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_dir DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct err e = {0};
	struct stat st;

	if (d == NULL)
		return false;
	(void)fd_take(&fd);
	if (fstatat(dirfd(d), "lock", &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    time(NULL) - st.st_mtim.tv_sec < FORGET_S)
		return false;
	*lock = lock_acquire(dirfd(d), "lock", LOCK_EXCLUSIVE, LOCK_TRY, &e);
	if (*lock < 0)
		return false;
	for (const struct dirent *entry; (entry = readdir(d)) != NULL;)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    walk(dirfd(d), entry->d_name, NULL))
			return false;
	return true;
}

/* Who names containers has made the directory of leases before. */
static void
remove_name_lock(int at, const char *name)
{
	own_mem char *leases = xasprintf("leases-%s", name + strlen("dns-"));
	struct err e = {0};
	own_fd int lock = -1;

	leases[strlen(leases) - strlen(".lock")] = '\0';
	if (faccessat(at, leases, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return;
	lock = lock_acquire(at, name, LOCK_EXCLUSIVE, LOCK_TRY, &e);
	if (lock >= 0)
		(void)unlinkat(at, name, 0);
}

void
lease_sweep_others(const char *path, const char *boot)
{
	const char *own = strrchr(path, '/') + 1;
	own_mem char *above = xstrndup(path, (size_t)(own - path));
	own_fd int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d == NULL)
		return;
	(void)fd_take(&fd);
	for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
		own_fd int lock = -1;
		struct err e = {0};

		if (!text_has_prefix(entry->d_name, "leases-") || strcmp(entry->d_name, own) == 0 ||
		    (text_has_prefix(entry->d_name, boot) &&
			!is_empty(dirfd(d), entry->d_name, &lock)))
			continue;
		if (tree_remove(dirfd(d), entry->d_name, &e) != 0)
			log_debug("%s", e.text);
	}
	rewinddir(d);
	for (const struct dirent *entry; (entry = readdir(d)) != NULL;)
		if (text_has_prefix(entry->d_name, "dns-") &&
		    text_has_suffix(entry->d_name, ".lock"))
			remove_name_lock(dirfd(d), entry->d_name);
}
