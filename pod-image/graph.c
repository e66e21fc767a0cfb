/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/names.h"
#include "common/oci/reference.h"
#include "pod-image/graph.h"

#define PREFIX_MIN 3 /* of an ID that is not given in full */

/* --- Where ------------------------------------------------------------------------------------ */

void
graph_spec_free(struct graph_spec *g)
{
	free(g->driver);
	free(g->root);
	free(g->image);
	memset(g, 0, sizeof(*g));
}

static char *
default_root(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	/* In the user's namespace, too, the home is the user's. */
	bool user = getuid() != 0 || getenv("XDG_RUNTIME_DIR") != NULL;
	own_mem char *theirs = NULL;

	if (user && data != NULL && data[0] == '/')
		theirs = xasprintf("%s/containers/storage", data);
	else if (user && home != NULL && home[0] == '/')
		theirs = xasprintf("%s/.local/share/containers/storage", home);
	if (theirs != NULL && (getuid() != 0 || access(theirs, F_OK) == 0))
		return ptr_take(&theirs);
	return xstrdup("/var/lib/containers/storage");
}

static bool
is_driver(const char *s)
{
	static const char *const drivers[] = {"overlay", "vfs"};

	for (size_t i = 0; i < COUNTOF(drivers); i++)
		if (strcmp(drivers[i], s) == 0)
			return true;
	return false;
}

/* What stands in the brackets. */
static int
parse_place(const char *p, size_t n, struct graph_spec *g, struct err *e)
{
	own_mem char *place = xstrndup(p, n);
	char *root = strchr(place, '@');

	if (root != NULL) {
		*root++ = '\0';
		free(g->driver);
		g->driver = xstrdup(place);
	} else {
		root = place;
	}
	root[strcspn(root, "+:")] = '\0';
	if (root[0] != '/')
		return err_set(e, ERR_USAGE, "the graph root \"%.300s\" is no absolute path", root);
	if (!is_driver(g->driver))
		return err_set(e, ERR_UNSUPPORTED,
		    "images of the storage driver \"%.64s\" cannot be read: only those of overlay "
		    "and vfs",
		    g->driver);
	free(g->root);
	g->root = xstrdup(root);
	return 0;
}

int
graph_spec_parse(const char *text, struct graph_spec *out, struct err *e)
{
	own_graph_spec struct graph_spec g = {.driver = xstrdup("overlay"), .root = default_root()};
	const char *end = text;

	if (text[0] == '[') {
		end = strchr(text, ']');
		if (end == NULL)
			return err_set(e, ERR_USAGE, "%.300s: the bracket is not closed", text);
		if (parse_place(text + 1, (size_t)(end - text) - 1, &g, e) < 0)
			return -1;
		end++;
	}
	if (*end == '\0')
		return err_set(e, ERR_USAGE, "containers-storage:%.300s names no image", text);
	g.image = xstrdup(end);
	*out = g;
	memset(&g, 0, sizeof(g));
	return 0;
}

void
graph_image_free(struct graph_image *g)
{
	document_free(&g->manifest);
	document_free(&g->config);
	signatures_free(&g->signatures);
	strv_free(&g->names);
	arena_free(&g->arena);
	memset(g, 0, sizeof(*g));
}

/* --- Which image ------------------------------------------------------------------------------ */

struct wanted {
	struct strv names; /* full ones that the word may mean, best first */
	const char *id;	   /* an ID or its beginning, or NULL */
	const char *digest;
};

static void
wanted_free(struct wanted *w)
{
	strv_free(&w->names);
}

static void
understand(const char *word, struct wanted *w)
{
	static const char *const registries[] = {"docker.io"};
	const char *at = strchr(word, '@');
	struct err ignored = {0};
	size_t n = strlen(word);

	if (at != NULL && reference_digest_valid(at + 1))
		w->digest = at + 1;
	else if (at != NULL && names_is_id(at + 1))
		w->id = at + 1;
	else
		(void)reference_candidates(word, registries, 1, &w->names, &ignored);
	if (w->id == NULL && w->digest == NULL) {
		word += text_has_prefix(word, "sha256:") ? strlen("sha256:") : 0;
		n = strlen(word);
		if (n >= PREFIX_MIN && n <= NAMES_ID_LEN && strspn(word, "0123456789abcdef") == n)
			w->id = word;
	}
}

static bool
has_name(const json_t *image, const char *name)
{
	const json_t *names = json_object_get(image, "names");

	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *s = json_string_value(json_array_get(names, i));

		if (s != NULL && strcmp(s, name) == 0)
			return true;
	}
	return false;
}

static const json_t *
find_name(const json_t *images, const char *name)
{
	for (size_t i = 0; i < json_array_size(images); i++)
		if (has_name(json_array_get(images, i), name))
			return json_array_get(images, i);
	return NULL;
}

