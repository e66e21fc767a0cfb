/* SPDX-License-Identifier: ISC */
/*
 * pod-store-index: the worker that reads what images lie in a graph root of containers/storage, an additional
 * image store.  It sees that directory only, and cannot change it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/oci/graph.h"
#include "common/oci/names.h"
#include "common/oci/reference.h"
#include "common/wire/worker.h"
#include "pod-store/layer_id.h"

#define IMAGES_MAX 65536 /* what a message carries */
#define NAMES_MAX 1024
#define FLAG_MAX 16
#define COPIES ": pod pull containers-storage: copies it"

struct index {
	struct graph_files files;
	json_t *images, *layers;
};

static int
read_file(void *arg, const char *name, uint64_t max, struct strbuf *out, struct err *e)
{
	own_fd int fd =
	    path_open_regular(ROLE_VIEW_FD_NUMBER, name, PATH_PLAIN, (off_t)max, NULL, e);
	own_mem char *text = NULL;
	size_t n;

	(void)arg;
	if (fd == -1 || file_slurp(fd, max, name, &text, &n, e) == -1)
		return -1;
	strbuf_addn(out, text, n);
	return 0;
}

/* A store that nothing was put into yet has no lists. */
static json_t *
read_list(const struct index *x, const char *kind, struct err *e)
{
	json_t *j = graph_list(&x->files, kind, e);

	if (j != NULL || e->no != ENOENT)
		return j;
	err_clear(e);
	return json_arr();
}

/* Whiteouts that no kernel knows: the flag is of the store's own making. */
static int
check_program(const struct index *x, struct err *e)
{
	own_strbuf struct strbuf flag = {0};

	if (x->files.read(NULL, "overlay/.has-mount-program", FLAG_MAX, &flag, e) == -1) {
		if (e->no != ENOENT)
			return -1;
		err_clear(e);
		return 0;
	}
	return strncmp(flag.s != NULL ? flag.s : "", "true", 4) == 0
		   ? err_set(e, ERR_UNSUPPORTED,
			 "its layers are made for a mount program (fuse-overlayfs)")
		   : 0;
}

static int
on_open(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct index *x = arg;
	own_json json_t *layers = NULL;
	struct msg_index_opened out;

	if (check_program(x, e) == -1)
		return -1;
	x->images = read_list(x, "images", e);
	if (x->images == NULL)
		return -1;
	out.images = json_array_size(x->images);
	if (out.images > IMAGES_MAX)
		return err_set(e, ERR_LIMIT, "it has too many images");
	layers = read_list(x, "layers", e);
	if (layers == NULL)
		return -1;
	x->layers = graph_by_id(layers);
	return peer_send(p, &msg_index_opened_desc, in->seq, &out, e);
}

/* --- One image -------------------------------------------------------------------------------- */

/* A name that is none here is left out. */
static int
take_names(const json_t *image, struct msg_image_commit *out, struct arena *a, struct err *e)
{
	own_strv struct strv names = {0};
	struct err ignored;

	if (json_want_strv(image, "names", &names, e) == -1)
		return -1;
	if (names.n > NAMES_MAX)
		return err_set(e, ERR_LIMIT, "it has too many names");
	out->names.v = arena_array(a, names.n + 1, sizeof(*out->names.v));
	out->repo_digests.v = arena_array(a, names.n + 1, sizeof(*out->repo_digests.v));
	for (size_t i = 0; i < names.n; i++) {
		own_reference struct reference r = {0};
		own_mem char *full = NULL;
		struct strs *to;

		if (reference_parse(names.v[i], &r, &ignored) == -1 || r.domain == NULL)
			continue;
		reference_complete(&r);
		to = r.digest != NULL ? &out->repo_digests : &out->names;
		full = reference_string(&r);
		to->v[to->n++] = arena_strdup(a, full);
	}
	return 0;
}

/* A map of owners is there only if it is another than that of the store. */
static bool
is_mapped(const json_t *layer)
{
	return json_array_size(json_object_get(layer, "uidmap")) > 0 ||
	       json_array_size(json_object_get(layer, "gidmap")) > 0;
}

/*
 * Can the files be used as they lie?  Here a layer is what its name says, which is made of what it is and of the ones
 * below; the one of another name could not be found again.
 */
