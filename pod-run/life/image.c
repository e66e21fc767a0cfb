/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/registries_conf.h"
#include "common/oci/reference.h"
#include "common/role/spawn.h"
#include "pod-run/life/image.h"
#include "pod-run/state/event.h"

int
image_candidates(struct ctx *x, const char *name, struct strv *out, struct err *e)
{
	own_registries_conf struct registries_conf conf = {0};
	own_reference struct reference whole = {0};
	struct err ignored = {0};

	(void)x;
	/* A name with its registry means itself, whatever the configuration says of short names. */
	if (reference_parse(name, &whole, &ignored) == 0 && whole.domain != NULL &&
	    reference_candidates(name, NULL, 0, out, &ignored) == 0)
		return 0;
	if (registries_conf_load(&conf, NULL, e) == -1)
		return -1;
	/* A word that cannot be a name may still be an ID. */
	registries_conf_candidates(&conf, name, out, &ignored);
	return 0;
}

int
image_ask(struct ctx *x, const char *name, const struct image_pull *p, uint32_t *seq, struct err *e)
{
	own_strv struct strv candidates = {0};
	struct msg_image_get m = {.name = name};
	struct peer *store = ctx_store(x, e);

	if (p != NULL) {
		m.os = p->os;
		m.architecture = p->arch;
		m.variant = p->variant;
	}
	if (store == NULL || image_candidates(x, name, &candidates, e) == -1)
		return -1;
	m.candidates = (struct strs){.v = (const char **)candidates.v, .n = candidates.n};
	*seq = peer_next_seq(store);
	return peer_send(store, &msg_image_get_desc, *seq, &m, e);
}

int
image_policy_check(const char *policy, const char **out, struct err *e)
{
	static const struct {
		const char *word, *policy;
	} words[] = {{"always", "always"}, {"Always", "always"}, {"missing", "missing"},
	    {"ifmissing", "missing"}, {"ifnotpresent", "missing"}, {"IfNotPresent", "missing"},
	    {"", "missing"}, {"true", "missing"}, {"1", "missing"}, {"never", "never"},
	    {"Never", "never"}, {"false", "never"}, {"0", "never"}, {"newer", "newer"},
	    {"ifnewer", "newer"}};

	for (size_t i = 0; i < COUNTOF(words); i++)
		if (strcmp(words[i].word, policy) == 0) {
			*out = words[i].policy;
			return 0;
		}
	return err_set(e, ERR_INVALID, "unsupported pull policy \"%s\"", policy);
}

struct peer *
image_helper(struct ctx *x, int *store_end, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_store_join join;
	struct peer *store = ctx_store(x, e), *image;
	own_fd int ours = -1, theirs = -1;
	int pair[2];
	pid_t pid;

	if (store == NULL || peer_pair(pair, e) == -1)
		return NULL;
	ours = pair[0];
	theirs = pair[1];
	join = (struct msg_store_join){.peer = theirs};
	image = ctx_helper(x, ROLE_IMAGE, &pid, e);
	if (image == NULL)
		return NULL;
	if (peer_call(store, &msg_store_join_desc, &join, &in, NULL, NULL, e) == -1) {
		peer_free(image);
		return NULL;
	}
	*store_end = fd_take(&ours);
	return image;
}

int
image_fetch(struct ctx *x, const char *reference, int *end, struct err *e)
{
	const char *rest, *transport = reference_transport(reference, &rest);

	if (transport != NULL && strcmp(transport, "docker") != 0)
		return 0;
	*end = ctx_fetch(x, e);
	return *end == -1 ? -1 : 0;
}

int
image_call(struct ctx *x, const struct wire_desc *d, void *msg, int *store, bool quiet,
    struct peer_in *in, struct err *e)
{
	struct progress progress = {.quiet = quiet};
	own_fd int store_end = -1;
	struct peer *image = image_helper(x, &store_end, e);
	int r;

	if (image == NULL)
		return -1;
	*store = store_end;
	r = peer_call(image, d, msg, in, progress_show, &progress, e);
	*store = -1;
	progress_end(&progress);
	peer_free(image);
	return r;
}

static const char *
first_id(const struct peer_in *in)
{
	const struct msg_image_pull_r *r = MSG_OF(in, image_pull_r);

	return r->ids.n > 0 ? r->ids.v[0] : NULL;
}

int
image_stat_authfile(const char *path, struct err *e)
{
	return path == NULL || *path == '\0' || access(path, F_OK) == 0
		   ? 0
		   : err_sys(e, "stat %s", path);
}

int
image_check_authfile(const char *path, struct err *e)
{
	return image_stat_authfile(path, e) == 0 ? 0 : err_wrap(e, "checking authfile");
}

