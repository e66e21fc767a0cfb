/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/sha256.h"
#include "common/base/text.h"
#include "common/oci/manifest.h"
#include "pod-run/cmd/image_json.h"
#include "pod-run/cmd/image_make.h"

int
image_make_stage(struct ctx *x, uint64_t *stage, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_stage_begin begin = {0};
	struct peer *store = ctx_store(x, e);

	if (store == NULL ||
	    peer_call(store, &msg_stage_begin_desc, &begin, &in, NULL, NULL, e) == -1)
		return -1;
	*stage = MSG_OF(&in, stage_begun)->stage;
	return 0;
}

/* --- Configuration (OCI image specification, "Image Configuration") --------------------------------*/

static json_t *
process(const struct image_make *m)
{
	json_t *o = image_json_config(m->config);

	if (m->docker) {
		image_json_put_health(o, m->config->health);
		image_json_put_list(o, "Shell", &m->config->shell);
	}
	return o;
}

/* What only Docker's form tells of where it came from. */
static void
put_origin(json_t *o, const struct image_make *m)
{
	image_json_put_text(o, "comment", m->comment);
	if (m->container != NULL) {
		json_put_str(o, "container", m->container);
		json_put_take(o, "container_config", process(m));
	}
	if (m->parent != NULL) {
		own_mem char *parent = xasprintf("sha256:%s", m->parent);

		json_put_str(o, "parent", parent);
	}
}

static char *
config_text(const struct image_make *m)
{
	const struct rec_image_config *c = m->config;
	own_json json_t *o = json_obj();
	json_t *fs, *ids;

	image_json_put_text(o, "created", c->created);
	image_json_put_text(o, "author", c->author);
	image_json_put_text(o, "architecture", c->architecture);
	image_json_put_text(o, "variant", c->variant);
	image_json_put_text(o, "os", c->os);
	json_put_take(o, "config", process(m));
	if (m->docker)
		put_origin(o, m);
	fs = json_put_obj(o, "rootfs");
	json_put_str(fs, "type", "layers");
	ids = json_put_arr(fs, "diff_ids");
	for (size_t i = 0; i < c->diff_ids.n; i++)
		json_add_str(ids, c->diff_ids.v[i]);
	json_put_take(o, "history", image_json_history(c));
	return json_text(o);
}

/* --- Manifest -------------------------------------------------------------------------------------*/

/* The same form of layer in the words of the other kind of manifest. */
static const char *
layer_type(const struct image_make *m, const struct rec_layer_ref *l)
{
	static const char *const types[][2] = {
	    [MANIFEST_LAYER_TAR] = {MANIFEST_TYPE_OCI_LAYER, MANIFEST_TYPE_DOCKER_LAYER},
	    [MANIFEST_LAYER_GZIP] = {MANIFEST_TYPE_OCI_LAYER "+gzip",
		MANIFEST_TYPE_DOCKER_LAYER ".gzip"},
	    [MANIFEST_LAYER_ZSTD] = {MANIFEST_TYPE_OCI_LAYER "+zstd",
		MANIFEST_TYPE_DOCKER_LAYER ".zstd"},
	};
	enum manifest_layer_form form =
	    l->media_type != NULL ? manifest_layer_form(l->media_type) : MANIFEST_LAYER_TAR;

	return form == MANIFEST_LAYER_UNKNOWN ? l->media_type : types[form][m->docker];
}

static void
put_descriptor(json_t *o, const char *type, const char *digest, uint64_t size)
{
	json_put_str(o, "mediaType", type);
	json_put_int(o, "size", (int64_t)size);
	json_put_str(o, "digest", digest);
}

static char *
manifest_text(const struct image_make *m, const char *config)
{
	own_json json_t *o = json_obj();
	char digest[7 + SHA256_HEX] = "sha256:";
	json_t *layers;

	sha256_hex(config, strlen(config), digest + 7);
	json_put_int(o, "schemaVersion", 2);
	json_put_str(o, "mediaType", m->docker ? MANIFEST_TYPE_DOCKER : MANIFEST_TYPE_OCI);
	put_descriptor(json_put_obj(o, "config"),
	    m->docker ? MANIFEST_TYPE_DOCKER_CONFIG : MANIFEST_TYPE_OCI_CONFIG, digest,
	    strlen(config));
	layers = json_put_arr(o, "layers");
	for (size_t i = 0; i < m->layers_n; i++)
		put_descriptor(json_add_obj(layers), layer_type(m, &m->layers[i]),
		    m->layers[i].digest, m->layers[i].size);
	if (m->annotations_n > 0) {
		json_t *map = json_put_obj(o, "annotations");

		for (size_t i = 0; i < m->annotations_n; i++)
			json_put_str(map, m->annotations[i].key, m->annotations[i].value);
	}
	return json_text(o);
}

int
image_make(struct ctx *x, struct image_make *m, struct peer_in *in, struct err *e)
{
	own_mem char *config = NULL, *manifest = NULL;
	own_arena struct arena a = {0};
	struct msg_image_commit c = {.stage = m->stage,
	    .names = {&m->name, m->name != NULL},
	    .media_type = m->docker ? MANIFEST_TYPE_DOCKER : MANIFEST_TYPE_OCI,
	    .parsed = m->config};

	m->config->diff_ids.v = arena_array(&a, m->layers_n + 1, sizeof(*m->config->diff_ids.v));
	m->config->diff_ids.n = m->layers_n;
	c.layers.v = arena_array(&a, m->layers_n + 1, sizeof(*c.layers.v));
	c.layers.n = m->layers_n;
	for (size_t i = 0; i < m->layers_n; i++) {
		m->config->diff_ids.v[i] = m->layers[i].diff_id;
		c.layers.v[i] = m->layers[i];
		c.layers.v[i].media_type = layer_type(m, &m->layers[i]);
	}
	config = config_text(m);
	manifest = manifest_text(m, config);
	c.config = (struct bytes){(const uint8_t *)config, strlen(config)};
	c.manifest = (struct bytes){(const uint8_t *)manifest, strlen(manifest)};
	return peer_call(ctx_store(x, e), &msg_image_commit_desc, &c, in, NULL, NULL, e);
}