static bool
has_digest(const json_t *image, const char *digest)
{
	const char *s = json_string_value(json_object_get(image, "digest")), *key;
	json_t *sums = json_object_get(image, "big-data-digests"), *v;

	if (s != NULL && strcmp(s, digest) == 0)
		return true;
	json_object_foreach (sums, key, v) {
		s = json_string_value(v);
		if (text_has_prefix(key, "manifest") && s != NULL && strcmp(s, digest) == 0)
			return true;
	}
	return false;
}

static const json_t *
find_id(const json_t *images, const struct wanted *w, struct err *e)
{
	const json_t *found = NULL;

	for (size_t i = 0; i < json_array_size(images); i++) {
		const json_t *x = json_array_get(images, i);
		const char *id = json_string_value(json_object_get(x, "id"));

		if (w->digest != NULL ? !has_digest(x, w->digest)
				      : id == NULL || w->id == NULL || !text_has_prefix(id, w->id))
			continue;
		if (found != NULL) {
			err_set(e, ERR_INVALID, "more than one image is meant");
			return NULL;
		}
		found = x;
	}
	return found;
}

static const json_t *
find_image(struct load *l, const json_t *images, struct graph_image *g, struct err *e)
{
	own(wanted_free) struct wanted w = {0};
	const json_t *found = NULL;

	understand(l->reference, &w);
	for (size_t i = 0; i < w.names.n && found == NULL; i++) {
		found = find_name(images, w.names.v[i]);
		if (found != NULL)
			strv_add(&g->names, w.names.v[i]);
	}
	if (found == NULL) {
		found = find_id(images, &w, e);
		if (found != NULL && json_want_strv(found, "names", &g->names, e) < 0)
			return NULL;
	}
	if (found == NULL && !err_is_set(e))
		err_set(e, ERR_NOTFOUND, "%.300s: image not known", l->reference);
	return found;
}

/* --- Its files -------------------------------------------------------------------------------- */

static int
read_file(void *arg, const char *name, uint64_t max, struct strbuf *out, struct err *e)
{
	return load_read_member(arg, name, max, out, e);
}

static int
read_layers(const struct graph_files *f, const json_t *image, struct graph_image *g, struct err *e)
{
	const char *top = NULL;
	own_json json_t *list = NULL, *by_id = NULL;

	if (json_want_str(image, "layer", &top, e) < 0)
		return -1;
	list = graph_list(f, "layers", e);
	if (list == NULL)
		return -1;
	by_id = graph_by_id(list);
	return graph_layers(by_id, top, &g->arena, &g->layers, &g->nlayers, e);
}

static int
read_documents(const struct graph_files *f, const char *id, struct graph_image *g, struct err *e)
{
	own_manifest struct manifest m = {0};

	if (graph_documents(f, id, &g->manifest.bytes, &g->config.bytes, &m, e) < 0)
		return -1;
	g->manifest.media_type = xstrdup(m.media_type);
	return 0;
}

static int
read_signatures(const struct graph_files *f, const json_t *image, const char *id,
    struct graph_image *g, struct err *e)
{
	own_strbuf struct strbuf bytes = {0};
	own_arena struct arena a = {0};
	struct rec_signature *v;
	size_t n;

	return graph_signatures(f, image, id, &g->manifest.bytes, &bytes, &a, &v, &n, e) < 0
		   ? -1
		   : signatures_add_all(&g->signatures, v, n, e);
}

int
graph_read(struct load *l, struct graph_image *out, struct err *e)
{
	own_graph_image struct graph_image g = {0};
	const struct graph_files f = {.driver = l->driver, .read = read_file, .arg = l};
	own_json json_t *images = graph_list(&f, "images", e);
	const json_t *image;
	const char *id;

	if (images == NULL)
		return -1;
	image = find_image(l, images, &g, e);
	if (image == NULL)
		return -1;
	if (json_need_str(image, "id", &id, e) < 0)
		return -1;
	if (!names_is_id(id))
		return err_set(e, ERR_FORMAT, "the image has a malformed ID");
	if (read_documents(&f, id, &g, e) < 0 || read_signatures(&f, image, id, &g, e) < 0 ||
	    read_layers(&f, image, &g, e) < 0)
		return err_wrap(e, "reading image %s", id);
	*out = g;
	memset(&g, 0, sizeof(g));
	return 0;
}

int
graph_ask(struct load *l, const char *layer, int stream, uint32_t *seq, struct err *e)
{
	struct msg_graph_layer m = {.driver = l->driver, .layer = layer, .stream = stream};

	*seq = peer_next_seq(l->worker);
	return peer_send(l->worker, &msg_graph_layer_desc, *seq, &m, e);
}
