/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/auth.h"
#include "common/oci/digest.h"
#include "pod-image/schema1.h"
#include "pod-image/task.h"

void
task_wipe(const char *s)
{
	if (s != NULL)
		explicit_bzero((char *)(uintptr_t)s, strlen(s));
}

/* --- Pull ------------------------------------------------------------------------------------- */

static int
prepare_registry(
    struct task *t, const char *text, bool normal, const struct msg_image_pull *m, struct err *e)
{
	t->pull = (struct pull){.plan = &t->plan,
	    .store = t->store,
	    .report = t->report,
	    .platform = {m->os, m->architecture, m->variant},
	    .all_tags = m->all_tags,
	    .name = m->name,
	    .crypt = &t->crypt,
	    .newer = m->newer,
	    .parallel = t->parallel};
	return plan_pull(&t->plan, text, normal, m->access, e);
}

int
task_prepare_pull(struct task *t, struct msg_image_pull *m, struct err *e)
{
	const char *rest = m->reference;
	const char *transport = reference_transport(m->reference, &rest);
	int r;

	if (t->store == NULL && m->store > 0)
		t->store = peer_new(fd_take(&m->store), ROLE_IMAGE, ROLE_STORE);
	if (m->fetch > 0)
		plan_take_worker(&t->plan, fd_take(&m->fetch));
	if (reference_refuse_transport(m->reference, e) < 0 ||
	    crypt_prepare(&t->crypt, m->access, NULL, e) < 0) {
		r = -1;
	} else if (m->all_tags && transport != NULL && strcmp(transport, "docker") != 0) {
		r = err_set(
		    e, ERR_USAGE, "pulling all tags is not supported for %s transport", transport);
	} else if (transport == NULL || strcmp(transport, "docker") == 0) {
		r = prepare_registry(t, rest, transport != NULL, m, e);
	} else {
		t->from_archive = true;
		t->load = (struct load){.store = t->store,
		    .report = t->report,
		    .graph_root = t->graph_root,
		    .name = m->name,
		    .only_name = m->name != NULL,
		    .crypt = &t->crypt,
		    .platform = {m->os, m->architecture, m->variant},
		    .policy_file = m->access != NULL ? m->access->policy_file : NULL,
		    .daemon_host = m->access != NULL ? m->access->daemon_host : NULL};
		r = load_prepare_path(&t->load, transport, rest, e);
	}
	if (m->access != NULL)
		task_wipe(m->access->creds);
	return r;
}

int
task_run_pull(struct task *t, struct err *e)
{
	if (t->from_archive)
		return load_run(&t->load, &t->ids, &t->names, e);
	return pull_run(&t->pull, &t->ids, &t->names, e);
}

/* --- Load ------------------------------------------------------------------------------------- */

int
task_prepare_load(struct task *t, struct msg_image_load *m, struct err *e)
{
	if (t->store == NULL)
		t->store = peer_new(fd_take(&m->store), ROLE_IMAGE, ROLE_STORE);
	t->load = (struct load){.store = t->store,
	    .report = t->report,
	    .graph_root = t->graph_root,
	    .form = m->form,
	    .reference = m->reference,
	    .name = m->name,
	    .policy_file = m->access != NULL ? m->access->policy_file : NULL};
	return load_prepare_fd(&t->load, fd_take(&m->input), e);
}

int
task_run_load(struct task *t, struct err *e)
{
	return load_run(&t->load, &t->ids, &t->names, e);
}

/* --- Save ------------------------------------------------------------------------------------- */

int
task_prepare_save(struct task *t, struct msg_image_save *m, struct err *e)
{
	if (t->store == NULL)
		t->store = peer_new(fd_take(&m->store), ROLE_IMAGE, ROLE_STORE);
	if (strcmp(m->form, "dir") == 0 && m->images.n != 1)
		return err_set(e, ERR_USAGE, "a directory holds one image");
	t->saved = m;
	t->transfer = (struct transfer){.report = t->report,
	    .remove_signatures = true, /* as Podman's save */
	    .compress = m->compress,
	    .compression = m->uncompressed ? "tar" : NULL,
	    .force = m->uncompressed,
	    .format = strcmp(m->form, "dir") == 0 ? "v2s2" : NULL,
	    .graph_root = t->graph_root,
	    .from = &t->from,
	    .to = &t->to,
	    .store = t->store};
	if (dest_files_prepare(&t->to, m->form, NULL, fd_take(&m->output), e) < 0)
		return -1;
	return transfer_prepare(&t->transfer, e);
}

/* One image with those of the names that are its own. */
static int
save_one(struct task *t, const char *id, struct err *e)
{
	const struct msg_image_save *m = t->saved;
	own_strv struct strv names = {0};

	for (size_t k = 0; k < m->names.n; k++)
		if (strcmp(m->names.v[k].key, id) == 0)
			strv_add(&names, m->names.v[k].value);
	t->transfer.names = (struct strs){(const char **)names.v, names.n};
	source_store(&t->from, t->store, id);
	return transfer_run(&t->transfer, e);
}

