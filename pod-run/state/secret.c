/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"
#include "common/oci/names.h"
#include "pod-run/state/event.h"
#include "pod-run/state/secret.h"
#include "pod-run/state/secret_driver.h"

#define LIST "secrets.json"
#define LIST_MAX ((size_t)64 << 20)
#define LOCK_MS 10000
#define NAME_LEN_MAX 253

void
secret_wipe(char *data, size_t n)
{
	if (data != NULL)
		explicit_bzero(data, n);
	free(data);
}

void
secret_close(struct secrets *s)
{
	fd_close(&s->lock);
	fd_close(&s->dir);
	json_decref(s->doc);
	s->doc = NULL;
}

static json_t *
empty(void)
{
	json_t *doc = json_obj();

	json_put_obj(doc, "secrets");
	json_put_obj(doc, "nameToID");
	json_put_obj(doc, "idToName");
	return doc;
}

static int
read_list(struct secrets *s, struct err *e)
{
	own_mem char *text = NULL;
	struct err missing = {0};
	json_t *records, *names, *ids;
	size_t n;

	if (file_read(s->dir, LIST, LIST_MAX, &text, &n, &missing) == -1) {
		if (missing.no != ENOENT) {
			*e = missing;
			return -1;
		}
		s->doc = empty();
		return 0;
	}
	s->doc = json_read_max(text, n, LIST_MAX, JSON_DEPTH_DEFAULT, e);
	if (s->doc == NULL || json_need_obj(s->doc, "secrets", &records, e) == -1 ||
	    json_need_obj(s->doc, "nameToID", &names, e) == -1 ||
	    json_need_obj(s->doc, "idToName", &ids, e) == -1)
		return err_wrap(e, "reading the list of secrets");
	return 0;
}

int
secret_open(struct ctx *x, bool write, struct secrets *s, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_mem char *path = NULL;

	if (ctx_paths(x, e) == -1)
		return -1;
	path = xasprintf("%s/secrets", x->graph_root);
	s->x = x;
	s->dir = path_mkdirs(root, path, PATH_IN_ROOT, 0700, NULL, e);
	if (s->dir == -1)
		return -1;
	s->lock =
	    lock_acquire(s->dir, "secrets.lock", write ? LOCK_EXCLUSIVE : LOCK_SHARED, LOCK_MS, e);
	return s->lock == -1 ? -1 : read_list(s, e);
}

static int
save(const struct secrets *s, struct err *e)
{
	own_strbuf struct strbuf text = {0};

	json_go(s->doc, "  ", &text);
	return file_write(s->dir, LIST, text.s, text.n, 0600, FILE_SYNC, e);
}

json_t *
secret_list(const struct secrets *s)
{
	json_t *names = json_object_get(s->doc, "nameToID"), *id, *list = json_arr();
	own_strv struct strv sorted = {0};
	const char *name;

	json_object_foreach (names, name, id) {
		strv_add(&sorted, name);
	}
	strv_sort(&sorted);
	for (size_t i = 0; i < sorted.n; i++) {
		const char *key = json_string_value(json_object_get(names, sorted.v[i]));
		json_t *r =
		    json_object_get(json_object_get(s->doc, "secrets"), key != NULL ? key : "");

		if (json_is_object(r))
			json_add_take(list, json_incref(r));
	}
	return list;
}

json_t *
secret_find(const struct secrets *s, const char *word, struct err *e)
{
	json_t *records = json_object_get(s->doc, "secrets"), *r, *found = NULL;
	const char *id = json_string_value(
		       json_object_get(json_object_get(s->doc, "nameToID"), word)),
		   *key;

	if (id != NULL && (r = json_object_get(records, id)) != NULL)
		return r;
	json_object_foreach (records, key, r) {
		if (*word == '\0' || !text_has_prefix(key, word))
			continue;
		if (found != NULL) {
			err_set(e, ERR_INVALID, "more than one result secret with prefix %s", word);
			return NULL;
		}
		found = r;
	}
	if (found == NULL)
		err_set(e, ERR_NOTFOUND, "no secret with name or id \"%s\": no such secret", word);
	return found;
}

static const char *
text_of(const json_t *record, const char *key)
{
	const char *s = json_string_value(json_object_get(record, key));

	return s != NULL ? s : "";
}

int
secret_data(const struct secrets *s, const json_t *record, char **data, size_t *n, struct err *e)
{
	const struct secret_driver *d = secret_driver_find(text_of(record, "driver"), e);

	(void)s;
	return d == NULL ? -1
			 : d->lookup(json_object_get(record, "driverOptions"),
			       text_of(record, "id"), data, n, e);
}

/* --- Changing ---------------------------------------------------------------------------------------*/

static bool
name_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_LEN_MAX && names_is_valid(name) && name[n - 1] != '.' &&
	       name[n - 1] != '-' && name[n - 1] != '_';
}

