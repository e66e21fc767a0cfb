/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/manifest.h"
#include "common/oci/reference.h"

#define SIZE_MAX_ ((int64_t)1 << 50) /* no blob is greater than a pebibyte */

static const struct kind {
	const char *media_type;
	bool is_index;
} kinds[] = {
    {MANIFEST_TYPE_OCI, false},
    {MANIFEST_TYPE_OCI_INDEX, true},
    {MANIFEST_TYPE_DOCKER, false},
    {MANIFEST_TYPE_DOCKER_LIST, true},
};

static const struct kind *
find_kind(const char *media_type)
{
	size_t n = media_type != NULL ? strcspn(media_type, "; ") : 0;

	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		if (strlen(kinds[i].media_type) == n &&
		    strncmp(kinds[i].media_type, media_type, n) == 0)
			return &kinds[i];
	}
	return NULL;
}

bool
manifest_type_is_known(const char *media_type)
{
	return find_kind(media_type) != NULL;
}

bool
manifest_type_is_index(const char *media_type)
{
	const struct kind *kind = media_type != NULL ? find_kind(media_type) : NULL;

	return kind != NULL && kind->is_index;
}

static int
parse_desc(const json_t *j, struct manifest_desc *d, struct arena *a, struct err *e)
{
	const char *media_type = "", *digest;
	int64_t size;

	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "a descriptor is no object");
	if (json_want_str(j, "mediaType", &media_type, e) < 0 ||
	    json_need_str(j, "digest", &digest, e) < 0 ||
	    json_need_int(j, "size", 0, SIZE_MAX_, &size, e) < 0)
		return -1;
	if (!reference_digest_valid(digest))
		return err_set(e, ERR_FORMAT, "invalid digest of a descriptor");
	if (strlen(media_type) > 255)
		return err_set(e, ERR_LIMIT, "a media type is too long");
	d->media_type = arena_strdup(a, media_type);
	d->digest = arena_strdup(a, digest);
	d->size = (uint64_t)size;
	return 0;
}

#define CHUNKED "io.github.containers.zstd-chunked."

