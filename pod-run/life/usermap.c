/* SPDX-License-Identifier: ISC */
#include "pod-run/life/usermap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "pod-run/idmap.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_userns.h"
#include "pod-run/state/ctr.h"

#define AUTO_USER "containers" /* whose subordinate ids root gives out */
#define AUTO_MIN 1024
#define AUTO_MAX 65536

#define SET_MAP(list, map)            \
	do {                          \
		(list)->v = (map)->v; \
		(list)->n = (map)->n; \
	} while (0)

static void
add_map(struct id_map *to, const struct rec_id_range *v, size_t n, struct arena *a)
{
	for (size_t i = 0; i < n; i++)
		*SPEC_PUSH(a, to) = v[i];
}

/* --- auto -------------------------------------------------------------------------------------------*/

/* What every container in the database uses, whoever chose it. */
static int
used_ids(struct db *db, struct id_map *uids, struct id_map *gids, struct arena *a, struct err *e)
{
	own_ctr_list struct ctr_list l = {0};

	if (ctr_list(db, &l, e) == -1)
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		const struct rec_ctr_config *c;

		if (ctr_config(&l.v[i], e) == -1)
			return -1;
		c = l.v[i].config;
		if (c->user_ns == NULL || !text_has_prefix(c->user_ns, "auto"))
			continue;
		for (size_t k = 0; k < c->uid_map.n; k++)
			*SPEC_PUSH(a, uids) = c->uid_map.v[k];
		for (size_t k = 0; k < c->gid_map.n; k++)
			*SPEC_PUSH(a, gids) = c->gid_map.v[k];
	}
	return 0;
}

/* Root gives out the ranges of a user made for it; an ordinary user all it has but its own id. */
static int
available_ids(struct ctx *x, const char *file, const char *proc, struct id_map *out,
    struct arena *a, struct err *e)
{
	struct idmap *m = arena_alloc(a, sizeof(*m));

	if (x->rootless.user) {
		if (idmap_read(proc, m, e) == -1)
			return -1;
		for (size_t i = 0; i < m->n; i++)
			*SPEC_PUSH(a, out) =
			    (struct rec_id_range){.outside = m->v[i].inside + (m->v[i].inside == 0),
				.count = m->v[i].count - (m->v[i].inside == 0)};
		return 0;
	}
	if (idmap_subordinate(file, AUTO_USER, UINT32_MAX, m, e) == -1)
		return -1;
	if (m->n == 0) {
		err_set(e, ERR_INVALID,
		    "creating a user namespace: no ranges found for user \"" AUTO_USER "\" in %s",
		    file);
		return err_hint(
		    e, "Add a line " AUTO_USER ":FIRST:COUNT to /etc/subuid and /etc/subgid.");
	}
	for (size_t i = 0; i < m->n; i++)
		*SPEC_PUSH(a, out) =
		    (struct rec_id_range){.outside = m->v[i].outside, .count = m->v[i].count};
	return 0;
}

/* A number in "USER[:GROUP]" must have its place. */
static uint64_t
size_for(const struct rec_ctr_config *c)
{
	char *copy = xstrdup(c->user != NULL ? c->user : "");
	own_mem char *owned = copy;
	uint64_t size = AUTO_MIN, id;

	for (char *part; (part = strsep(&copy, ":")) != NULL;)
		if (text_to_u64(part, AUTO_MAX - 2, &id) == 0 && id + 2 > size)
			size = id + 2;
	return size;
}

static int
choose(struct ctx *x, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct id_map used_u = {0}, used_g = {0}, have_u = {0}, have_g = {0}, uids, gids;
	struct spec_userns_auto q;
	struct db *db = ctx_db(x, e);

	if (db == NULL || spec_userns_auto(c, &q, a, e) == -1 ||
	    used_ids(db, &used_u, &used_g, a, e) == -1 ||
	    available_ids(x, "/etc/subuid", "/proc/self/uid_map", &have_u, a, e) == -1 ||
	    available_ids(x, "/etc/subgid", "/proc/self/gid_map", &have_g, a, e) == -1)
		return -1;
	if (q.size == 0)
		q.size = size_for(c);
	if (spec_userns_choose(&have_u, &used_u, q.size, &q.uids, &uids, a, e) == -1 ||
	    spec_userns_choose(&have_g, &used_g, q.size, &q.gids, &gids, a, e) == -1)
		return -1;
	SET_MAP(&c->uid_map, &uids);
	SET_MAP(&c->gid_map, &gids);
	return 0;
}