static int
check(const struct secrets *s, const struct secret_new *n, json_t **old, struct err *e)
{
	struct err ignored = {0};
	const char *id =
	    json_string_value(json_object_get(json_object_get(s->doc, "nameToID"), n->name));

	*old = NULL;
	if (!name_is_valid(n->name))
		return err_set(e, ERR_INVALID,
		    "only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character "
		    "must "
		    "be [a-zA-Z0-9]: %s: invalid secret name",
		    n->name);
	if (n->n == 0 || n->n >= SECRET_DATA_MAX)
		return err_set(
		    e, ERR_INVALID, "secret data must be larger than 0 and less than 512000 bytes");
	if (id == NULL)
		return 0;
	if (!n->replace)
		return err_set(e, ERR_EXISTS, "%s: secret name in use", n->name);
	*old = secret_find(s, n->name, &ignored);
	return 0;
}

/* What was given; the file driver's directory if none was. */
static json_t *
options_of(const struct secrets *s, const struct secret_new *n)
{
	json_t *o = n->options != NULL ? json_strv_map(n->options) : json_obj();

	if (strcmp(n->driver, "file") == 0 && json_object_get(o, "path") == NULL) {
		own_mem char *path = xasprintf("%s/secrets/filedriver", s->x->graph_root);

		json_put_str(o, "path", path);
	}
	return o;
}

static json_t *
record_of(const struct secrets *s, const struct secret_new *n, const char *id)
{
	json_t *r = json_obj();
	char now[HUMAN_MAX];

	human_rfc3339nano(ctx_now_ns(), now, sizeof(now));
	json_put_str(r, "name", n->name);
	json_put_str(r, "id", id);
	if (n->labels != NULL && n->labels->n > 0)
		json_put_take(r, "labels", json_strv_map(n->labels));
	json_put_take(r, "metadata", json_obj());
	json_put_str(r, "createdAt", now);
	json_put_str(r, "updatedAt", now);
	json_put_str(r, "driver", n->driver);
	json_put_take(r, "driverOptions", options_of(s, n));
	return r;
}

static void
forget(struct secrets *s, const char *id, const char *name)
{
	json_object_del(json_object_get(s->doc, "nameToID"), name);
	json_object_del(json_object_get(s->doc, "idToName"), id);
	json_object_del(json_object_get(s->doc, "secrets"), id);
}

/* Of a secret that is recorded no more. */
static void
drop_data(const json_t *record)
{
	const struct secret_driver *d;
	struct err e = {0};

	d = secret_driver_find(text_of(record, "driver"), &e);
	if (d == NULL ||
	    d->remove(json_object_get(record, "driverOptions"), text_of(record, "id"), &e) == -1)
		log_warn("removing the data of the secret that was replaced: %s", e.text);
}

int
secret_add(struct secrets *s, const struct secret_new *n, char id[SECRET_ID_LEN + 1], struct err *e)
{
	const struct secret_driver *d = secret_driver_find(n->driver, e);
	char whole[NAMES_ID_LEN + 1];
	own_json json_t *record = NULL, *old = NULL;

	if (d == NULL || check(s, n, &old, e) == -1)
		return -1;
	json_incref(old);
	names_id(whole);
	memcpy(id, whole, SECRET_ID_LEN);
	id[SECRET_ID_LEN] = '\0';
	record = record_of(s, n, id);
	/* The old one is there until the new one is recorded. */
	if (d->store(json_object_get(record, "driverOptions"), id, n->data, n->n, e) == -1)
		return -1;
	if (old != NULL)
		forget(s, text_of(old, "id"), n->name);
	json_put_str(json_object_get(s->doc, "nameToID"), n->name, id);
	json_put_str(json_object_get(s->doc, "idToName"), id, n->name);
	json_put_take(json_object_get(s->doc, "secrets"), id, ptr_take(&record));
	if (save(s, e) == -1)
		return -1;
	if (old != NULL) {
		event_named(s->x, EVENT_SECRET, EVENT_REMOVE, text_of(old, "id"), n->name);
		drop_data(old);
	}
	event_named(s->x, EVENT_SECRET, EVENT_CREATE, id, n->name);
	return 0;
}

int
secret_remove(struct secrets *s, json_t *record, struct err *e)
{
	const struct secret_driver *d = secret_driver_find(text_of(record, "driver"), e);
	own_mem char *id = xstrdup(text_of(record, "id")), *name = xstrdup(text_of(record, "name"));

	if (d == NULL || d->remove(json_object_get(record, "driverOptions"), id, e) == -1)
		return -1;
	forget(s, id, name);
	if (save(s, e) == -1)
		return -1;
	event_named(s->x, EVENT_SECRET, EVENT_REMOVE, id, name);
	return 0;
}
