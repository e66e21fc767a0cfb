/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/host_root.h"
#include "common/conf/registries_conf.h"
#include "common/conf/toml.h"
#include "common/fs/file.h"

#define MAIN_FILE "/etc/containers/registries.conf"
#define CHOICES "short-name-aliases.conf"
#define DROP_INS "/etc/containers/registries.conf.d"

static void
endpoint_free(struct registries_endpoint *p)
{
	free(p->location);
}

static void
entry_free(struct registries_entry *entry)
{
	free(entry->prefix);
	endpoint_free(&entry->primary);
	for (size_t i = 0; i < entry->nmirrors; i++)
		endpoint_free(&entry->mirrors[i]);
	free(entry->mirrors);
	memset(entry, 0, sizeof(*entry));
}

void
registries_conf_free(struct registries_conf *c)
{
	free(c->file);
	strv_free(&c->search);
	strv_free(&c->cred_helpers);
	for (size_t i = 0; i < c->nentries; i++)
		entry_free(&c->entries[i]);
	free(c->entries);
	for (size_t i = 0; i < c->naliases; i++) {
		free(c->aliases[i].name);
		free(c->aliases[i].value);
		free(c->aliases[i].file);
	}
	free(c->aliases);
	memset(c, 0, sizeof(*c));
}

/* A location is a registry with or without a path, no scheme, no trailing slash. */
static char *
location_copy(const char *s, struct err *e)
{
	char *copy = xstrdup(s);
	size_t n = strlen(copy);

	while (n > 0 && copy[n - 1] == '/')
		copy[--n] = '\0';
	if (n == 0 || strstr(copy, "://") != NULL) {
		err_set(e, ERR_INVALID, "invalid location %.200s: it is a host name, no URL", s);
		free(copy);
		return NULL;
	}
	return copy;
}

static int
mirror_use(const char *s, enum registries_mirror_use *out, struct err *e)
{
	if (strcmp(s, "all") == 0)
		*out = REGISTRIES_MIRROR_ALL;
	else if (strcmp(s, "digest-only") == 0)
		*out = REGISTRIES_MIRROR_DIGEST;
	else if (strcmp(s, "tag-only") == 0)
		*out = REGISTRIES_MIRROR_TAG;
	else
		return err_set(e, ERR_INVALID, "unsupported pull-from-mirror value %.64s", s);
	return 0;
}

static int
read_mirrors(const json_t *j, struct registries_entry *entry, struct err *e)
{
	json_t *list = NULL;

	if (json_want_arr(j, "mirror", &list, e) < 0)
		return -1;
	entry->mirrors = xcalloc(json_array_size(list), sizeof(*entry->mirrors));
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct registries_endpoint *m = &entry->mirrors[i];
		const json_t *t = json_array_get(list, i);
		const char *location, *use = NULL;

		entry->nmirrors++;
		if (!json_is_object(t))
			return err_set(e, ERR_INVALID, "registry.mirror is no table");
		if (json_need_str(t, "location", &location, e) < 0 ||
		    json_want_bool(t, "insecure", &m->insecure, e) < 0 ||
		    json_want_str(t, "pull-from-mirror", &use, e) < 0 ||
		    mirror_use(use != NULL && *use != '\0' ? use : "all", &m->use, e) < 0 ||
		    (m->location = location_copy(location, e)) == NULL)
			return -1;
		if (use != NULL && *use != '\0' && entry->mirror_by_digest_only)
			return err_set(e, ERR_INVALID,
			    "cannot set mirror usage mirror-by-digest-only for the registry "
			    "(\"%s\") and pull-from-mirror for per-mirror (\"%s\") at the same "
			    "time",
			    entry->prefix, m->location);
	}
	return 0;
}

