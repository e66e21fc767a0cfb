/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/cmd/volume_row.h"
#include "pod-run/life/remove.h"
#include "pod-run/life/volumes.h"
#include "pod-run/remote/networks.h"
#include "pod-run/state/ctr.h"
#include "pod-run/state/event.h"

#define VOLUME(o) (((const struct volume_row *)(o))->v)

static const char *
driver_of(const struct rec_volume *v)
{
	return inspect_or(v->driver, "local");
}

/* --- Filters ------------------------------------------------------------------------------------*/

static bool
match_name(const struct term *t, const void *o)
{
	return terms_name(t, VOLUME(o)->name);
}

static bool
match_driver(const struct term *t, const void *o)
{
	return strcmp(driver_of(VOLUME(o)), t->value) == 0;
}

static bool
match_scope(const struct term *t, const void *o)
{
	(void)o;
	return strcmp("local", t->value) == 0;
}

static bool
match_label(const struct term *t, const void *o)
{
	return terms_label(t->value, VOLUME(o)->labels.v, VOLUME(o)->labels.n);
}

static bool
match_not_label(const struct term *t, const void *o)
{
	return !match_label(t, o);
}

static bool
match_option(const struct term *t, const void *o)
{
	return terms_label(t->value, VOLUME(o)->options.v, VOLUME(o)->options.n);
}

static bool
match_until(const struct term *t, const void *o)
{
	return VOLUME(o)->created_ns < t->number;
}

static bool
match_since(const struct term *t, const void *o)
{
	return VOLUME(o)->created_ns > t->number;
}