/* The same image by another name has been written with all its names. */
static bool
is_repeated(const struct strs *ids, size_t k)
{
	for (size_t i = 0; i < k; i++)
		if (strcmp(ids->v[i], ids->v[k]) == 0)
			return true;
	return false;
}

static int
save_all(struct task *t, struct err *e)
{
	if (dest_files(&t->to, e) < 0)
		return -1;
	for (size_t k = 0; k < t->saved->images.n; k++)
		if (!is_repeated(&t->saved->images, k) && save_one(t, t->saved->images.v[k], e) < 0)
			return -1;
	return t->to.ops->finish(&t->to, e);
}

int
task_run_save(struct task *t, struct err *e)
{
	if (save_all(t, e) == 0)
		return 0;
	dest_abandon(&t->to);
	return -1;
}

/* --- Copy ------------------------------------------------------------------------------------- */

int
task_prepare_source(struct task *t, struct msg_image_copy *m, struct err *e)
{
	const char *rest = m->source;
	const char *transport = t->store == NULL ? reference_transport(m->source, &rest) : NULL;

	t->transfer.platform = (struct manifest_platform){m->os, m->architecture, m->variant};
	if (t->store != NULL) {
		t->image = m->source;
		return source_list_prepare(
		    &t->parts, t->store, t->image, t->graph_root, m->to, &t->is_list, e);
	}
	if (reference_refuse_transport(m->source, e) < 0)
		return -1;
	if (transport == NULL)
		return reference_no_transport("source", m->source, e);
	if (strcmp(transport, "docker") == 0)
		return plan_pull(&t->plan, rest, true, m->from, e);
	t->load = (struct load){.report = t->report,
	    .graph_root = t->graph_root,
	    .platform = {m->os, m->architecture, m->variant},
	    .policy_file = m->from != NULL ? m->from->policy_file : NULL,
	    .daemon_host = m->from != NULL ? m->from->daemon_host : NULL};
	return load_prepare_path(&t->load, transport, rest, e);
}

/* A registry may keep signatures itself, which is not known yet. */
static enum signer_source
plan_signed(const struct plan *p)
{
	for (size_t i = 0; i < p->nsources; i++)
		for (size_t k = 0; k < p->sources[i].trust.nplaces; k++)
			if (place_has_lookaside(&p->sources[i].trust.places[k]))
				return SIGNER_SIGNED;
	return p->nsources > 0 ? SIGNER_MAY_BE_SIGNED : SIGNER_UNSIGNED;
}

static enum signer_source
source_signed(const struct plan *p, const struct load *l)
{
	return l->signed_files ? SIGNER_SIGNED : plan_signed(p);
}

/*
 * Has the source simple signatures?  Only if it seems so a lookaside is made for them, which takes the caller's power,
 * while the source is read without it.
 */
static enum signer_source
is_signed(const struct task *t)
{
	enum signer_source r;

	if (t->image == NULL)
		return source_signed(&t->plan, &t->load);
	r = source_list_signed(&t->parts) ? SIGNER_SIGNED : SIGNER_UNSIGNED;
	for (size_t i = 0; i < t->parts.n; i++) {
		enum signer_source part =
		    source_signed(&t->parts.origins[i].plan, &t->parts.origins[i].load);

		r = part > r ? part : r;
	}
	return r;
}

static int
prepare_destination(struct task *t, struct msg_image_copy *m, struct err *e)
{
	const char *rest = m->destination;
	const char *transport = reference_transport(m->destination, &rest);

	if (reference_refuse_transport(m->destination, e) < 0)
		return -1;
	if (transport == NULL || strcmp(transport, "docker") == 0)
		return plan_push(&t->to_plan, rest, m->to, e) < 0 ||
			       signer_prepare(&t->signer, m->signing, &t->to_plan.sources[0].ref,
				   m->remove_signatures ? SIGNER_UNSIGNED : is_signed(t), e) < 0
			   ? -1
			   : 0;
	if (strcmp(transport, "dir") == 0) {
		if (signer_prepare(&t->signer, m->signing, NULL, SIGNER_UNSIGNED, e) < 0)
			return -1;
	} else if (m->signing != NULL &&
		   (m->signing->gpg_key != NULL || m->signing->sigstore_key != NULL)) {
		return err_set(e, ERR_UNSUPPORTED,
		    "Cannot determine canonical Docker reference for destination %s:%s: it keeps "
		    "no signatures",
		    transport, rest);
	}
	/* For the life of this process. */
	t->transfer.beside = strcmp(transport, "docker-daemon") == 0
				 ? "/var/tmp/image"
				 : xstrndup(rest, strcspn(rest, ":"));
	return dest_files_path(
	    &t->to, transport, rest, m->to != NULL ? m->to->daemon_host : NULL, e);
}