/* What could never match, or stands where it has no effect, is no way to block or to redirect. */
static int
check_entry(const char *prefix, const char *location, const char *use, struct err *e)
{
	bool wild = text_has_prefix(prefix, "*.");

	if (wild && strpbrk(prefix, "/@:") != NULL)
		return err_set(e, ERR_INVALID,
		    "Wildcarded prefix should be in the format: *.example.com. Current prefix "
		    "\"%.200s\" "
		    "is incorrectly formatted",
		    prefix);
	if (!wild && location == NULL)
		return err_set(e, ERR_INVALID,
		    "invalid condition: location is unset and prefix is not in the format: "
		    "*.example.com");
	if (use != NULL && *use != '\0')
		return err_set(e, ERR_INVALID,
		    "pull-from-mirror must not be set for a non-mirror registry \"%.200s\"",
		    prefix);
	return 0;
}

static int
read_entry(const json_t *j, struct registries_entry *entry, struct err *e)
{
	const char *prefix = NULL, *location = NULL, *use = NULL;

	if (!json_is_object(j))
		return err_set(e, ERR_INVALID, "registry is no table");
	if (json_want_str(j, "prefix", &prefix, e) < 0 ||
	    json_want_str(j, "location", &location, e) < 0 ||
	    json_want_str(j, "pull-from-mirror", &use, e) < 0 ||
	    json_want_bool(j, "insecure", &entry->primary.insecure, e) < 0 ||
	    json_want_bool(j, "blocked", &entry->blocked, e) < 0 ||
	    json_want_bool(j, "mirror-by-digest-only", &entry->mirror_by_digest_only, e) < 0)
		return -1;
	if (location != NULL && *location == '\0')
		location = NULL;
	if (prefix == NULL || *prefix == '\0')
		prefix = location;
	if (prefix == NULL)
		return err_set(e, ERR_INVALID, "a registry has neither location nor prefix");
	if (check_entry(prefix, location, use, e) < 0 ||
	    (entry->prefix = location_copy(prefix, e)) == NULL ||
	    (location != NULL && (entry->primary.location = location_copy(location, e)) == NULL))
		return -1;
	return read_mirrors(j, entry, e);
}

/* Two tables of one file for the same place must agree on what is a matter of trust. */
static int
check_agreement(const struct registries_entry *a, const struct registries_entry *b, struct err *e)
{
	const char *what = a->primary.insecure != b->primary.insecure ? "insecure"
			   : a->blocked != b->blocked		      ? "blocked"
								      : NULL;

	if (what == NULL || a->primary.location == NULL || b->primary.location == NULL ||
	    strcmp(a->primary.location, b->primary.location) != 0)
		return 0;
	return err_set(e, ERR_INVALID,
	    "registry '%s' is defined multiple times with conflicting '%s' setting",
	    a->primary.location, what);
}

/* A later file's entry replaces an earlier one with the same prefix. */
static void
put_entry(struct registries_conf *c, struct registries_entry *entry)
{
	for (size_t i = 0; i < c->nentries; i++) {
		if (strcmp(c->entries[i].prefix, entry->prefix) == 0) {
			entry_free(&c->entries[i]);
			c->entries[i] = *entry;
			return;
		}
	}
	c->entries = mem_grow(c->entries, &c->entries_cap, c->nentries + 1, sizeof(*c->entries));
	c->entries[c->nentries++] = *entry;
}

static int
read_list(const json_t *list, struct registries_entry *entries, size_t *n, struct err *e)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		(*n)++;
		if (read_entry(json_array_get(list, i), &entries[i], e) < 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (check_agreement(&entries[k], &entries[i], e) < 0)
				return -1;
	}
	return 0;
}

static int
read_entries(struct registries_conf *c, const json_t *j, struct err *e)
{
	own_mem struct registries_entry *entries = NULL;
	json_t *list = NULL;
	size_t n = 0;
	int r;

	if (json_want_arr(j, "registry", &list, e) < 0)
		return -1;
	entries = xcalloc(json_array_size(list) + 1, sizeof(*entries));
	r = read_list(list, entries, &n, e);
	for (size_t i = 0; i < n; i++)
		if (r == 0)
			put_entry(c, &entries[i]);
		else
			entry_free(&entries[i]);
	return r;
}