/* since=VOLUME compares times of creation. */
static int
prepare_volume(struct ctx *x, struct term *t, struct err *e)
{
	struct msg_volume_get m = {.name = t->value};
	own_peer_in struct peer_in in = {0};
	struct peer *store = ctx_store(x, e);

	if (store == NULL || peer_call(store, &msg_volume_get_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	t->number = MSG_OF(&in, volume_got)->volume->created_ns;
	return 0;
}

static bool
match_dangling(const struct term *t, const void *o)
{
	return (((const struct volume_row *)o)->users == 0) == (t->number != 0);
}

static bool
match_anonymous(const struct term *t, const void *o)
{
	return VOLUME(o)->anonymous == (t->number != 0);
}

static const struct terms_key keys[] = {
    {"after", false, prepare_volume, match_since},
    {"anonymous", false, terms_prepare_bool, match_anonymous},
    {"dangling", false, terms_prepare_bool, match_dangling},
    {"driver", false, NULL, match_driver},
    {"label", true, NULL, match_label},
    {"label!", true, NULL, match_not_label},
    {"name", false, terms_prepare_regex, match_name},
    {"opt", false, NULL, match_option},
    {"scope", false, NULL, match_scope},
    {"since", false, prepare_volume, match_since},
    {"until", false, terms_prepare_time, match_until},
    {0},
};

/* --- The list -----------------------------------------------------------------------------------*/

void
volume_row_free(struct volume_rows *r)
{
	free(r->v);
	peer_in_free(&r->in);
}

int
volume_row_check(struct ctx *x, const struct strv *filters, struct err *e)
{
	own_terms struct terms terms = {0};

	/* Those of a service are its own to understand. */
	return x->remote != NULL ? 0 : terms_parse(x, keys, filters, &terms, e);
}

int
volume_row_list(struct ctx *x, const struct strv *filters, struct volume_rows *out, struct err *e)
{
	struct msg_volume_list m = {0};
	own_terms struct terms terms = {0};
	struct peer *store = ctx_store(x, e);
	struct db *db = ctx_db(x, e);
	const struct msg_volume_listed *l;

	if (store == NULL || db == NULL || terms_parse(x, keys, filters, &terms, e) == -1 ||
	    peer_call(store, &msg_volume_list_desc, &m, &out->in, NULL, NULL, e) == -1)
		return -1;
	l = MSG_OF(&out->in, volume_listed);
	out->v = xcalloc(l->volumes.n + 1, sizeof(*out->v));
	for (size_t i = 0; i < l->volumes.n; i++) {
		struct volume_row row = {.v = &l->volumes.v[i]};
		own_strv struct strv users = {0};

		if (ctr_using_volume(db, row.v->name, &users, e) == -1)
			return -1;
		row.users = users.n;
		if (terms_match(&terms, &row))
			out->v[out->n++] = row;
	}
	return 0;
}

json_t *
volume_row_json(const struct rec_volume *v)
{
	json_t *o = json_obj();
	char created[HUMAN_MAX];

	json_put_str(o, "Name", v->name);
	json_put_str(o, "Driver", driver_of(v));
	json_put_str(o, "Mountpoint", inspect_or(v->mountpoint, ""));
	json_put_str(o, "CreatedAt", human_rfc3339nano(v->created_ns, created, sizeof(created)));
	json_put_take(o, "Labels", inspect_kvs(v->labels.v, v->labels.n));
	json_put_str(o, "Scope", "local");
	json_put_take(o, "Options", inspect_kvs(v->options.v, v->options.n));
	if (v->anonymous)
		json_put_bool(o, "Anonymous", true);
	json_put_int(o, "MountCount", 0);
	if (v->needs_copy_up)
		json_put_bool(o, "NeedsCopyUp", true);
	if (v->needs_chown)
		json_put_bool(o, "NeedsChown", true);
	if (v->owned) {
		json_put_int(o, "UID", (json_int_t)v->uid);
		json_put_int(o, "GID", (json_int_t)v->gid);
	}
	return o;
}

int
inspect_volume(struct ctx *x, const char *word, bool size, json_t **out, struct err *e)
{
	struct msg_volume_get m = {.name = word};
	own_peer_in struct peer_in in = {0};
	struct peer *store = ctx_store(x, e);

	(void)size;
	if (store == NULL || peer_call(store, &msg_volume_get_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	*out = volume_row_json(MSG_OF(&in, volume_got)->volume);
	return 0;
}

/* --- Removal ------------------------------------------------------------------------------------*/

static int
remove_users(struct ctx *x, const struct strv *users, int64_t timeout_s, struct err *e)
{
	struct remove how = {
	    .force = true, .volumes = true, .depend = true, .timeout_s = timeout_s};

	for (size_t i = 0; i < users->n; i++)
		if (remove_ctr(x, users->v[i], &how, e) == -1) {
			if (e->class != ERR_NOTFOUND)
				return -1;
			err_clear(e);
		}
	return 0;
}

static int
used_error(const char *name, const struct strv *users, struct err *e)
{
	own_strbuf struct strbuf ids = {0};

	for (size_t i = 0; i < users->n; i++)
		strbuf_addf(&ids, "%s%s", i > 0 ? ", " : "", users->v[i]);
	return err_set(e, ERR_INUSE,
	    "volume %s is being used by the following container(s): %s: volume is being used", name,
	    ids.s);
}

int
volume_row_remove(
    struct ctx *x, const char *word, bool force, int64_t timeout_s, char **removed, struct err *e)
{
	own_peer_in struct peer_in got = {0}, in = {0};
	own_strv struct strv users = {0};
	struct msg_volume_get find = {.name = word};
	struct msg_volume_remove m = {.ignore = force};
	struct peer *store = ctx_store(x, e);
	struct db *db = ctx_db(x, e);

	if (store == NULL || db == NULL)
		return -1;
	if (peer_call(store, &msg_volume_get_desc, &find, &got, NULL, NULL, e) == -1)
		return e->class != ERR_NOTFOUND
			   ? -1
			   : err_set(e, ERR_NOTFOUND,
				 "no volume with name \"%s\" found: no such volume", word);
	m.name = MSG_OF(&got, volume_got)->volume->name;
	if (ctr_using_volume(db, m.name, &users, e) == -1)
		return -1;
	if (users.n > 0 && !force)
		return used_error(m.name, &users, e);
	if (remove_users(x, &users, timeout_s, e) == -1)
		return -1;
	if (volumes_unmount(x, MSG_OF(&got, volume_got)->volume, "pod", e) == -1 ||
	    (volumes_is_plugin(MSG_OF(&got, volume_got)->volume) &&
		volumes_plugin_remove(x, MSG_OF(&got, volume_got)->volume, e) == -1)) {
		if (!force)
			return -1;
		err_print(e, stderr);
		err_clear(e);
	}
	if (peer_call(store, &msg_volume_remove_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	event_named(x, EVENT_VOLUME, EVENT_REMOVE, NULL, m.name);
	if (removed != NULL)
		*removed = xstrdup(m.name);
	return 0;
}

int
volume_row_prune(struct ctx *x, bool all, bool dry_run, const struct strv *filters,
    struct strv *removed, struct err *e)
{
	own_volume_rows struct volume_rows rows = {0};

	if (x->remote != NULL)
		return networks_prune_volumes(x->remote, all, dry_run, filters, removed, e);
	if (volume_row_list(x, filters, &rows, e) == -1)
		return -1;
	for (size_t i = 0; i < rows.n; i++) {
		const struct volume_row *r = &rows.v[i];

		if (r->users > 0 || (!all && !r->v->anonymous))
			continue;
		if (dry_run || volume_row_remove(x, r->v->name, false, 0, NULL, e) == 0) {
			if (!dry_run)
				event_named(x, EVENT_VOLUME, EVENT_PRUNE, NULL, r->v->name);
			strv_add(removed, r->v->name);
			continue;
		}
		/* Somebody was faster, one way or the other. */
		if (e->class != ERR_NOTFOUND && e->class != ERR_INUSE)
			return -1;
		err_clear(e);
	}
	return 0;
}
