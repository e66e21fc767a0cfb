/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/inspect.h"

static void
put_strings(json_t *o, const char *key, const struct strs *l)
{
	if (l->n > 0)
		json_put_take(o, key, inspect_strs(l));
}

static void
put_word(json_t *o, const char *key, const char *s)
{
	if (s != NULL && *s != '\0')
		json_put_str(o, key, s);
}

/* {"80/tcp": {}}: what the specification writes for a set. */
static void
put_set(json_t *o, const char *key, const struct strs *l)
{
	json_t *set;

	if (l->n == 0)
		return;
	set = json_put_obj(o, key);
	for (size_t i = 0; i < l->n; i++)
		json_put_obj(set, l->v[i]);
}

static json_t *
config(const struct rec_image_config *c)
{
	json_t *o = json_obj();

	put_word(o, "User", c->user);
	put_set(o, "ExposedPorts", &c->exposed_ports);
	put_strings(o, "Env", &c->env);
	put_strings(o, "Entrypoint", &c->entrypoint);
	put_strings(o, "Cmd", &c->cmd);
	put_set(o, "Volumes", &c->volumes);
	put_word(o, "WorkingDir", c->working_dir);
	if (c->labels.n > 0)
		json_put_take(o, "Labels", inspect_kvs(c->labels.v, c->labels.n));
	put_word(o, "StopSignal", c->stop_signal);
	put_strings(o, "OnBuild", &c->on_build);
	put_strings(o, "Shell", &c->shell);
	return o;
}

static json_t *
history(const struct rec_image_config *c)
{
	json_t *a = json_arr();

	for (size_t i = 0; i < c->history.n; i++) {
		const struct rec_history *h = &c->history.v[i];
		json_t *o = json_add_obj(a);

		put_word(o, "created", h->created);
		put_word(o, "created_by", h->created_by);
		put_word(o, "author", h->author);
		put_word(o, "comment", h->comment);
		if (h->empty_layer)
			json_put_bool(o, "empty_layer", true);
	}
	return a;
}

static void
put_health(json_t *o, const struct rec_health *h)
{
	json_t *j;

	if (h == NULL || h->test.n == 0)
		return;
	j = json_put_obj(o, "Healthcheck");
	put_strings(j, "Test", &h->test);
	if (h->start_period != 0)
		json_put_int(j, "StartPeriod", h->start_period);
	if (h->start_interval != 0)
		json_put_int(j, "StartInterval", h->start_interval);
	if (h->interval != 0)
		json_put_int(j, "Interval", h->interval);
	if (h->timeout != 0)
		json_put_int(j, "Timeout", h->timeout);
	if (h->retries != 0)
		json_put_int(j, "Retries", (int64_t)h->retries);
}

/* Where the content of the top layer lies, and of those below. */
static void
put_driver(json_t *o, const struct ctx *x, const struct rec_image *im)
{
	json_t *driver = json_put_obj(o, "GraphDriver"), *data;
	own_strbuf struct strbuf lower = {0};

	json_put_str(driver, "Name", "overlay");
	data = json_put_obj(driver, "Data");
	for (size_t i = im->layers.n; i > 1; i--)
		strbuf_addf(&lower, "%s%s/layers/%s/diff", lower.n > 0 ? ":" : "", x->graph_root,
		    im->layers.v[i - 2]);
	if (lower.n > 0)
		json_put_str(data, "LowerDir", lower.s);
	if (im->layers.n > 0) {
		own_mem char *upper =
		    xasprintf("%s/layers/%s/diff", x->graph_root, im->layers.v[im->layers.n - 1]);

		json_put_str(data, "UpperDir", upper);
	}
}

static void
put_created(json_t *o, const struct rec_image *im)
{
	char created[HUMAN_MAX];

	human_rfc3339nano_utc(im->created_ns, created, sizeof(created));
	json_put_str(o, "Created", created);
}

static json_t *
describe(const struct ctx *x, const struct rec_image *im, const struct rec_image *parent)
{
	static const struct rec_image_config none;
	const struct rec_image_config *c = im->config != NULL ? im->config : &none;
	const struct rec_history *last = c->history.n > 0 ? &c->history.v[c->history.n - 1] : NULL;
	json_t *o = json_obj(), *fs;

	json_put_str(o, "Id", im->id);
	json_put_str(o, "Digest", inspect_or(im->digest, ""));
	json_put_take(o, "RepoTags", inspect_strs(&im->names));
	json_put_take(o, "RepoDigests", inspect_strs(&im->repo_digests));
	json_put_str(o, "Parent", parent != NULL ? parent->id : "");
	json_put_str(o, "Comment", last != NULL && last->comment != NULL ? last->comment : "");
	put_created(o, im);
	json_put_take(o, "Config", config(c));
	json_put_str(o, "Version", "");
	json_put_str(o, "Author", inspect_or(c->author, ""));
	json_put_str(o, "Architecture", inspect_or(c->architecture, ""));
	put_word(o, "Variant", c->variant);
	json_put_str(o, "Os", inspect_or(c->os, ""));
	json_put_int(o, "Size", (int64_t)im->size);
	json_put_int(o, "VirtualSize", (int64_t)im->size);
	put_driver(o, x, im);
	fs = json_put_obj(o, "RootFS");
	json_put_str(fs, "Type", "layers");
	json_put_take(fs, "Layers", inspect_strs(&c->diff_ids));
	json_put_take(
	    o, "Labels", c->labels.n > 0 ? inspect_kvs(c->labels.v, c->labels.n) : json_null());
	json_put_obj(o, "Annotations");
	json_put_str(o, "ManifestType", inspect_or(im->media_type, ""));
	json_put_str(o, "User", inspect_or(c->user, ""));
	json_put_take(o, "History", history(c));
	json_put_take(o, "NamesHistory", inspect_strs(&im->names));
	put_health(o, c->health);
	return o;
}

int
inspect_image(struct ctx *x, const char *word, bool size, json_t **out, struct err *e)
{
	own_peer_in struct peer_in in = {0}, all = {0};
	const struct rec_image *im;

	(void)size;
	if (image_row_find(x, word, &in, e) == -1 || image_row_list(x, true, true, &all, e) == -1)
		return -1;
	im = MSG_OF(&in, image_got)->image;
	*out = describe(x, im, image_row_parent(MSG_OF(&all, image_listed), im));
	return 0;
}