/* "NUMBER:NUMBER:…", count of them at least. */
static bool
read_position(const json_t *annotations, const char *key, uint64_t *v, size_t count)
{
	const char *text = json_string_value(json_object_get(annotations, key));
	own_strv struct strv words = {0};

	if (text == NULL || strlen(text) > 255)
		return false;
	strv_split(&words, text, ':');
	if (words.n < count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (text_to_u64(words.v[i], (uint64_t)SIZE_MAX_, &v[i]) == -1)
			return false;
	return true;
}

/* Annotations that cannot be right are none: the layer is read from its beginning, then. */
static void
parse_chunked(const json_t *layer, struct manifest_desc *d, struct arena *a)
{
	const json_t *notes = json_object_get(layer, "annotations");
	const char *checksum =
	    json_string_value(json_object_get(notes, CHUNKED "manifest-checksum"));
	struct manifest_chunked *c;
	uint64_t toc[4], split[2];

	if (checksum == NULL || !reference_digest_valid(checksum) ||
	    !read_position(notes, CHUNKED "manifest-position", toc, 4) || toc[3] != 1 ||
	    !read_position(notes, CHUNKED "tarsplit-position", split, 2))
		return;
	if (toc[0] > d->size || toc[1] > d->size - toc[0] || split[0] < toc[0] + toc[1] ||
	    split[0] > d->size || split[1] > d->size - split[0])
		return;
	c = arena_alloc(a, sizeof(*c));
	*c = (struct manifest_chunked){.checksum = arena_strdup(a, checksum),
	    .toc_at = toc[0],
	    .toc_size = toc[1],
	    .toc_plain = toc[2],
	    .split_at = split[0],
	    .split_size = split[1]};
	d->chunked = c;
}

#define ENCRYPTED_MAX 65536 /* bytes of an annotation about keys: some hundred recipients */

static int
copy_note(const json_t *notes, const char *key, const char **out, struct arena *a, struct err *e)
{
	const char *s = NULL;

	if (notes == NULL || json_want_str(notes, key, &s, e) < 0)
		return notes == NULL ? 0 : -1;
	if (s != NULL && strlen(s) > ENCRYPTED_MAX)
		return err_set(e, ERR_LIMIT, "%s is too long", key);
	*out = s != NULL ? arena_strdup(a, s) : NULL;
	return 0;
}

static int
parse_encrypted(const json_t *layer, struct manifest_desc *d, struct arena *a, struct err *e)
{
	size_t n = strlen(d->media_type), suffix = strlen(MANIFEST_ENCRYPTED);
	struct manifest_encrypted *x;
	json_t *notes = NULL;

	if (n < suffix || strcmp(d->media_type + n - suffix, MANIFEST_ENCRYPTED) != 0)
		return 0;
	if (json_want_obj(layer, "annotations", &notes, e) < 0)
		return -1;
	x = arena_alloc(a, sizeof(*x));
	x->plain_type = arena_strndup(a, d->media_type, n - suffix);
	d->encrypted = x;
	if (copy_note(notes, MANIFEST_ENCRYPTED_ANNOTATION "keys.jwe", &x->jwe, a, e) < 0 ||
	    copy_note(notes, MANIFEST_ENCRYPTED_ANNOTATION "keys.pkcs7", &x->pkcs7, a, e) < 0 ||
	    copy_note(notes, MANIFEST_ENCRYPTED_ANNOTATION "keys.pgp", &x->pgp, a, e) < 0)
		return -1;
	return copy_note(notes, MANIFEST_ENCRYPTED_ANNOTATION "pubopts", &x->options, a, e);
}

static int
parse_layers(const json_t *j, struct manifest *m, struct err *e)
{
	json_t *config, *layers;
	size_t n;

	if (json_need_obj(j, "config", &config, e) < 0)
		return -1;
	if (parse_desc(config, &m->config, &m->arena, e) < 0)
		return err_wrap(e, "config");
	if (json_need_arr(j, "layers", &layers, e) < 0)
		return -1;
	n = json_array_size(layers);
	if (n > MANIFEST_LAYERS_MAX)
		return err_set(e, ERR_LIMIT, "%zu layers are more than %d", n, MANIFEST_LAYERS_MAX);
	m->layers = arena_array(&m->arena, n + 1, sizeof(*m->layers));
	for (size_t i = 0; i < n; i++) {
		if (parse_desc(json_array_get(layers, i), &m->layers[i], &m->arena, e) < 0 ||
		    parse_encrypted(json_array_get(layers, i), &m->layers[i], &m->arena, e) < 0)
			return err_wrap(e, "layers[%zu]", i);
		parse_chunked(json_array_get(layers, i), &m->layers[i], &m->arena);
	}
	m->nlayers = n;
	return 0;
}

/* A string of an object that is kept only if it is short; "" if absent. */
static int
copy_word(const json_t *obj, const char *key, const char **out, struct arena *a, struct err *e)
{
	const char *s = "";

	if (json_want_str(obj, key, &s, e) < 0)
		return -1;
	if (strlen(s) > 63)
		return err_set(e, ERR_LIMIT, "%s is too long", key);
	*out = arena_strdup(a, s);
	return 0;
}

static int
parse_entry(const json_t *j, struct manifest_entry *entry, struct arena *a, struct err *e)
{
	json_t *platform = NULL, *annotations = NULL;
	const char *ref_name = NULL;

	if (parse_desc(j, &entry->desc, a, e) < 0 ||
	    json_want_obj(j, "platform", &platform, e) < 0 ||
	    json_want_obj(j, "annotations", &annotations, e) < 0)
		return -1;
	entry->os = entry->architecture = entry->variant = "";
	if (platform != NULL &&
	    (copy_word(platform, "os", &entry->os, a, e) < 0 ||
		copy_word(platform, "architecture", &entry->architecture, a, e) < 0 ||
		copy_word(platform, "variant", &entry->variant, a, e) < 0))
		return -1;
	if (annotations != NULL &&
	    json_want_str(annotations, "org.opencontainers.image.ref.name", &ref_name, e) < 0)
		return -1;
	if (ref_name != NULL && strlen(ref_name) <= 4096)
		entry->ref_name = arena_strdup(a, ref_name);
	return 0;
}

static int
parse_entries(const json_t *j, struct manifest *m, struct err *e)
{
	json_t *list;
	size_t n;

	if (json_need_arr(j, "manifests", &list, e) < 0)
		return -1;
	n = json_array_size(list);
	if (n > MANIFEST_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "%zu entries of an index are more than %d", n,
		    MANIFEST_ENTRIES_MAX);
	m->entries = arena_array(&m->arena, n + 1, sizeof(*m->entries));
	for (size_t i = 0; i < n; i++) {
		if (parse_entry(json_array_get(list, i), &m->entries[i], &m->arena, e) < 0)
			return err_wrap(e, "manifests[%zu]", i);
	}
	m->nentries = n;
	return 0;
}

/* What the document is, by its own word, the transport's word and its fields, which must agree. */
static const struct kind *
decide_kind(const json_t *j, const char *content_type, struct err *e)
{
	const char *own = NULL;
	const struct kind *kind, *claimed = find_kind(content_type);
	bool index_field = json_object_get(j, "manifests") != NULL;
	bool layer_field = json_object_get(j, "layers") != NULL ||
			   json_object_get(j, "config") != NULL ||
			   json_object_get(j, "fsLayers") != NULL;

	if (json_want_str(j, "mediaType", &own, e) < 0)
		return NULL;
	if (index_field && layer_field) {
		err_set(e, ERR_FORMAT, "it has the fields of both an index and an image manifest");
		return NULL;
	}
	kind = find_kind(own);
	if (own != NULL && kind == NULL) {
		char shown[120];

		text_escape(own, shown, sizeof(shown));
		err_set(e, ERR_UNSUPPORTED, "unsupported manifest media type \"%s\"", shown);
		return NULL;
	}
	if (kind != NULL && claimed != NULL && kind != claimed) {
		err_set(e, ERR_FORMAT, "its mediaType differs from the Content-Type");
		return NULL;
	}
	if (kind == NULL)
		kind = claimed != NULL ? claimed : &kinds[index_field ? 1 : 0];
	if (kind->is_index ? !index_field : !layer_field) {
		err_set(e, ERR_FORMAT, "its fields are not those of its media type");
		return NULL;
	}
	return kind;
}

static int
check_schema(const json_t *j, struct err *e)
{
	int64_t version;

	if (json_need_int(j, "schemaVersion", 0, INT32_MAX, &version, e) < 0)
		return -1;
	if (version == 1)
		return err_set(
		    e, ERR_UNSUPPORTED, "a Docker manifest of schema version 1 cannot stand here");
	if (version != 2)
		return err_set(e, ERR_FORMAT, "unknown schemaVersion");
	return 0;
}

static int
parse_artifact_type(const json_t *j, struct manifest *m, struct err *e)
{
	const char *type = "";

	if (json_want_str(j, "artifactType", &type, e) < 0)
		return -1;
	if (strlen(type) > 255)
		return err_set(e, ERR_LIMIT, "artifactType is too long");
	m->artifact_type = arena_strdup(&m->arena, type);
	return 0;
}

int
manifest_parse(
    const char *bytes, size_t n, const char *content_type, struct manifest *out, struct err *e)
{
	own_json json_t *j = json_read_max(bytes, n, MANIFEST_MAX, JSON_DEPTH_DEFAULT, e);
	own_manifest struct manifest m = {0};
	const struct kind *kind;

	if (j == NULL)
		return err_wrap(e, "parsing manifest");
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "parsing manifest: it is no JSON object");
	if (check_schema(j, e) < 0 || (kind = decide_kind(j, content_type, e)) == NULL)
		return err_wrap(e, "parsing manifest");
	m.media_type = kind->media_type;
	m.is_index = kind->is_index;
	if (parse_artifact_type(j, &m, e) < 0 ||
	    (m.is_index ? parse_entries : parse_layers)(j, &m, e) < 0)
		return err_wrap(e, "parsing manifest");
	*out = m;
	memset(&m, 0, sizeof(m));
	return 0;
}