static void
put_alias(struct registries_conf *c, const char *name, const char *value, const char *file)
{
	struct registries_alias *a = NULL;

	for (size_t i = 0; i < c->naliases; i++) {
		if (strcmp(c->aliases[i].name, name) == 0)
			a = &c->aliases[i];
	}
	if (a == NULL) {
		c->aliases =
		    mem_grow(c->aliases, &c->aliases_cap, c->naliases + 1, sizeof(*c->aliases));
		a = &c->aliases[c->naliases++];
		*a = (struct registries_alias){.name = xstrdup(name)};
	}
	free(a->value);
	free(a->file);
	a->value = xstrdup(value);
	a->file = xstrdup(file);
}

/* NAME = "REGISTRY/REPOSITORY", or "" that takes an earlier one away; tags and digests are those of the user's word. */
static int
check_alias(const char *name, const char *value, struct err *e)
{
	own_reference struct reference key = {0}, full = {0};
	const char *why = NULL;

	if (reference_parse(name, &key, e) < 0)
		return -1;
	if (key.domain != NULL || key.tag != NULL || key.digest != NULL)
		return err_set(e, ERR_INVALID, "invalid short name \"%.200s\": must not contain %s",
		    name,
		    key.domain != NULL ? "registry"
		    : key.tag != NULL  ? "tag"
				       : "digest");
	if (*value == '\0')
		return 0;
	if (reference_parse(value, &full, e) < 0)
		return -1;
	why = full.domain == NULL   ? "must contain registry and repository"
	      : full.tag != NULL    ? "must not contain tag"
	      : full.digest != NULL ? "must not contain digest"
				    : NULL;
	return why == NULL ? 0
			   : err_set(e, ERR_INVALID, "invalid alias \"%.200s\": %s", value, why);
}

static int
read_aliases(struct registries_conf *c, const json_t *j, const char *file, struct err *e)
{
	json_t *table = NULL, *v;
	const char *name;

	if (json_want_obj(j, "aliases", &table, e) < 0)
		return -1;
	json_object_foreach (table, name, v) {
		if (!json_is_string(v))
			return err_set(e, ERR_INVALID, "aliases: %.100s is no string", name);
		if (check_alias(name, json_string_value(v), e) < 0)
			return err_wrap(e, "validating short-name aliases");
		put_alias(c, name, json_string_value(v), file);
	}
	return 0;
}

static int
read_mode(struct registries_conf *c, const json_t *j, struct err *e)
{
	static const char *const words[] = {
	    [REGISTRIES_PERMISSIVE] = "permissive",
	    [REGISTRIES_ENFORCING] = "enforcing",
	    [REGISTRIES_DISABLED] = "disabled",
	};
	const char *mode = NULL;

	if (json_want_str(j, "short-name-mode", &mode, e) < 0)
		return -1;
	if (mode != NULL && *mode == '\0')
		mode = NULL;
	for (size_t i = 0; mode != NULL && i < COUNTOF(words); i++) {
		if (strcmp(mode, words[i]) == 0) {
			c->mode = (enum registries_short_name_mode)i;
			return 0;
		}
	}
	return mode == NULL ? 0 : err_set(e, ERR_INVALID, "invalid short-name-mode: %.64s", mode);
}

/* What is there takes the place of what an earlier file said. */
static int
read_search(struct registries_conf *c, const json_t *j, const char *key, struct err *e)
{
	own_strv struct strv names = {0};

	if (json_object_get(j, key) == NULL)
		return 0;
	if (json_want_strv(j, key, &names, e) < 0)
		return -1;
	strv_free(&c->search);
	memset(&c->search, 0, sizeof(c->search));
	for (size_t i = 0; i < names.n; i++) {
		own_mem char *name = location_copy(names.v[i], e);

		if (name == NULL)
			return -1;
		if (!reference_prefix_valid(name))
			return err_set(e, ERR_INVALID,
			    "Invalid unqualified-search-registries entry \"%.200s\"", name);
		strv_add(&c->search, name);
	}
	return 0;
}

