/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "pod-run/life/artifact.h"
#include "pod-run/oci/spec_list.h"

static int
open_dir(struct ctx *x, const struct msg_artifacts_open *m, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct peer *store = ctx_store(x, e);
	int fd;

	if (store == NULL ||
	    peer_call(store, &msg_artifacts_open_desc, m, &in, NULL, NULL, e) == -1)
		return -1;
	fd = fd_take(&MSG_OF(&in, artifacts_opened)->dir);
	return fd > 0 ? fd : -1;
}

int
artifact_open(struct ctx *x, bool write, struct err *e)
{
	return open_dir(x, &(struct msg_artifacts_open){.write = write}, e);
}

int
artifact_open_list(struct ctx *x, const char *list, struct err *e)
{
	int fd = open_dir(x, &(struct msg_artifacts_open){.list = list, .write = true}, e);

	return fd != -1 || err_is_set(e) ? fd : err_set(e, ERR_PEER, "pod-store gave no directory");
}

int
artifact_look(struct ctx *x, struct msg_artifact_look *m, struct peer_in *in, struct err *e)
{
	own_fd int dir = artifact_open(x, false, e);
	struct peer *image;
	pid_t pid;
	int r;

	if (dir == -1)
		return err_is_set(e) ? -1
				     : err_set(e, ERR_NOTFOUND, "%s: artifact does not exist",
					   m->name != NULL ? m->name : "");
	image = ctx_helper(x, ROLE_IMAGE, &pid, e);
	if (image == NULL)
		return -1;
	m->dir = dir;
	r = peer_call(image, &msg_artifact_look_desc, m, in, NULL, NULL, e);
	peer_free(image);
	return r;
}

/* --- Mounts -----------------------------------------------------------------------------------------*/

struct list {
	struct rec_ctr_mount *v;
	size_t n, cap;
};

static const char *
option(const struct rec_ctr_mount *m, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < m->options.n; i++)
		if (strncmp(m->options.v[i], name, n) == 0 && m->options.v[i][n] == '=')
			return m->options.v[i] + n + 1;
	return NULL;
}

static bool
is_chosen(const struct rec_ctr_mount *m, const struct rec_artifact_file *f)
{
	const char *title = option(m, "title"), *digest = option(m, "digest");

	if (digest != NULL && strcmp(f->digest, digest) != 0)
		return false;
	return title == NULL || (f->title != NULL && strcmp(f->title, title) == 0);
}

/* Safe because the walk stays below the image's root, whatever links it holds. */
static int
is_directory(struct ctx *x, const char *image, const char *path, bool *is, struct err *e)
{
	struct msg_image_open m = {.image = image};
	own_peer_in struct peer_in in = {0};
	own_fd int fd = -1;

	*is = false;
	if (image == NULL || *image == '\0')
		return 0;
	if (peer_call(ctx_store(x, e), &msg_image_open_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	fd = path_try(MSG_OF(&in, image_opened)->root, path, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	*is = fd != -1;
	return 0;
}

static const char *
file_name(const struct rec_ctr_mount *m, const struct rec_artifact_file *f, size_t k, size_t n,
    struct arena *a)
{
	const char *name = option(m, "name");

	if (name != NULL)
		return n == 1 ? name : arena_printf(a, "%s-%zu", name, k);
	return f->title != NULL ? f->title : arena_printf(a, "%s", f->digest);
}

static struct rec_ctr_mount
bind(const struct ctx *x, const char *digest, const char *target, struct arena *a)
{
	static const char *const options[] = {"ro", "bind", "rprivate", "nosuid", "nodev"};
	struct rec_ctr_mount b = {.type = "bind", .target = target};

	b.source = arena_printf(
	    a, "%s/artifacts/blobs/sha256/%s", x->graph_root, digest + strlen("sha256:"));
	for (size_t i = 0; i < COUNTOF(options); i++)
		spec_list_add(a, &b.options, options[i]);
	return b;
}

static int
expand(struct ctx *x, const char *image, const struct rec_ctr_mount *m, struct list *out,
    struct arena *a, struct err *e)
{
	struct msg_artifact_look look = {.name = m->source};
	own_peer_in struct peer_in in = {0};
	const struct rec_artifact *artifact;
	bool below = option(m, "name") != NULL;
	size_t n = 0, k = 0;

	if (artifact_look(x, &look, &in, e) == -1)
		return -1;
	if (MSG_OF(&in, artifact_look_r)->artifacts.n != 1)
		return err_set(e, ERR_PEER, "pod-image described no artifact");
	artifact = &MSG_OF(&in, artifact_look_r)->artifacts.v[0];
	for (size_t i = 0; i < artifact->files.n; i++)
		n += is_chosen(m, &artifact->files.v[i]);
	if (n == 0 && option(m, "title") != NULL)
		return err_set(
		    e, ERR_NOTFOUND, "no blob with the title \"%s\"", option(m, "title"));
	if (n == 0)
		return err_set(e, ERR_NOTFOUND, "no blob with the digest \"%s\"",
		    option(m, "digest") != NULL ? option(m, "digest") : "");
	below |= n > 1;
	if (!below && is_directory(x, image, m->target, &below, e) == -1)
		return -1;
	for (size_t i = 0; i < artifact->files.n; i++) {
		const struct rec_artifact_file *f = &artifact->files.v[i];
		const char *target = m->target;

		if (!is_chosen(m, f))
			continue;
		if (below)
			target = arena_printf(a, "%s/%s", strcmp(target, "/") == 0 ? "" : target,
			    file_name(m, f, k, n, a));
		out->v = mem_grow(out->v, &out->cap, out->n + 1, sizeof(*out->v));
		out->v[out->n++] = bind(x, f->digest, target, a);
		k++;
	}
	return 0;
}

int
artifact_mounts(
    struct ctx *x, const char *image, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct list l = {0};
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < c->mounts.n && r == 0; i++) {
		const struct rec_ctr_mount *m = &c->mounts.v[i];

		if (strcmp(m->type, "artifact") == 0) {
			any = true;
			r = expand(x, image, m, &l, a, e);
			continue;
		}
		l.v = mem_grow(l.v, &l.cap, l.n + 1, sizeof(*l.v));
		l.v[l.n++] = *m;
	}
	if (r == 0 && any) {
		c->mounts.v = arena_array(a, l.n + 1, sizeof(*c->mounts.v));
		memcpy(c->mounts.v, l.v, l.n * sizeof(*l.v));
		c->mounts.n = l.n;
	}
	own_mem_free(&l.v);
	return r;
}
