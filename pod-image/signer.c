/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/role/spawn.h"
#include "pod-image/attached.h"
#include "pod-image/extension.h"
#include "common/conf/lookaside.h"
#include "pod-image/dest.h"
#include "pod-image/signer.h"

#define KEY_MAX ((size_t)1 << 20)
#define NO_ATTACHMENTS                                               \
	"writing sigstore attachments is disabled by configuration " \
	"(use-sigstore-attachments in registries.d)"
#define SIGNATURE_MAX ((uint64_t)1 << 20)

void
signer_free(struct signer *s)
{
	peer_free(s->worker);
	peer_free(s->files);
	free(s->identity);
	memset(s, 0, sizeof(*s));
}

/* True if something is to be signed. */
static bool
signer_wanted(const struct signer *s)
{
	return s->worker != NULL;
}

void
signer_fds(const struct signer *s, struct keep *k)
{
	keep_peer(k, s->worker);
	keep_peer(k, s->files);
}

/* --- Preparing -------------------------------------------------------------------------------- */

static int
start_worker(struct signer *s, struct rec_signing *o, struct err *e)
{
	struct msg_sign_setup m = {.gpg_key = o->gpg_key, .passphrase = o->passphrase};
	own_mem char *key = NULL;
	own_fd int fd = -1;
	int r;

	if (o->sigstore_key != NULL) {
		fd = open(o->sigstore_key, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return err_sys(e, "reading private key from %s", o->sigstore_key);
		if (file_slurp(fd, KEY_MAX, o->sigstore_key, &key, &m.private_key.n, e) < 0)
			return -1;
		m.private_key.p = (const uint8_t *)key;
	}
	s->simple = o->gpg_key != NULL;
	s->sigstore = o->sigstore_key != NULL;
	s->identity = o->identity != NULL ? xstrdup(o->identity) : NULL;
	s->worker = spawn_peer(ROLE_IMAGE, ROLE_SIGN, NULL, e);
	if (s->worker == NULL)
		return -1;
	s->setup = peer_next_seq(s->worker);
	r = peer_send(s->worker, &msg_sign_setup_desc, s->setup, &m, e);
	if (o->passphrase != NULL)
		explicit_bzero((char *)(uintptr_t)o->passphrase, strlen(o->passphrase));
	if (key != NULL)
		explicit_bzero(key, m.private_key.n);
	return r;
}

/* A writer in the directory, which may be made. */
static int
start_files(struct signer *s, const char *dir, bool make, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;

	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !make)
		return 0;
	if (fd < 0 && errno == ENOENT && dir[0] == '/')
		fd = path_mkdirs(root, dir + strspn(dir, "/"), PATH_IN_ROOT, 0755, NULL, e);
	else if (fd < 0)
		err_sys(e, "opening %s", dir);
	if (fd >= 0)
		s->files = spawn_peer_view(ROLE_IMAGE, ROLE_LAYOUT, fd, e);
	return s->files != NULL ? 0 : err_wrap(e, "directory of signatures");
}

static bool
is_empty(const struct rec_signing *o)
{
	return o == NULL || (o->gpg_key == NULL && o->sigstore_key == NULL);
}

static int
prepare_lookaside(struct signer *s, const struct lookaside *l, bool make, struct err *e)
{
	if (lookaside_dir(l->write) == NULL)
		return err_set(e, ERR_UNSUPPORTED,
		    "Writing directly to a %s lookaside is not supported. Configure "
		    "lookaside-staging: to a location writable locally",
		    l->write);
	return start_files(s, lookaside_dir(l->write), make, e);
}

int
signer_prepare(struct signer *s, struct rec_signing *o, const struct reference *to,
    enum signer_source source, struct err *e)
{
	bool simple = !is_empty(o) && o->gpg_key != NULL;

	own_lookaside struct lookaside l = {0};

	if (to != NULL) {
		if (lookaside_find(to, &l, e) < 0)
			return -1;
		s->attachments = l.attachments;
		if (!is_empty(o) && o->sigstore_key != NULL && !l.attachments)
			return err_set(e, ERR_INVALID, NO_ATTACHMENTS);
		/* Whether there is anything to be kept there will be seen. */
		if (simple || source != SIGNER_UNSIGNED)
			(void)prepare_lookaside(
			    s, &l, simple || source == SIGNER_SIGNED, &s->no_files);
	}
	return is_empty(o) ? 0 : start_worker(s, o, e);
}

int
signer_prepare_dir(struct signer *s, struct rec_signing *o, const char *dir, struct err *e)
{
	return start_files(s, dir, true, e) < 0 ? -1 : start_worker(s, o, e);
}

static int
no_place(const struct signer *s, struct err *e)
{
	if (err_is_set(&s->no_files)) {
		*e = s->no_files;
		return -1;
	}
	err_set(e, ERR_UNSUPPORTED, "there is no lookaside for the signatures of the source");
	return err_hint(e, "--remove-signatures copies it without its signatures.");
}

int
signer_check(const struct signer *s, struct peer *fetch, const char *repository, struct err *e)
{
	bool kept = true;

	if (!s->simple || s->files != NULL)
		return 0;
	if (extension_supported(fetch, repository, &kept, e) < 0)
		return -1;
	return kept ? 0 : no_place(s, e);
}

/* --- Signing ---------------------------------------------------------------------------------- */

