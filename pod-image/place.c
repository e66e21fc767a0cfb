/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/lookaside.h"
#include "common/fs/path.h"
#include "common/oci/digest.h"
#include "common/role/spawn.h"
#include "pod-image/attached.h"
#include "pod-image/certs.h"
#include "pod-image/extension.h"
#include "pod-image/fetcher.h"
#include "pod-image/place.h"

#define DOCUMENT_MAX ((uint64_t)4 << 20)

void
place_free(struct place *p)
{
	peer_free(p->files);
	peer_free(p->fetch);
	free(p->prefix);
	reference_free(&p->ref);
	memset(p, 0, sizeof(*p));
}

void
place_fds(const struct place *p, struct keep *k)
{
	keep_peer(k, p->files);
	keep_peer(k, p->fetch);
}

bool
place_has_lookaside(const struct place *p)
{
	return p->files != NULL || p->fetch != NULL;
}

/* --- Preparing -------------------------------------------------------------------------------- */

/* 1 if there is anything of the repository, by names only: "namespace/name@sha256=...". */
static int
has_repository(int dir, const struct reference *r, struct err *e)
{
	const char *slash = strrchr(r->path, '/'), *last = slash != NULL ? slash + 1 : r->path;
	own_mem char *parent =
	    slash != NULL ? xstrndup(r->path, (size_t)(slash - r->path)) : xstrdup(".");
	/* The rule by which the worker reads the files. */
	own_fd int fd = path_open(dir, parent, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	own_dir DIR *d = NULL;
	const struct dirent *x;
	size_t n = strlen(last);

	if (fd < 0 && (e->no == ENOENT || e->no == ENOTDIR)) {
		err_clear(e);
		return 0;
	}
	if (fd < 0 || (d = fdopendir(fd)) == NULL)
		return fd < 0 ? -1 : err_sys(e, "reading %s", parent);
	(void)fd_take(&fd);
	while ((x = readdir(d)) != NULL)
		if (strncmp(x->d_name, last, n) == 0 && x->d_name[n] == '@')
			return 1;
	return 0;
}

static int
start_files(struct place *p, const char *dir, struct err *e)
{
	own_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "opening %s", dir);
	r = has_repository(fd, &p->ref, e);
	if (r <= 0)
		return r < 0 ? err_wrap(e, "signatures in %s", dir) : 0;
	p->files = spawn_peer_view(ROLE_IMAGE, ROLE_LAYOUT, fd, e);
	return p->files != NULL ? 0 : -1;
}

static int
start_fetch(struct place *p, const char *url, struct err *e)
{
	bool plain = text_has_prefix(url, "http://");
	const char *host = url + strlen(plain ? "http://" : "https://"); /* lookaside.h */
	size_t n = strcspn(host, "/"), path = strlen(host + n);
	own_mem char *registry = xstrndup(host, n);
	own_certs struct certs certs = {0};
	struct msg_fetch_setup m = {.registry = registry, .tls = plain ? "plain" : "verify"};

	while (path > 0 && host[n + path - 1] == '/')
		path--;
	p->prefix = xstrndup(host + n, path);
	if (certs_load(&certs, NULL, registry, e) < 0)
		return -1;
	m.ca = (struct bytes){(const uint8_t *)certs.ca.s, certs.ca.n};
	p->fetch = fetcher_start(NULL, &m, &p->fetch_setup, e);
	return p->fetch != NULL ? 0 : -1;
}

int
place_prepare(struct place *p, const struct reference *physical, struct err *e)
{
	own_lookaside struct lookaside l = {0};
	own_mem char *name = reference_string(physical);

	if (reference_parse(name, &p->ref, e) < 0 || lookaside_find(physical, &l, e) < 0)
		return -1;
	p->attachments = l.attachments;
	return lookaside_dir(l.read) != NULL ? start_files(p, lookaside_dir(l.read), e)
					     : start_fetch(p, l.read, e);
}

/* --- Reading ---------------------------------------------------------------------------------- */

static int
read_lookaside(struct place *p, const char *digest, struct signatures *out, struct err *e)
{
	own_mem char *dir = NULL;
	int r = 1;

	if (p->files != NULL) {
		dir = lookaside_name(&p->ref, digest, 1);
		*(strrchr(dir, '/') + 1) = '\0';
		return signatures_read(out, p->files, dir, e);
	}
	if (p->fetch == NULL)
		return 0;
	if (peer_settle(p->fetch, &msg_fetch_setup_desc, &p->fetch_setup, e) < 0)
		return -1;
	for (unsigned i = 1; r == 1 && out->n < SIGNATURES_MAX; i++) {
		own_mem char *name = lookaside_name(&p->ref, digest, i);
		own_mem char *path = xasprintf("%s/%s", p->prefix, name);
		struct msg_fetch_file m = {.path = path, .max = SIGNATURE_FILE_MAX};

		r = signatures_take(out, p->fetch, &msg_fetch_file_desc, &m, path, e);
	}
	return r < 0 ? -1 : 0;
}

static int
fetch_document(struct peer *fetch, const char *kind, const char *repository, const char *reference,
    uint64_t max, struct peer_in *in, struct err *e)
{
	struct msg_fetch_document m = {
	    .kind = kind, .repository = repository, .reference = reference, .max = max};

	return peer_call(fetch, &msg_fetch_document_desc, &m, in, NULL, NULL, e);
}

static int
fetch_layer(struct signatures *out, const struct attached_layer *layer, struct peer *fetch,
    const char *repository, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_strbuf struct strbuf file = {0};
	const struct bytes *data;
	char got[DIGEST_TEXT];

	if (fetch_document(fetch, "blob", repository, layer->digest,
		layer->size > 0 ? layer->size : 1, &in, e) < 0)
		return err_wrap(e, "reading attached signature %s", layer->digest);
	data = &MSG_OF(&in, fetch_document_r)->data;
	digest_of(data->p, data->n, got);
	if (strcmp(got, layer->digest) != 0)
		return err_set(
		    e, ERR_INTEGRITY, "digest mismatch: expected %s, got %s", layer->digest, got);
	signature_write(layer->media_type, data, layer->annotations, &file);
	return signatures_add(out, file.s, file.n, e);
}

static int
read_attached(struct signatures *out, struct peer *fetch, const char *repository,
    const char *digest, struct err *e)
{
	own_mem char *tag = attached_tag(digest);
	own_peer_in struct peer_in in = {0};
	own_attached struct attached a = {0};
	const struct bytes *data;

	if (fetch_document(fetch, "manifest", repository, tag, DOCUMENT_MAX, &in, e) < 0) {
		if (e->class != ERR_NOTFOUND)
			return err_wrap(e, "reading attached signatures %s", tag);
		err_clear(e);
		return 0;
	}
	data = &MSG_OF(&in, fetch_document_r)->data;
	if (attached_parse((const char *)data->p, data->n, &a, e) < 0)
		return err_wrap(e, "parsing attached signatures %s", tag);
	for (size_t i = 0; i < a.n && out->n < SIGNATURES_MAX; i++)
		if (fetch_layer(out, &a.layers[i], fetch, repository, e) < 0)
			return -1;
	return 0;
}

int
place_read(struct place *p, struct peer *fetch, const char *repository, const char *digest,
    struct signatures *out, struct err *e)
{
	bool supported;

	if (extension_read(fetch, repository, digest, out, &supported, e) < 0 ||
	    (!supported && read_lookaside(p, digest, out, e) < 0) ||
	    (p->attachments && read_attached(out, fetch, repository, digest, e) < 0))
		return -1;
	return 0;
}