/* --- Version 1 -------------------------------------------------------------------------------- */

/* The registries of [registries.NAME]. */
static int
old_names(const json_t *old, const char *name, struct strv *out, struct err *e)
{
	json_t *table = NULL;

	if (json_want_obj(old, name, &table, e) < 0 ||
	    (table != NULL && json_want_strv(table, "registries", out, e) < 0))
		return err_wrap(e, "registries.%s", name);
	return 0;
}

static struct registries_entry *
old_entry(struct registries_entry *entries, size_t *n, const char *name, struct err *e)
{
	char *location = location_copy(name, e);
	struct registries_entry *entry = &entries[*n];

	if (location == NULL)
		return NULL;
	for (size_t i = 0; i < *n; i++)
		if (strcmp(entries[i].prefix, location) == 0) {
			free(location);
			return &entries[i];
		}
	(*n)++;
	entry->prefix = location;
	entry->primary.location = xstrdup(location);
	return entry;
}

static int
old_entries(struct registries_conf *c, const struct strv *blocked, const struct strv *insecure,
    struct err *e)
{
	own_mem struct registries_entry *entries =
	    xcalloc(blocked->n + insecure->n + 1, sizeof(*entries));
	struct registries_entry *entry = entries;
	size_t n = 0;

	for (size_t i = 0; i < blocked->n && entry != NULL; i++)
		if ((entry = old_entry(entries, &n, blocked->v[i], e)) != NULL)
			entry->blocked = true;
	for (size_t i = 0; i < insecure->n && entry != NULL; i++)
		if ((entry = old_entry(entries, &n, insecure->v[i], e)) != NULL)
			entry->primary.insecure = true;
	for (size_t i = 0; i < n; i++)
		if (entry != NULL)
			put_entry(c, &entries[i]);
		else
			entry_free(&entries[i]);
	return entry != NULL ? 0 : -1;
}

/* Does it say something that only version 2 can?  Empty ones say nothing. */
static bool
is_new(const json_t *j)
{
	static const char *const keys[] = {
	    "unqualified-search-registries", "credential-helpers", "registry", "aliases"};
	const char *mode = json_string_value(json_object_get(j, "short-name-mode"));

	for (size_t i = 0; i < COUNTOF(keys); i++) {
		const json_t *v = json_object_get(j, keys[i]);

		if (json_array_size(v) > 0 || json_object_size(v) > 0)
			return true;
	}
	return mode != NULL && *mode != '\0';
}

/* 1: the file was of version 1 and has been read; 0: it is none.  drop_in: as which it is an error. */
static int
read_old(struct registries_conf *c, const json_t *j, bool drop_in, struct err *e)
{
	own_strv struct strv search = {0}, insecure = {0}, blocked = {0};
	json_t *old = NULL, *table;

	if (json_want_obj(j, "registries", &old, e) < 0)
		return -1;
	if (old != NULL && (old_names(old, "search", &search, e) < 0 ||
			       old_names(old, "insecure", &insecure, e) < 0 ||
			       old_names(old, "block", &blocked, e) < 0))
		return -1;
	if (search.n + insecure.n + blocked.n == 0)
		return 0;
	if (drop_in)
		return err_set(e, ERR_INVALID, "registry must be in v2 format but is in v1");
	if (is_new(j))
		return err_set(e, ERR_INVALID, "mixing sysregistry v1/v2 is not supported");
	table = json_object_get(old, "search");
	return read_search(c, table, "registries", e) < 0 ||
		       old_entries(c, &blocked, &insecure, e) < 0
		   ? -1
		   : 1;
}

/* --- Files ------------------------------------------------------------------------------------ */

static int
read_table(
    struct registries_conf *c, const json_t *j, const char *file, bool drop_in, struct err *e)
{
	int r = read_old(c, j, drop_in, e);

