/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/stream.h"
#include "pod-store/client.h"
#include "pod-store/convert.h"
#include "pod-store/layout.h"

static int
image_layers_of(struct peer *p, const char *image, struct strv *out, struct err *e)
{
	own(peer_in_free) struct peer_in got = {0};
	const struct strs *layers;

	if (client_image(p, image, &got, e) == -1)
		return -1;
	layers = &MSG_OF(&got, image_got)->image->layers;
	for (size_t i = 0; i < layers->n; i++)
		if (strv_find(out, layers->v[i]) == out->n)
			strv_add(out, layers->v[i]);
	return 0;
}

static int
all_layers(struct peer *p, struct strv *out, struct err *e)
{
	own(peer_in_free) struct peer_in in = {0};
	struct msg_image_list m = {.all = true};
	const struct msg_image_listed *l;

	if (CLIENT_CALL(p, image_list, &m, &in) == -1)
		return -1;
	l = MSG_OF(&in, image_listed);
	for (size_t i = 0; i < l->images.n; i++)
		if (!l->images.v[i].read_only &&
		    image_layers_of(p, l->images.v[i].id, out, e) == -1)
			return -1;
	return 0;
}

/* out takes the layer in, in its layout for new ones, as from gives it. */
static int
take_anew(struct peer *from, struct peer *to, uint64_t stage, const char *layer, struct err *e)
{
	own(peer_in_free) struct peer_in got = {0}, put = {0};
	struct rec_layer_ref any = {.diff_id = ""};
	struct msg_layer_put m = {.stage = stage, .layer = &any};
	struct msg_layer_get g = {.layer = layer};
	own_fd int in = -1, out = -1;
	struct err later = {0};
	uint32_t seq = peer_next_seq(to);
	int ends[2], r;

	if (stream_pair(ends, e) == -1)
		return -1;
	in = ends[0];
	out = ends[1];
	m.stream = in;
	g.stream = out;
	if (peer_send(to, &msg_layer_put_desc, seq, &m, e) == -1)
		return -1;
	fd_close(&in);
	r = peer_call(from, &msg_layer_get_desc, &g, &got, NULL, NULL, e);
	fd_close(&out);
	if (peer_wait(to, &msg_layer_put_desc, seq, &put, NULL, NULL, r == 0 ? e : &later) == -1)
		r = -1;
	return r;
}

/* 0, also if the layer is left as it is, with the reason on standard error. */
static int
convert(struct peer *from, struct peer *to, const char *layer, size_t *left, struct err *e)
{
	own(peer_in_free) struct peer_in begun = {0}, done = {0};
	struct msg_stage_begin begin = {0};
	struct msg_layer_exchange m = {.layer = layer};
	struct err why = {0};

	if (CLIENT_CALL(to, stage_begin, &begin, &begun) == -1)
		return -1;
	m.stage = MSG_OF(&begun, stage_begun)->stage;
	if (take_anew(from, to, m.stage, layer, &why) == 0 &&
	    peer_call(to, &msg_layer_exchange_desc, &m, &done, NULL, NULL, &why) == 0) {
		printf("%s\n", layer);
		return 0;
	}
	if (why.class != ERR_STATE && why.class != ERR_UNSUPPORTED) {
		*e = why;
		return err_wrap(e, "converting layer %.12s", layer);
	}
	fprintf(stderr, "layer %.12s stays as it is: %s\n", layer, why.text);
	(*left)++;
	return 0;
}

static int
run_convert(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	struct command_globals *g = ctx->globals;
	own_peer struct peer *from = NULL, *to = NULL;
	own_strv struct strv layers = {0};
	enum layout layout;
	size_t left = 0;
	int r = 0;

	(void)opts;
	if (layout_parse(argv[0], &layout, e) == -1)
		return -1;
	/* The last word counts. */
	strv_addf(&g->storage_opt, "overlay.layout=%s", argv[0]);
	from = client_connect(ctx, e);
	to = from != NULL ? client_connect(ctx, e) : NULL;
	if (to == NULL)
		return -1;
	for (int i = 1; i < argc && r == 0; i++)
		r = image_layers_of(from, argv[i], &layers, e);
	if (r == 0 && argc == 1)
		r = all_layers(from, &layers, e);
	for (size_t i = 0; i < layers.n && r == 0; i++)
		r = convert(from, to, layers.v[i], &left, e);
	if (r == 0 && left > 0)
		return err_set(e, ERR_STATE, "%zu of %zu layers stay as they are", left, layers.n);
	return r;
}

const struct cmd convert_cmd = {
    .name = "convert",
    .synopsis = "LAYOUT [IMAGE...]",
    .brief = "Keep the layers of images in another layout",
    .examples = "convert erofs\nconvert dir localhost/app",
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .run = run_convert,
};