static int
check_layer(const struct index *x, const struct graph_layer *l, const char *id, struct err *e)
{
	const json_t *layer = json_object_get(x->layers, l->id);
	own_mem char *composefs = xasprintf("overlay/%s/composefs-data", l->id);
	own_fd int fd = -1;

	if (*l->diff_id == '\0' && json_object_get(layer, "toc-digest") != NULL)
		return err_set(e, ERR_UNSUPPORTED,
		    "layer %s was pulled in parts, by its table of contents, and whether it is "
		    "what "
		    "the image names was never seen" COPIES,
		    l->id);
	if (is_mapped(layer))
		return err_set(
		    e, ERR_UNSUPPORTED, "the files of layer %s have shifted owners" COPIES, l->id);
	fd = path_try(ROLE_VIEW_FD_NUMBER, composefs, PATH_PLAIN, O_PATH, 0);
	if (fd != -1)
		return err_set(e, ERR_UNSUPPORTED, "layer %s is one of composefs", l->id);
	if (strcmp(id, l->id) != 0)
		return err_set(
		    e, ERR_UNSUPPORTED, "layer %s is not named after what is in it", l->id);
	return 0;
}

static int
take_layers(const struct index *x, const json_t *image, const struct manifest *m,
    struct msg_image_commit *out, struct arena *a, struct err *e)
{
	struct graph_layer *l;
	char id[SHA256_HEX] = "", parent[SHA256_HEX];
	const char *top = NULL;

	if (json_want_str(image, "layer", &top, e) == -1 ||
	    graph_layers(x->layers, top, a, &l, &out->layers.n, e) == -1)
		return -1;
	if (out->layers.n != m->nlayers)
		return err_set(e, ERR_FORMAT, "the image has %zu layers there, by its manifest %zu",
		    out->layers.n, m->nlayers);
	out->layers.v = arena_array(a, out->layers.n + 1, sizeof(*out->layers.v));
	for (size_t i = 0; i < out->layers.n; i++) {
		const char *hex = layer_hex(l[i].diff_id);

		memcpy(parent, id, sizeof(parent));
		if (hex != NULL)
			layer_id(parent, hex, id);
		if (check_layer(x, &l[i], hex != NULL ? id : "", e) == -1)
			return -1;
		out->layers.v[i] = (struct rec_layer_ref){.diff_id = l[i].diff_id,
		    .digest = m->layers[i].digest,
		    .media_type = m->layers[i].media_type,
		    .size = m->layers[i].size,
		    .tar_size = l[i].tar_size};
	}
	return 0;
}

static struct bytes
to_bytes(const struct strbuf *b)
{
	return (struct bytes){.p = (const uint8_t *)(b->s != NULL ? b->s : ""), .n = b->n};
}

static int
send_image(struct peer *p, uint32_t seq, const struct index *x, const json_t *image, const char *id,
    struct err *e)
{
	own_manifest struct manifest m = {0};
	own_strbuf struct strbuf manifest = {0}, config = {0}, signatures = {0};
	own_arena struct arena a = {0};
	struct rec_image_config parsed = {0};
	struct msg_image_commit out = {.parsed = &parsed};
	struct rec_signature *signed_by;

	if (graph_documents(&x->files, id, &manifest, &config, &m, e) == -1 ||
	    take_names(image, &out, &a, e) == -1 || take_layers(x, image, &m, &out, &a, e) == -1 ||
	    manifest_config(
		config.s != NULL ? config.s : "", config.n, m.nlayers, &parsed, &a, e) == -1 ||
	    graph_signatures(&x->files, image, id, &manifest, &signatures, &a, &signed_by,
		&out.signatures.n, e) == -1)
		return -1;
	out.signatures.v = out.signatures.n > 0 ? signed_by : NULL;
	out.manifest = to_bytes(&manifest);
	out.config = to_bytes(&config);
	out.media_type = m.media_type;
	return peer_send(p, &msg_image_commit_desc, seq, &out, e);
}

static int
on_image(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_index_image *m = MSG_OF(in, index_image);
	struct index *x = arg;
	const json_t *image = json_array_get(x->images, (size_t)m->number);
	const char *id = json_string_value(json_object_get(image, "id"));

	if (id == NULL || !names_is_id(id))
		return err_set(e, ERR_FORMAT, "an image has a malformed ID");
	return send_image(p, in->seq, x, image, id, e) == 0 ? 0 : err_wrap(e, "image %s", id);
}

static const struct peer_handler handlers[] = {
    {&msg_index_open_desc, 1, PEER_ONCE, on_open},
    {&msg_index_image_desc, 1, 0, on_image},
};

/* jansson reads its random seed from a file: so it does that now. */
static void
seed_json(void)
{
	json_object_seed(0);
}

int
main(int argc, char **argv)
{
	struct index x = {.files = {.driver = "overlay", .read = read_file}};
	const struct worker_face face = {.role = ROLE_INDEX,
	    .starter = ROLE_STORE,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .arg = &x,
	    .prepare = seed_json,
	    .view = true};

	return worker_main(&face, argc, argv);
}
