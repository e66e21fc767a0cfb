/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/value.h"
#include "pod-store/options.h"
#include "pod-store/overlay.h"

static int
parse_driver(const char *name, enum store_driver *out, struct err *e)
{
	static const struct {
		const char *name;
		enum store_driver driver;
	} drivers[] = {{"", DRIVER_AUTO}, {"overlay", DRIVER_OVERLAY}, {"overlay2", DRIVER_OVERLAY},
	    {"vfs", DRIVER_VFS}};

	for (size_t i = 0; i < COUNTOF(drivers); i++)
		if (strcmp(name, drivers[i].name) == 0) {
			*out = drivers[i].driver;
			return 0;
		}
	err_set(e, ERR_UNSUPPORTED, "storage driver \"%s\" is not available", name);
	return err_hint(e, "The drivers are overlay and vfs.");
}

static int
set_bool(bool *out, const char *value, struct err *e)
{
	*out = false;
	return *value == '\0' ? 0 : value_bool(value, out, e);
}

static void
set_text(char **out, const char *value)
{
	free(*out);
	*out = *value != '\0' ? xstrdup(value) : NULL;
}

static int
on_size(struct options *o, const char *value, struct err *e)
{
	int64_t n = 0;

	if (*value != '\0' && value_size(value, &n, e) == -1)
		return -1;
	if (n < 0)
		return err_set(e, ERR_USAGE, "a size cannot be negative");
	o->store.size = (uint64_t)n;
	return 0;
}

static int
on_inodes(struct options *o, const char *value, struct err *e)
{
	if (text_to_u64(value, INT64_MAX, &o->store.inodes) == -1)
		return err_set(e, ERR_USAGE, "\"%s\" is not a number", value);
	return 0;
}

static int
on_mountopt(struct options *o, const char *value, struct err *e)
{
	(void)e;
	set_text(&o->store.mountopt, value);
	return 0;
}

static int
on_program(struct options *o, const char *value, struct err *e)
{
	if (*value != '\0' && *value != '/')
		return err_set(e, ERR_USAGE, "\"%s\" is not an absolute path", value);
	set_text(&o->store.mount_program, value);
	return 0;
}

static int
on_layout(struct options *o, const char *value, struct err *e)
{
	return layout_parse(value, &o->store.layout, e);
}

/* Layers without these permissions can be used by no other engine, and other engines' by no kernel. */
static int
on_force_mask(struct options *o, const char *value, struct err *e)
{
	(void)o;
	return *value == '\0' ? 0
			      : err_set(e, ERR_UNSUPPORTED,
				    "force_mask \"%.32s\": files are only kept with their own "
				    "permissions here",
				    value);
}

static int
on_chown(struct options *o, const char *value, struct err *e)
{
	return set_bool(&o->store.ignore_chown_errors, value, e);
}

static int
on_sync(struct options *o, const char *value, struct err *e)
{
	o->store.sync = strcmp(value, "filesystem") == 0;
	return o->store.sync || *value == '\0' || strcmp(value, "none") == 0
		   ? 0
		   : err_set(e, ERR_USAGE, "\"%s\" is neither none nor filesystem", value);
}

static int
on_partial(struct options *o, const char *value, struct err *e)
{
	bool on = true;

	if (*value != '\0' && value_bool(value, &on, e) == -1)
		return -1;
	o->store.whole_layers = !on;
	return 0;
}

/* Several are separated by commas. */
static int
on_more(struct options *o, const char *value, struct err *e)
{
	own_strv struct strv paths = {0};

	strv_split(&paths, value, ',');
	for (size_t i = 0; i < paths.n; i++) {
		if (*paths.v[i] == '\0')
			continue;
		if (*paths.v[i] != '/')
			return err_set(e, ERR_USAGE, "\"%s\" is not an absolute path", paths.v[i]);
		if (strv_find(&o->more, paths.v[i]) == o->more.n)
			strv_add(&o->more, paths.v[i]);
	}
	return 0;
}

