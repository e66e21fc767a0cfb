/* SPDX-License-Identifier: ISC */
#include "pod-net/backend.h"

#include <string.h>

#include "common/base/own.h"
#include "pod-net/attach.h"
#include "pod-net/bridge.h"
#include "pod-net/cni.h"
#include "pod-net/conflist.h"
#include "pod-net/create.h"
#include "pod-net/net.h"
#include "pod-net/rootless.h"

int
backend_find(const char *word, const struct backend **out, struct err *e)
{
	*out = &backend_native;
	if (strcmp(word, "cni") == 0)
		*out = &backend_cni;
	else if (word[0] != '\0' && strcmp(word, "netavark") != 0)
		return err_set(e, ERR_INVALID,
		    "unsupported network backend \"%s\": it is netavark or cni", word);
	return 0;
}

/* --- Ours ----------------------------------------------------------------------------------------- */

static int
native_list(struct net *n, const char *dir, struct network_list *out, struct err *e)
{
	return network_list(dir, &n->fallback, out, e);
}

static int
native_find(struct net *n, const char *dir, const char *name, struct rec_network *out,
    struct arena *a, struct err *e)
{
	if (n->given != NULL)
		return network_pick(n->given, name, out, a, e);
	return network_find(dir, &n->fallback, name, out, a, e);
}

static int
native_check(struct net *n, const char *dir, const char *name, struct err *e)
{
	return n->given != NULL ? 0 : network_check(dir, &n->fallback, name, e);
}

static int
native_write(struct net *n, const char *dir, const struct rec_network *x, struct err *e)
{
	(void)n;
	return create_write(dir, x, e);
}

static int
native_remove(struct net *n, const char *dir, const char *name, struct err *e)
{
	(void)n;
	return create_remove(dir, name, e);
}

const struct backend backend_native = {
    .name = "netavark",
    .config_dir = "/etc/containers/networks",
    .prefix = "podman",
    .list = native_list,
    .find = native_find,
    .check = native_check,
    .write = native_write,
    .remove = native_remove,
    .drivers = driver_names,
    .plan = attach_native_plan,
    .take = attach_native_take,
    .links = attach_native_links,
    .give = attach_native_give,
    .leave = attach_native_leave,
};

/* --- CNI ------------------------------------------------------------------------------------------ */

static int
cni_list(struct net *n, const char *dir, struct network_list *out, struct err *e)
{
	return conflist_list(dir, &n->cni_dirs, &n->fallback, out, e);
}

static int
cni_find(struct net *n, const char *dir, const char *name, struct rec_network *out, struct arena *a,
    struct err *e)
{
	return conflist_find(dir, &n->cni_dirs, &n->fallback, name, out, a, e);
}

static int
cni_check(struct net *n, const char *dir, const char *name, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_network x;

	return cni_find(n, dir, name, &x, &a, e);
}

static int
cni_write(struct net *n, const char *dir, const struct rec_network *x, struct err *e)
{
	(void)n;
	return conflist_write(dir, x, e);
}

static int
cni_remove(struct net *n, const char *dir, const char *name, struct err *e)
{
	(void)n;
	return conflist_remove(dir, name, e);
}

static int
cni_nothing(struct attach *t, struct err *e)
{
	(void)t;
	(void)e;
	return 0;
}

static struct cni_join
join_of(const struct attach *t)
{
	return (struct cni_join){.n = t->n,
	    .id = t->id,
	    .name = t->name,
	    .netns = t->netns,
	    .dir = t->dir,
	    .attach = t->asked,
	    .nattach = t->nasked,
	    .ports = t->ports,
	    .state = t->state,
	    .a = t->a};
}

static int
cni_take(struct attach *t, struct err *e)
{
	struct cni_join j = join_of(t);

	t->first = t->state->networks.n;
	if (cni_plan(&j, e) == 0)
		return 0;
	t->state->networks.n = t->first;
	return -1;
}

static int
cni_links(struct attach *t, struct err *e)
{
	struct cni_join j = join_of(t);

	/* What CNI leaves to a plug-in of its own, which lists do not name. */
	if (bridge_loopback(t->n->home, t->netns, e) != 0 ||
	    (t->n->rootless && rootless_keep_for(t->n, t->netns, e) != 0) ||
	    cni_add(&j, t->first, e) != 0)
		return -1;
	return attach_rewrite(t, e);
}

static void
cni_give(struct attach *t)
{
	t->state->networks.n = t->first;
}

const struct backend backend_cni = {
    .name = "cni",
    .config_dir = "/etc/cni/net.d",
    .user_dir = "cni/net.d",
    .prefix = "cni-podman",
    .ports_by_themselves = true,
    .list = cni_list,
    .find = cni_find,
    .check = cni_check,
    .write = cni_write,
    .remove = cni_remove,
    .drivers = driver_names,
    .plan = cni_nothing,
    .take = cni_take,
    .links = cni_links,
    .give = cni_give,
    .leave = cni_delete,
};
