/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "pod-image/graph.h"
#include "pod-image/source.h"

static int
take_layers(struct image *i, const struct graph_image *g, struct err *e)
{
	if (g->nlayers != i->manifest.nlayers)
		return err_set(e, ERR_FORMAT, "the image has %zu layers there, by its manifest %zu",
		    g->nlayers, i->manifest.nlayers);
	i->npieces = g->nlayers;
	i->pieces = arena_array(&i->arena, i->npieces + 1, sizeof(*i->pieces));
	for (size_t k = 0; k < i->npieces; k++) {
		struct piece *p = &i->pieces[k];

		p->from = i->manifest.layers[k];
		p->diff_id = i->parsed.diff_ids.v[k];
		p->name = arena_strdup(&i->arena, g->layers[k].id);
		p->tar_size = g->layers[k].tar_size;
		p->plain = strcmp(p->from.digest, p->diff_id) != 0;
	}
	return 0;
}

static int
graph_image(struct source *s, struct image *i, struct err *e)
{
	own_graph_image struct graph_image g = {0};
	struct bytes b;

	if (graph_read(s->load, &g, e) < 0)
		return -1;
	i->doc = g.manifest;
	i->config = g.config;
	memset(&g.manifest, 0, sizeof(g.manifest));
	memset(&g.config, 0, sizeof(g.config));
	i->signatures = g.signatures;
	memset(&g.signatures, 0, sizeof(g.signatures));
	b = document_bytes(&i->doc);
	document_check(&i->doc, NULL, i->digest, e);
	if (manifest_parse((const char *)b.p, b.n, i->doc.media_type, &i->manifest, e) < 0 ||
	    load_trust(s->load, i->digest, &i->signatures, e) < 0)
		return -1;
	b = document_bytes(&i->config);
	i->is_image = true;
	if (manifest_config((const char *)b.p, b.n, i->manifest.nlayers, &i->parsed, &i->arena, e) <
	    0)
		return -1;
	return take_layers(i, &g, e);
}

static int
graph_layer(
    struct source *s, const struct piece *p, bool tar, int stream, uint32_t *seq, struct err *e)
{
	(void)tar;
	return graph_ask(s->load, p->name, stream, seq, e);
}

static const struct source_ops graph_ops = {.image = graph_image, .ask = graph_layer};

void
source_graph(struct source *s, struct load *l)
{
	*s = (struct source){.ops = &graph_ops,
	    .peer = l->worker,
	    .request = &msg_graph_layer_desc,
	    .tars = true,
	    .load = l};
}