/* --- ns:PATH ----------------------------------------------------------------------------------------*/

/* In the child: enters the namespace and stays in it until it is killed. */
static void
stay_in(int ns, int ready)
{
	char byte = setns(ns, CLONE_NEWUSER) == 0 ? 0 : (char)errno;

	(void)!write(ready, &byte, 1);
	pause();
	_exit(0);
}

static int
read_maps(pid_t pid, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct idmap *m = arena_alloc(a, sizeof(*m));
	struct id_map uids = {0}, gids = {0};

	if (idmap_read(arena_printf(a, "/proc/%d/uid_map", (int)pid), m, e) == -1)
		return -1;
	for (size_t i = 0; i < m->n; i++)
		*SPEC_PUSH(a, &uids) = (struct rec_id_range){
		    .inside = m->v[i].inside, .outside = m->v[i].outside, .count = m->v[i].count};
	if (idmap_read(arena_printf(a, "/proc/%d/gid_map", (int)pid), m, e) == -1)
		return -1;
	for (size_t i = 0; i < m->n; i++)
		*SPEC_PUSH(a, &gids) = (struct rec_id_range){
		    .inside = m->v[i].inside, .outside = m->v[i].outside, .count = m->v[i].count};
	SET_MAP(&c->uid_map, &uids);
	SET_MAP(&c->gid_map, &gids);
	return 0;
}

/*
 * The kernel shows the map of a namespace only by a process that is in it.  Safe because the child does
 * nothing there but wait, and the kernel lets us in only if the namespace is ours.
 */
static int
maps_of_path(struct rec_ctr_config *c, const char *path, struct arena *a, struct err *e)
{
	own_fd int ns = open(path, O_RDONLY | O_CLOEXEC), in = -1, out = -1;
	int fds[2], rc = -1;
	char byte = EIO;
	pid_t pid;

	if (ns == -1)
		return err_sys(e, "opening user namespace %s", path);
	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	in = fds[0];
	out = fds[1];
	pid = fork();
	if (pid == -1)
		return err_sys(e, "starting a process");
	if (pid == 0)
		stay_in(ns, out);
	fd_close(&out);
	if (file_get(in, &byte, 1) == 1 && byte == 0) {
		rc = read_maps(pid, c, a, e);
	} else {
		errno = byte;
		err_sys(e, "joining user namespace %s", path);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return rc;
}

/* --- All --------------------------------------------------------------------------------------------*/

static int
maps_of_container(
    struct ctx *x, struct rec_ctr_config *c, const char *id, struct arena *a, struct err *e)
{
	own_ctr struct ctr other = {0};
	struct id_map uids = {0}, gids = {0};
	struct db *db = ctx_db(x, e);

	if (db == NULL || ctr_load(db, id, &other, e) == -1 || ctr_config(&other, e) == -1)
		return -1;
	add_map(&uids, other.config->uid_map.v, other.config->uid_map.n, a);
	add_map(&gids, other.config->gid_map.v, other.config->gid_map.n, a);
	SET_MAP(&c->uid_map, &uids);
	SET_MAP(&c->gid_map, &gids);
	return 0;
}

int
usermap_resolve(struct ctx *x, struct rec_ctr_config *c, int *lock, struct arena *a, struct err *e)
{
	const char *mode = c->user_ns != NULL ? c->user_ns : "host";

	if (text_has_prefix(mode, "ns:"))
		return maps_of_path(c, mode + 3, a, e);
	if (text_has_prefix(mode, "container:"))
		return maps_of_container(x, c, mode + strlen("container:"), a, e);
	if (!text_has_prefix(mode, "auto"))
		return 0;
	*lock = lock_acquire(x->lock_fd, "userns", LOCK_EXCLUSIVE, LOCK_WAIT, e);
	return *lock == -1 ? -1 : choose(x, c, a, e);
}