	if (r != 0)
		return r < 0 ? -1 : 0;
	if (read_search(c, j, "unqualified-search-registries", e) < 0)
		return -1;
	if (json_object_get(j, "credential-helpers") != NULL) {
		strv_free(&c->cred_helpers);
		memset(&c->cred_helpers, 0, sizeof(c->cred_helpers));
	}
	return json_want_strv(j, "credential-helpers", &c->cred_helpers, e) < 0 ||
		       read_mode(c, j, e) < 0 || read_entries(c, j, e) < 0 ||
		       read_aliases(c, j, file, e) < 0
		   ? -1
		   : 0;
}

static int
read_file(struct registries_conf *c, const char *path, bool drop_in, struct err *e)
{
	own_json json_t *j = toml_read_file(path, e);

	if (j == NULL && errno == ENOENT && e->class == ERR_NOTFOUND) {
		err_clear(e);
		return 0;
	}
	if (j == NULL || read_table(c, j, path, drop_in, e) < 0)
		return err_wrap(e, "loading registries configuration \"%s\"", path);
	return 0;
}

static int
read_drop_ins(struct registries_conf *c, const char *dir, struct err *e)
{
	own_dir DIR *d = opendir(dir);
	own_strv struct strv names = {0};
	struct dirent *entry;

	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "opening %s", dir);
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] != '.' && text_has_suffix(entry->d_name, ".conf"))
			strv_addf(&names, "%s/%s", dir, entry->d_name);
	}
	strv_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		if (read_file(c, names.v[i], true, e) < 0)
			return -1;
	}
	return 0;
}

/* $XDG_CONFIG_HOME/containers or $HOME/.config/containers, or NULL. */
static char *
user_dir(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config != NULL && config[0] == '/')
		return xasprintf("%s/containers", config);
	return home != NULL && home[0] == '/' ? xasprintf("%s/.config/containers", home) : NULL;
}

/* --- Choices ---------------------------------------------------------------------------------- */

static char *
cache_dir(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (host_root())
		return xstrdup("/var/cache/containers");
	if (cache != NULL && cache[0] == '/')
		return xasprintf("%s/containers", cache);
	return home != NULL && home[0] == '/' ? xasprintf("%s/.cache/containers", home) : NULL;
}

static int
read_choices(struct registries_conf *c, struct err *e)
{
	own_mem char *dir = cache_dir();
	own_mem char *path = dir != NULL ? xasprintf("%s/" CHOICES, dir) : NULL;
	own_json json_t *j = NULL;

	if (path == NULL || access(path, R_OK) != 0)
		return 0;
	j = toml_read_file(path, e);
	if (j == NULL)
		return -1;
	return read_aliases(c, j, path, e) < 0 ? err_wrap(e, "%s", path) : 0;
}

static int
open_cache_dir(const char *dir, struct err *e)
{
	own_mem char *part = xstrdup(dir);
	int fd;

	for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(part, 0755);
		*slash = '/';
	}
	(void)mkdir(part, 0755);
	fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "opening %s", dir);
}

int
registries_conf_record(const char *name, const char *value, struct err *e)
{
	own_registries_conf struct registries_conf c = {0};
	own_mem char *dir = cache_dir();
	own_strbuf struct strbuf text = {0};
	own_fd int fd = -1;

	if (dir == NULL || read_choices(&c, e) < 0 || (fd = open_cache_dir(dir, e)) < 0)
		return -1;
	put_alias(&c, name, value, "");
	strbuf_add(&text, "[aliases]\n");
	for (size_t i = 0; i < c.naliases; i++) /* safe to quote: both have been parsed as names */
		strbuf_addf(&text, "  \"%s\" = \"%s\"\n", c.aliases[i].name, c.aliases[i].value);
	return file_write(fd, CHOICES, text.s, text.n, 0644, 0, e);
}