static int
on_volume_path(struct options *o, const char *value, struct err *e)
{
	(void)e;
	set_text(&o->volume_path, value);
	o->volume_path_must = true;
	return 0;
}

static int
on_default_volume_path(struct options *o, const char *value, struct err *e)
{
	(void)e;
	set_text(&o->volume_path, value);
	return 0;
}

static int
on_priority(struct options *o, const char *value, struct err *e)
{
	own_strv struct strv names = {0};
	enum store_driver d;
	struct err ignored;

	(void)e;
	strv_split(&names, value, ',');
	for (size_t i = 0; i < names.n; i++) {
		if (parse_driver(names.v[i], &d, &ignored) == -1 || d == DRIVER_AUTO)
			continue;
		o->store.vfs_first = d == DRIVER_VFS;
		return 0;
	}
	return 0;
}

static int
ignored(struct options *o, const char *value, struct err *e)
{
	(void)o;
	(void)value;
	(void)e;
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct options *o, const char *value, struct err *e);
} table[] = {
    {"additionalimagestore", on_more},
    {"additionalimagestores", on_more},
    {"driver_priority", on_priority},
    {"ignore_chown_errors", on_chown},
    {"imagestore", on_more},
    {"inodes", on_inodes},
    {"layout", on_layout},
    {"mount_program", on_program},
    {"mountopt", on_mountopt},
    {"pull_options.enable_partial_images", on_partial},
    {"size", on_size},
    {"sync", on_sync},
    /* Nothing here needs it: no mount stays, and an index is part of no layer. */
    {"skip_mount_home", ignored},
    {"force_mask", on_force_mask},
    /* In files that were made for other engines. */
    {"pull_options.convert_images", ignored},
    {"pull_options.insecure_allow_unpredictable_image_contents", ignored},
    {"pull_options.ostree_repos", ignored},
    {"pull_options.use_hard_links", ignored},
    {"use_composefs", ignored},
    /* From the coordinator. */
    {"repair", ignored},
    {"volume_path", on_volume_path},
    {"default_volume_path", on_default_volume_path},
};

static const char *
plain_key(const char *key)
{
	static const char *const prefixes[] = {"overlay2.", "overlay.", "vfs.", "."};

	for (size_t i = 0; i < COUNTOF(prefixes); i++)
		if (text_has_prefix(key, prefixes[i]))
			return key + strlen(prefixes[i]);
	return key;
}

static int
set_one(struct options *o, const struct rec_kv *kv, struct err *e)
{
	const char *key = plain_key(kv->key);

	for (size_t i = 0; i < COUNTOF(table); i++)
		if (strcmp(key, table[i].key) == 0)
			return table[i].set(o, kv->value, e) == 0
				   ? 0
				   : err_wrap(e, "storage option %s", kv->key);
	return err_set(e, ERR_USAGE, "unknown storage option %s", kv->key);
}

int
options_read(struct options *o, const struct msg_hello *m, struct err *e)
{
	if (m->graph_root == NULL)
		return err_set(e, ERR_INVALID, "no graph root was given");
	o->store.layout = LAYOUT_DIR;
	if (m->driver != NULL && parse_driver(m->driver, &o->store.driver, e) == -1)
		return -1;
	set_text(&o->image_store, m->image_store != NULL ? m->image_store : "");
	for (size_t i = 0; i < m->options.n; i++)
		if (set_one(o, &m->options.v[i], e) == -1)
			return -1;
	/* A program has more options than the kernel, and refuses itself what it does not know. */
	if (o->store.mount_program == NULL && overlay_check_options(o->store.mountopt, e) == -1)
		return err_wrap(e, "storage option overlay.mountopt");
	return 0;
}

void
options_free(struct options *o)
{
	free(o->store.mountopt);
	free(o->store.mount_program);
	free(o->image_store);
	free(o->volume_path);
	strv_free(&o->more);
}
