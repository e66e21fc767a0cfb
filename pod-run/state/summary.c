/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "pod-run/state/summary.h"

void
summary_args(const struct rec_ctr_config *c, struct strv *out)
{
	if (c->init) {
		strv_add(out, "/run/podman-init");
		strv_add(out, "--");
	}
	strv_add_all(out, c->entrypoint.v, c->entrypoint.n);
	strv_add_all(out, c->command.v, c->command.n);
}

bool
summary_networks(const struct rec_ctr_config *c, struct strv *out)
{
	if (c->network_mode != NULL && strcmp(c->network_mode, "bridge") != 0)
		return false;
	for (size_t i = 0; i < c->networks.n; i++)
		strv_add(out, c->networks.v[i].network);
	return c->networks.n == 0 && !c->networks_set;
}

static struct strs
keep(const struct strv *l, struct arena *a)
{
	const char **v = arena_array(a, l->n, sizeof(*v));

	for (size_t i = 0; i < l->n; i++)
		v[i] = arena_strdup(a, l->v[i]);
	return (struct strs){.v = v, .n = l->n};
}

static struct strs
shown_mounts(const struct rec_ctr_config *c, struct arena *a)
{
	const char **v = arena_array(a, c->mounts.n, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < c->mounts.n; i++)
		if (!c->mounts.v[i].implied)
			v[n++] = c->mounts.v[i].target;
	return (struct strs){.v = v, .n = n};
}

void
summary_make(const struct rec_ctr_config *c, struct rec_ctr_summary *out, struct arena *a)
{
	own_strv struct strv args = {0}, networks = {0};

	memset(out, 0, sizeof(*out));
	summary_args(c, &args);
	out->default_network = summary_networks(c, &networks);
	out->networks = keep(&networks, a);
	out->args = keep(&args, a);
	out->init = c->init;
	out->image_name = c->image_name;
	out->remove = c->remove;
	out->cid_file = c->cid_file;
	out->labels.v = c->labels.v;
	out->labels.n = c->labels.n;
	out->ports.v = c->ports.v;
	out->ports.n = c->ports.n;
	out->expose = c->expose;
	out->mounts = shown_mounts(c, a);
	out->health = c->health != NULL && c->health->test.n > 0;
}