static int
check_words(const struct msg_image_copy *m, struct err *e)
{
	static const char *const formats[] = {"oci", "v2s2"};
	static const char *const compressions[] = {"gzip", "zstd", "zstd:chunked"};
	bool format = m->format == NULL, compression = m->compression == NULL;

	for (size_t i = 0; i < m->add_compression.n; i++) {
		bool known = false;

		for (size_t k = 0; k < COUNTOF(compressions); k++)
			known |= strcmp(m->add_compression.v[i], compressions[k]) == 0;
		if (!known)
			return err_set(e, ERR_USAGE, "cannot find compressor for \"%.64s\"",
			    m->add_compression.v[i]);
	}
	for (size_t k = 0; k < COUNTOF(formats); k++)
		format |= m->format != NULL && strcmp(m->format, formats[k]) == 0;
	for (size_t k = 0; k < COUNTOF(compressions); k++)
		compression |=
		    m->compression != NULL && strcmp(m->compression, compressions[k]) == 0;
	if (!format)
		return err_set(e, ERR_USAGE,
		    "unknown format \"%.64s\". Choose one of the supported formats: 'oci', 'v2s2'",
		    m->format);
	return compression
		   ? 0
		   : err_set(e, ERR_USAGE, "cannot find compressor for \"%.64s\"", m->compression);
}

int
task_prepare_copy(struct task *t, struct msg_image_copy *m, struct err *e)
{
	uint64_t tries = m->to != NULL && m->to->retries > 0 ? m->to->retries : 4;
	int r;

	if (t->store == NULL && m->store > 0)
		t->store = peer_new(fd_take(&m->store), ROLE_IMAGE, ROLE_STORE);
	if (m->fetch > 0)
		plan_take_worker(&t->to_plan, fd_take(&m->fetch));
	if (check_words(m, e) < 0)
		return -1;
	t->transfer = (struct transfer){.report = t->report,
	    .format = m->format,
	    .compression = m->compression,
	    .level = m->level,
	    .force = m->force,
	    .compress = m->compress,
	    .all = m->all,
	    .only_index = m->only_index,
	    .add_compression = m->add_compression,
	    .preserve = m->preserve,
	    .remove_signatures = m->remove_signatures,
	    .platform = {m->os, m->architecture, m->variant},
	    .tries = (unsigned)tries,
	    .graph_root = t->graph_root,
	    .from = &t->from,
	    .to = &t->to,
	    .store = t->store,
	    .crypt = &t->crypt};
	r = crypt_prepare(&t->crypt, m->from, m->encryption, e);
	if (r == 0)
		r = task_prepare_source(t, m, e);
	if (r == 0)
		r = prepare_destination(t, m, e);
	t->to.signer = &t->signer;
	if (r == 0)
		r = transfer_prepare(&t->transfer, e);
	if (m->from != NULL)
		task_wipe(m->from->creds);
	if (m->to != NULL)
		task_wipe(m->to->creds);
	strv_add_all(&t->names, m->names.v, m->names.n);
	return r;
}

int
task_open_source(struct task *t, struct err *e)
{
	if (t->image == NULL)
		return t->plan.nsources > 0 ? source_registry(&t->from, &t->plan, e)
					    : source_files(&t->from, &t->load, e);
	if (t->is_list)
		source_list(&t->from, &t->parts);
	else
		source_store(&t->from, t->store, t->image);
	return 0;
}

static int
open_ends(struct task *t, struct err *e)
{
	if (task_open_source(t, e) < 0)
		return -1;
	if (t->to_plan.nsources > 0)
		return dest_registry(&t->to, &t->to_plan, e);
	if (t->to.name != NULL)
		strv_add(&t->names, t->to.name);
	return dest_files(&t->to, e);
}

int
task_run_copy(struct task *t, struct err *e)
{
	if (open_ends(t, e) < 0) {
		dest_abandon(&t->to);
		return -1;
	}
	t->transfer.names = (struct strs){(const char **)t->names.v, t->names.n};
	if (transfer_run(&t->transfer, e) == 0 && t->to.ops->finish(&t->to, e) == 0)
		return 0;
	daemon_explain(&t->to.daemon, e);
	dest_abandon(&t->to);
	return -1;
}

/* --- Signing ---------------------------------------------------------------------------------- */