void
manifest_free(struct manifest *m)
{
	arena_free(&m->arena);
	memset(m, 0, sizeof(*m));
}

const char *
manifest_host_architecture(void)
{
	static const char *const words[][2] = {
	    {"x86_64", "amd64"},
	    {"aarch64", "arm64"},
	    {"armv7l", "arm"},
	    {"armv6l", "arm"},
	    {"i686", "386"},
	    {"i386", "386"},
	};
	static struct utsname u;

	if (uname(&u) < 0)
		return "unknown";
	for (size_t i = 0; i < COUNTOF(words); i++) {
		if (strcmp(u.machine, words[i][0]) == 0)
			return words[i][1];
	}
	return u.machine; /* ppc64le, s390x, riscv64 are the same in Go */
}

/* Variants that a machine of the wanted one can run, best first; "" stands for any at the end. */
static size_t
wanted_variants(const char *architecture, const char *variant, const char *out[8])
{
	static const char *const arm[] = {"v8", "v7", "v6", "v5"};
	size_t n = 0, count, from = 0;

	count = strcmp(architecture, "arm") == 0 ? 4 : strcmp(architecture, "arm64") == 0 ? 1 : 0;
	if (variant != NULL && *variant != '\0') {
		for (from = 0; from < count && strcmp(arm[from], variant) != 0;)
			from++;
		if (from == count)
			out[n++] = variant;
	} else if (strcmp(architecture, "arm") == 0) {
		from = 1; /* a 32-bit machine is v7 at best */
	}
	for (; from < count; from++)
		out[n++] = arm[from];
	out[n++] = "";
	return n;
}