int
registries_conf_load(struct registries_conf *c, const char *path, struct err *e)
{
	own_mem char *dir = user_dir(), *user_file = NULL, *user_drop_ins = NULL;
	const char *env = getenv("CONTAINERS_REGISTRIES_CONF");
	bool alone;

	if (path == NULL && env != NULL && env[0] != '\0')
		path = env;
	alone = path != NULL;
	if (path == NULL && dir != NULL) {
		user_file = xasprintf("%s/registries.conf", dir);
		if (access(user_file, R_OK) == 0)
			path = user_file;
	}
	if (path == NULL)
		path = MAIN_FILE;
	c->file = xstrdup(path);
	if (alone && access(path, F_OK) == -1) {
		err_sys(e, "open %s", path);
		return err_wrap(e, "loading registries configuration \"%s\"", path);
	}
	if (read_file(c, path, false, e) < 0)
		return -1;
	if (!alone) { /* a file that was named stands for itself */
		if (read_drop_ins(c, DROP_INS, e) < 0)
			return -1;
		if (dir != NULL)
			user_drop_ins = xasprintf("%s/registries.conf.d", dir);
		if (dir != NULL && read_drop_ins(c, user_drop_ins, e) < 0)
			return -1;
	}
	return read_choices(c, e);
}

const char *
registries_conf_alias(const struct registries_conf *c, const char *name, const char **file)
{
	for (size_t i = 0; i < c->naliases; i++) {
		if (strcmp(c->aliases[i].name, name) != 0 || c->aliases[i].value[0] == '\0')
			continue;
		if (file != NULL)
			*file = c->aliases[i].file;
		return c->aliases[i].value;
	}
	return NULL;
}

int
registries_conf_candidates(
    const struct registries_conf *c, const char *text, struct strv *out, struct err *e)
{
	own_reference struct reference r = {0};
	const char *alias;

	if (reference_parse(text, &r, e) < 0)
		return -1;
	if (r.domain == NULL && (alias = registries_conf_alias(c, r.path, NULL)) != NULL) {
		own_mem char *full = xasprintf("%s%s%s%s%s", alias, r.tag != NULL ? ":" : "",
		    r.tag != NULL ? r.tag : "", r.digest != NULL ? "@" : "",
		    r.digest != NULL ? r.digest : "");

		if (reference_candidates(text, NULL, 0, out, e) < 0)
			return -1;
		return reference_candidates(full, NULL, 0, out, e);
	}
	return reference_candidates(text, (const char *const *)c->search.v, c->search.n, out, e);
}

/* How many bytes of name the prefix covers, 0 if it does not match. */
static size_t
prefix_match(const char *prefix, const char *name)
{
	size_t n = strlen(prefix), host = strcspn(name, "/");

	if (text_has_prefix(prefix, "*."))
		return host > n - 1 && strncmp(name + host - (n - 1), prefix + 1, n - 1) == 0 ? host
											      : 0;
	return strncmp(name, prefix, n) == 0 && strchr("/:@", name[n]) != NULL ? n : 0;
}

const struct registries_entry *
registries_conf_find(const struct registries_conf *c, const struct reference *r)
{
	own_mem char *name = reference_string(r);

	return registries_conf_find_name(c, name);
}

const struct registries_entry *
registries_conf_find_name(const struct registries_conf *c, const char *name)
{
	const struct registries_entry *best = NULL;
	size_t best_n = 0;

	for (size_t i = 0; i < c->nentries; i++) {
		if (prefix_match(c->entries[i].prefix, name) > 0 &&
		    strlen(c->entries[i].prefix) > best_n) {
			best = &c->entries[i];
			best_n = strlen(best->prefix);
		}
	}
	return best;
}

int
registries_conf_rewrite(const struct registries_entry *entry,
    const struct registries_endpoint *endpoint, const struct reference *r, struct reference *out,
    struct err *e)
{
	own_mem char *name = reference_string(r), *text = NULL;
	size_t n = prefix_match(entry->prefix, name);

	text = endpoint->location != NULL ? xasprintf("%s%s", endpoint->location, name + n)
					  : xstrdup(name);
	if (reference_parse(text, out, e) < 0)
		return err_wrap(e, "rewriting reference for %s", entry->prefix);
	if (out->domain == NULL) {
		reference_free(out);
		return err_set(e, ERR_INVALID, "location %s of registry %s is no registry",
		    endpoint->location, entry->prefix);
	}
	return 0;
}