/* What the user has chosen among search registries is not asked again. */
static void
keep_alias(const struct rec_kv *alias)
{
	struct err e = {0};

	if (alias != NULL && registries_conf_record(alias->key, alias->value, &e) == -1)
		log_warn("%s", e.text);
}

int
image_pull(
    struct ctx *x, const char *name, const struct image_pull *p, struct strv *ids, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct rec_registry_access access = p->access;
	struct progress progress = {.quiet = p->quiet};
	own_fd int store_end = -1, fetch = -1;
	/* First what takes longest to come up. */
	struct peer *image =
	    image_fetch(x, name, &fetch, e) == 0 ? image_helper(x, &store_end, e) : NULL;
	struct msg_image_pull m = {.reference = name,
	    .os = p->os,
	    .architecture = p->arch,
	    .variant = p->variant,
	    .all_tags = p->all_tags,
	    .newer = p->policy != NULL && strcmp(p->policy, "newer") == 0,
	    .access = &access,
	    .store = store_end,
	    .fetch = fetch};
	int r;

	if (image == NULL)
		return -1;
	r = peer_call(image, &msg_image_pull_desc, &m, &in, progress_show, &progress, e);
	progress_end(&progress);
	peer_free(image);
	event_write(x, &(struct event){.type = EVENT_IMAGE,
			   .status = r == 0 ? EVENT_PULL : EVENT_PULL_ERROR,
			   .id = r == 0 ? first_id(&in) : NULL,
			   .name = name,
			   .error = r == 0 ? NULL : e->text});
	if (r == -1)
		return -1;
	keep_alias(MSG_OF(&in, image_pull_r)->alias);
	if (ids != NULL)
		strv_add_all(ids, (const char *const *)MSG_OF(&in, image_pull_r)->ids.v,
		    MSG_OF(&in, image_pull_r)->ids.n);
	return 0;
}

static bool
is_foreign(const struct image_pull *p, const struct rec_image *image)
{
	const struct rec_image_config *c = image->config;

	return c != NULL && ((p->os != NULL && c->os != NULL && strcmp(p->os, c->os) != 0) ||
				(p->arch != NULL && c->architecture != NULL &&
				    strcmp(p->arch, c->architecture) != 0) ||
				(p->variant != NULL && c->variant != NULL &&
				    strcmp(p->variant, c->variant) != 0));
}

/*
 * Asks for the image that was pulled: by the name it was asked for, so that this is the one of its names
 * that the container shows, and by its ID where a transport was named or the name means another.
 */
static int
ask_again(struct ctx *x, const char *name, const char *id, struct peer_in *in, struct err *e)
{
	struct msg_image_get m = {.name = name};
	struct err ignored = {0};
	const char *rest;

	peer_in_free(in);
	if (reference_transport(name, &rest) == NULL &&
	    peer_call(ctx_store(x, e), &msg_image_get_desc, &m, in, NULL, NULL, &ignored) == 0) {
		if (strcmp(MSG_OF(in, image_got)->image->id, id) == 0)
			return 0;
		peer_in_free(in);
	}
	m.name = id;
	return peer_call(ctx_store(x, e), &msg_image_get_desc, &m, in, NULL, NULL, e);
}

int
image_found(struct ctx *x, const char *name, uint32_t seq, const struct image_pull *p,
    struct peer_in *in, struct err *e)
{
	const char *policy = p->policy != NULL ? p->policy : "missing", *rest;
	own_strv struct strv ids = {0};
	bool have, foreign;

	have = peer_wait(ctx_store(x, e), &msg_image_get_desc, seq, in, NULL, NULL, e) == 0;
	if (!have && e->class != ERR_NOTFOUND)
		return -1;
	/* What was named by its ID came from here; there is nothing to ask a registry for. */
	if (have && MSG_OF(in, image_got)->matched == NULL)
		return 0;
	foreign = have && is_foreign(p, MSG_OF(in, image_got)->image);
	if (foreign && strcmp(policy, "missing") == 0)
		policy = "newer";
	if (foreign && strcmp(policy, "never") == 0)
		have = false;
	if (have && (strcmp(policy, "missing") == 0 || strcmp(policy, "never") == 0))
		return 0;
	if (strcmp(policy, "never") == 0)
		return err_set(e, ERR_NOTFOUND, "%s: image not known", name);
	err_clear(e);
	if (image_pull(x, name, p, &ids, e) == -1) {
		if (!have || foreign || strcmp(policy, "newer") != 0)
			return -1;
		/* Without an answer the one that is there is the newest known. */
		log_info("%s", e->text);
		err_clear(e);
		return 0;
	}
	if (ids.n == 0)
		return err_set(e, ERR_NOTFOUND, "%s: image not known",
		    reference_transport(name, &rest) != NULL ? rest : name);
	return ask_again(x, name, ids.v[0], in, e);
}