int
task_prepare_sign(struct task *t, struct msg_image_sign *m, struct err *e)
{
	const char *rest = m->reference;
	const char *transport = reference_transport(m->reference, &rest);
	struct plan *p = &t->plan;

	if (transport != NULL && strcmp(transport, "docker") != 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "only images in a registry can be signed here, not %s", m->reference);
	t->sign_all = m->all;
	if (plan_pull(p, rest, transport != NULL, m->access, e) < 0)
		return -1;
	return m->directory != NULL
		   ? signer_prepare_dir(&t->signer, m->signing, m->directory, e)
		   : signer_prepare(&t->signer, m->signing, &p->sources[0].ref, SIGNER_UNSIGNED, e);
}

static int
sign_document(struct task *t, struct bytes b, struct err *e)
{
	const struct reference *to = &t->plan.sources[0].ref;
	own_manifest struct manifest m = {0};
	char digest[DIGEST_TEXT];

	if (schema1_digest((const char *)b.p, b.n, digest, e) < 0)
		return -1;
	if (to->digest != NULL && strcmp(to->digest, digest) != 0)
		return err_set(
		    e, ERR_INTEGRITY, "digest mismatch: expected %s, got %s", to->digest, digest);
	if (!schema1_is((const char *)b.p, b.n) &&
	    manifest_parse((const char *)b.p, b.n, NULL, &m, e) < 0)
		return -1;
	for (size_t i = 0; t->sign_all && m.is_index && i < m.nentries; i++) {
		if (signer_put(&t->signer, to, m.entries[i].desc.digest, NULL, NULL, NULL, e) < 0)
			return -1;
	}
	return signer_put(&t->signer, to, digest, NULL, NULL, NULL, e);
}

int
task_run_sign(struct task *t, struct err *e)
{
	own_document struct document top = {0};

	if (source_registry(&t->from, &t->plan, e) < 0 || source_top(&t->from, &top, e) < 0)
		return -1;
	return sign_document(t, document_bytes(&top), e);
}

/* --- Search ----------------------------------------------------------------------------------- */

int
task_prepare_search(struct task *t, struct msg_image_search *m, struct err *e)
{
	int r;

	t->search = (struct search){.plan = &t->plan, .limit = m->limit};
	if (m->list_tags)
		r = plan_tags(&t->plan, m->term, m->access, e);
	else
		r = plan_search(&t->plan, m->term, m->access, &t->search.term, e);
	if (m->access != NULL)
		task_wipe(m->access->creds);
	return r;
}

int
task_run_search(struct task *t, struct err *e)
{
	return search_run(&t->search, e);
}

/* --- Login ------------------------------------------------------------------------------------ */

int
task_prepare_login(struct task *t, struct msg_registry_login *m, struct err *e)
{
	int r = plan_login(&t->plan, m->registry, m->username, m->password, m->access, e);

	task_wipe(m->password);
	return r;
}

int
task_run_login(struct task *t, struct err *e)
{
	struct peer *fetch = plan_worker_peer(&t->plan, 0, e);
	struct msg_fetch_login m = {0};
	own_peer_in struct peer_in in = {0};

	if (fetch == NULL)
		return -1;
	if (peer_call(fetch, &msg_fetch_login_desc, &m, &in, NULL, NULL, e) == 0)
		return 0;
	if (e->class == ERR_AUTH || e->class == ERR_DENIED) {
		err_set(e, ERR_AUTH, "invalid username/password");
		return err_wrap(e, "logging into \"%s\"", t->plan.workers[0].registry);
	}
	return err_wrap(e, "authenticating creds for \"%s\"", t->plan.workers[0].registry);
}

/* --- Both halves ------------------------------------------------------------------------------ */

int
task_confine(struct task *t, struct err *e)
{
	own_keep struct keep k = {0};

	keep_peer(&k, t->report.run);
	keep_peer(&k, t->store);
	keep_fd(&k, t->keep_fd);
	plan_fds(&t->plan, &k);
	plan_fds(&t->to_plan, &k);
	load_fds(&t->load, &k);
	keep_peer(&k, t->web.fetch);
	if (t->web.get != NULL)
		keep_fd(&k, t->web.get->stream);
	artifact_job_fds(&t->artifact, &k);
	source_list_fds(&t->parts, &k);
	dest_fds(&t->to, &k);
	signer_fds(&t->signer, &k);
	crypt_fds(&t->crypt, &k);
	transfer_fds(&t->transfer, &k);
	keep_sort(&k);
	return role_enter(ROLE_IMAGE, k.v, k.n, e);
}

void
task_free(struct task *t)
{
	search_free(&t->search);
	list_job_free(&t->list);
	web_free(&t->web);
	artifact_job_free(&t->artifact);
	source_list_free(&t->parts);
	plan_free(&t->plan);
	load_free(&t->load);
	plan_free(&t->to_plan);
	dest_free(&t->to);
	signer_free(&t->signer);
	crypt_free(&t->crypt);
	transfer_free(&t->transfer);
	strv_free(&t->ids);
	strv_free(&t->names);
	peer_free(t->store);
}