static int
sign(struct signer *s, const char *reference, const char *digest, struct peer_in *in, struct err *e)
{
	struct msg_sign_image m = {
	    .reference = s->identity != NULL ? s->identity : reference, .digest = digest};
	own_peer_in struct peer_in setup = {0};

	if (s->setup != 0 &&
	    peer_wait(s->worker, &msg_sign_setup_desc, s->setup, &setup, NULL, NULL, e) < 0)
		return -1;
	s->setup = 0;
	if (m.reference == NULL)
		return err_set(e, ERR_USAGE,
		    "Cannot determine canonical Docker reference for the destination: name what "
		    "is signed");
	return peer_call(s->worker, &msg_sign_image_desc, &m, in, NULL, NULL, e);
}

/* New signatures, by each key. */
static int
make(struct signer *s, const char *reference, const char *digest, struct signatures *out,
    struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_strbuf struct strbuf file = {0};
	own_json json_t *annotations = NULL;
	const struct msg_sign_image_r *m;

	if (sign(s, reference, digest, &in, e) < 0)
		return err_wrap(e, "creating signature");
	m = MSG_OF(&in, sign_image_r);
	if (m->simple.n > 0 && signatures_add(out, m->simple.p, m->simple.n, e) < 0)
		return -1;
	if (m->signature == NULL)
		return 0;
	annotations = json_obj();
	json_put_str(annotations, ATTACHED_SIGNATURE, m->signature);
	signature_write(ATTACHED_TYPE, &m->payload, annotations, &file);
	return signatures_add(out, file.s, file.n, e);
}

/* Those of the source first. */
static int
gather(struct signer *s, const char *reference, const char *digest, const struct signatures *source,
    struct signatures *out, struct err *e)
{
	if (source != NULL && signatures_add_all(out, source->v, source->n, e) < 0)
		return -1;
	return s != NULL && signer_wanted(s) ? make(s, reference, digest, out, e) : 0;
}

int
signer_put_dir(struct signer *s, const char *prefix, const char *digest,
    const struct signatures *source, struct peer *worker, struct err *e)
{
	own_signatures struct signatures all = {0};

	if (gather(s, NULL, digest, source, &all, e) < 0)
		return -1;
	return signatures_write(&all, 0, worker, prefix, e) < 0 ||
		       signatures_cut(all.n, worker, prefix, e) < 0
		   ? err_wrap(e, "writing signatures")
		   : 0;
}

/* Those that are there stay; of the source's, the first old, what is among them already is not written again. */
static int
put_files(
    struct signer *s, const char *prefix, const struct signatures *all, size_t old, struct err *e)
{
	own_signatures struct signatures there = {0};
	size_t before;

	if (s->files == NULL)
		return no_place(s, e);
	if (signatures_read(&there, s->files, prefix, e) < 0)
		return -1;
	before = there.n;
	for (size_t i = 0; i < all->n; i++) {
		const struct bytes *b = &all->v[i].file;
		struct signatures one = {.v = &all->v[i], .n = 1};
		bool has = signature_is_sigstore(b);

		for (size_t k = 0; i < old && k < before && !has; k++)
			has = signatures_equal(&one, &there.v[k], 1);
		if (!has && signatures_add(&there, b->p, b->n, e) < 0)
			return -1;
	}
	return signatures_write(&there, before, s->files, prefix, e) < 0
		   ? -1
		   : dest_files_end(s->files, e);
}

int
signer_put(struct signer *s, const struct reference *to, const char *digest,
    const struct signatures *source, struct peer *fetch, const char *repository, struct err *e)
{
	own_signatures struct signatures all = {0};
	own_mem char *reference = reference_string(to), *prefix = NULL;
	size_t sigstore = 0;
	bool kept = false;
	int r = 0;

	if (gather(s, reference, digest, source, &all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		sigstore += signature_is_sigstore(&all.v[i].file);
	prefix = lookaside_name(to, digest, 1);
	*(strrchr(prefix, '/') + 1) = '\0';
	if (sigstore < all.n && fetch != NULL)
		r = extension_supported(fetch, repository, &kept, e);
	if (r == 0 && kept)
		r = extension_put(fetch, repository, digest, &all, e);
	else if (r == 0 && sigstore < all.n)
		r = put_files(s, prefix, &all, source != NULL ? source->n : 0, e);
	if (r == 0 && sigstore > 0 && !s->attachments)
		r = err_set(e, ERR_INVALID, NO_ATTACHMENTS);
	else if (r == 0 && sigstore > 0)
		r = attached_put(fetch, repository, digest, &all, e);
	return r < 0 ? err_wrap(e, "writing signatures") : 0;
}

int
signer_generate(const char *passphrase, char **private_pem, char **public_pem, struct err *e)
{
	struct peer *worker = spawn_peer(ROLE_IMAGE, ROLE_SIGN, NULL, e);
	struct msg_sign_generate m = {.passphrase = passphrase};
	own_peer_in struct peer_in in = {0};
	struct msg_sign_generate_r *answer;
	int r = -1;

	if (worker != NULL &&
	    peer_call(worker, &msg_sign_generate_desc, &m, &in, NULL, NULL, e) == 0) {
		answer = MSG_OF(&in, sign_generate_r);
		*private_pem = xstrdup(answer->private_key);
		*public_pem = xstrdup(answer->public_key);
		arena_wipe(&in.arena);
		r = 0;
	}
	peer_free(worker);
	return r;
}
