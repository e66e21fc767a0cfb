/* SPDX-License-Identifier: ISC */
// libs: -lisal
/* The documents of another engine's store: lists of layers and of images, a manifest, a configuration or signatures; by zeros. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct documents {
	const char *part[4];
	size_t n[4];
};

static int
read_part(void *arg, const char *name, uint64_t max, struct strbuf *out, struct err *e)
{
	const struct documents *d = arg;
	size_t i = strcmp(name, "overlay-layers/layers.json") == 0   ? 0
		   : strcmp(name, "overlay-images/images.json") == 0 ? 1
		   : strstr(name, "/manifest") != NULL		     ? 2
								     : 3;

	if (d->part[i] == NULL) {
		e->no = ENOENT;
		return err_set(e, ERR_NOTFOUND, "%s is not there", name);
	}
	if (d->n[i] > max)
		return err_set(e, ERR_LIMIT, "%s is too large", name);
	strbuf_addn(out, d->part[i], d->n[i]);
	return 0;
}

static void
take_image(const struct graph_files *f, const json_t *by_id, const json_t *image)
{
	const char *id = json_string_value(json_object_get(image, "id"));
	const char *top = json_string_value(json_object_get(image, "layer"));
	own_strbuf struct strbuf manifest = {0}, config = {0}, bytes = {0};
	struct rec_signature *signatures = NULL;
	struct manifest m = {0};
	struct graph_layer *layers;
	struct arena a = {0};
	struct err e = {0};
	size_t n = 0;

	if (graph_layers(by_id, top, &a, &layers, &n, &e) == -1 && !err_is_set(&e))
		abort();
	err_clear(&e);
	if (graph_documents(f, id != NULL ? id : "", &manifest, &config, &m, &e) == -1 &&
	    !err_is_set(&e))
		abort();
	err_clear(&e);
	if (graph_signatures(
		f, image, id != NULL ? id : "", &manifest, &bytes, &a, &signatures, &n, &e) == -1 &&
	    !err_is_set(&e))
		abort();
	for (size_t i = 0; !err_is_set(&e) && i < n; i++)
		free(xmemdup(signatures[i].file.p, signatures[i].file.n));
	manifest_free(&m);
	arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *copy = xmemdup(data, n), *p = copy;
	struct documents d = {0};
	const struct graph_files f = {.driver = "overlay", .read = read_part, .arg = &d};
	struct err e = {0};
	json_t *layers, *images, *by_id;

	for (size_t i = 0; i < 4 && p != NULL; i++) {
		size_t left = n - (size_t)(p - copy);
		char *end = i < 3 ? memchr(p, '\0', left) : NULL;

		d.part[i] = p;
		d.n[i] = end != NULL ? (size_t)(end - p) : left;
		p = end != NULL ? end + 1 : NULL;
	}
	layers = graph_list(&f, "layers", &e);
	if (layers == NULL && !err_is_set(&e))
		abort();
	err_clear(&e);
	images = graph_list(&f, "images", &e);
	by_id = graph_by_id(layers);
	for (size_t i = 0; i < json_array_size(images) && i < 8; i++)
		take_image(&f, by_id, json_array_get(images, i));
	json_decref(by_id);
	json_decref(images);
	json_decref(layers);
	free(copy);
	return 0;
}
