/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/oci/manifest.h"
#include "pod-run/cmd/image_json.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/life/document.h"

static json_t *
config(const struct rec_image_config *c)
{
	json_t *o = image_json_config(c);

	image_json_put_list(o, "Shell", &c->shell);
	return o;
}

char *
inspect_layer_path(const struct ctx *x, const char *layer)
{
	char *path = xasprintf("%s/layers/%s/erofs", x->graph_root, layer);

	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return xasprintf("%s/layers/%s/diff", x->graph_root, layer);
}

/* Where the content of the top layer lies, and of those below. */
static void
put_driver(json_t *o, const struct ctx *x, const struct rec_image *im)
{
	json_t *driver = json_put_obj(o, "GraphDriver"), *data;
	own_strbuf struct strbuf lower = {0};

	json_put_str(driver, "Name", "overlay");
	data = json_put_obj(driver, "Data");
	for (size_t i = im->layers.n; i > 1; i--) {
		own_mem char *path = inspect_layer_path(x, im->layers.v[i - 2]);

		strbuf_addf(&lower, "%s%s", lower.n > 0 ? ":" : "", path);
	}
	if (lower.n > 0)
		json_put_str(data, "LowerDir", lower.s);
	if (im->layers.n > 0) {
		own_mem char *upper = inspect_layer_path(x, im->layers.v[im->layers.n - 1]);

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
	const char *comment = last != NULL ? last->comment : NULL;
	json_t *o = json_obj(), *fs;

	/* Only Docker's configurations have a place for it; in others it is that of the last step. */
	if (im->media_type != NULL && strcmp(im->media_type, MANIFEST_TYPE_DOCKER) == 0)
		comment = c->comment;
	json_put_str(o, "Id", im->id);
	json_put_str(o, "Digest", inspect_or(im->digest, ""));
	json_put_take(o, "RepoTags", inspect_strs(&im->names));
	json_put_take(o, "RepoDigests", inspect_strs(&im->repo_digests));
	json_put_str(o, "Parent", parent != NULL ? parent->id : "");
	json_put_str(o, "Comment", inspect_or(comment, ""));
	put_created(o, im);
	json_put_take(o, "Config", config(c));
	json_put_str(o, "Version", "");
	json_put_str(o, "Author", inspect_or(c->author, ""));
	json_put_str(o, "Architecture", inspect_or(c->architecture, ""));
	image_json_put_text(o, "Variant", c->variant);
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
	json_put_take(o, "History", image_json_history(c));
	json_put_take(o, "NamesHistory", inspect_strs(&im->past_names));
	image_json_put_health(o, c->health);
	return o;
}

/* Those of the manifest. */
static void
put_annotations(json_t *o, struct ctx *x, const struct rec_image *im)
{
	struct msg_image_blob m = {.image = im->id, .kind = "manifest"};
	own_peer_in struct peer_in in = {0}, read = {0};
	const struct msg_annotations_got *got;
	struct err ignored = {0};

	if (peer_call(ctx_store(x, &ignored), &msg_image_blob_desc, &m, &in, NULL, NULL,
		&ignored) == -1 ||
	    document_annotations(&MSG_OF(&in, image_blob_r)->data, &read, &ignored) == -1 ||
	    read.msg == NULL)
		return;
	got = MSG_OF(&read, annotations_got);
	if (got->annotations.n > 0)
		json_object_set_new(
		    o, "Annotations", inspect_kvs(got->annotations.v, got->annotations.n));
}

int
inspect_image(struct ctx *x, const char *word, bool size, json_t **out, struct err *e)
{
	own_peer_in struct peer_in in = {0}, all = {0};
	const struct rec_image *im;

	(void)size;
	if (image_row_find(x, word, &in, e) == -1 ||
	    image_row_list(x, true, IMAGE_ROW_CONFIGS, &all, e) == -1)
		return -1;
	im = MSG_OF(&in, image_got)->image;
	*out = describe(x, im, image_row_parent(MSG_OF(&all, image_listed), im));
	put_annotations(*out, x, im);
	return 0;
}