const struct manifest_entry *
manifest_choose(const struct manifest *index, const struct manifest_platform *want, struct err *e)
{
	const char *os = want->os != NULL && *want->os ? want->os : "linux";
	const char *arch = want->architecture != NULL && *want->architecture
			       ? want->architecture
			       : manifest_host_architecture();
	const char *variants[8];
	size_t n = wanted_variants(arch, want->variant, variants);

	for (size_t v = 0; v < n; v++) {
		for (size_t i = 0; i < index->nentries; i++) {
			const struct manifest_entry *x = &index->entries[i];

			if (strcmp(x->os, os) == 0 && strcmp(x->architecture, arch) == 0 &&
			    strcmp(x->variant, variants[v]) == 0)
				return x;
		}
	}
	err_set(e, ERR_NOTFOUND,
	    "no image found in %s for architecture \"%.64s\", variant \"%.64s\", OS \"%.64s\"",
	    strcmp(index->media_type, MANIFEST_TYPE_OCI_INDEX) == 0 ? "image index"
								    : "manifest list",
	    arch, want->variant != NULL ? want->variant : "", os);
	return NULL;
}

const char *
manifest_plain_type(const struct manifest_desc *d)
{
	return d->encrypted != NULL ? d->encrypted->plain_type : d->media_type;
}

enum manifest_layer_form
manifest_layer_form(const char *media_type)
{
	static const struct {
		const char *media_type;
		enum manifest_layer_form form;
	} forms[] = {
	    {MANIFEST_TYPE_OCI_LAYER, MANIFEST_LAYER_TAR},
	    {MANIFEST_TYPE_OCI_LAYER "+gzip", MANIFEST_LAYER_GZIP},
	    {MANIFEST_TYPE_OCI_LAYER "+zstd", MANIFEST_LAYER_ZSTD},
	    {"application/vnd.oci.image.layer.nondistributable.v1.tar", MANIFEST_LAYER_TAR},
	    {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MANIFEST_LAYER_GZIP},
	    {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MANIFEST_LAYER_ZSTD},
	    {MANIFEST_TYPE_DOCKER_LAYER, MANIFEST_LAYER_TAR},
	    {MANIFEST_TYPE_DOCKER_LAYER ".gzip", MANIFEST_LAYER_GZIP},
	    {MANIFEST_TYPE_DOCKER_LAYER ".zstd", MANIFEST_LAYER_ZSTD},
	    {"application/vnd.docker.image.rootfs.foreign.diff.tar", MANIFEST_LAYER_TAR},
	    {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MANIFEST_LAYER_GZIP},
	};

	for (size_t i = 0; i < COUNTOF(forms); i++) {
		if (strcmp(forms[i].media_type, media_type) == 0)
			return forms[i].form;
	}
	return MANIFEST_LAYER_UNKNOWN;
}
