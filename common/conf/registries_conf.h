/* SPDX-License-Identifier: ISC */
/*
 * registries.conf(5): which registries a short name may mean, and where a registry is
 * really asked.  /etc/containers/registries.conf, for ordinary users $XDG_CONFIG_HOME/containers/
 * registries.conf in its place if it exists, then the drop-ins registries.conf.d/ *.conf of both
 * directories in the order of their names.  CONTAINERS_REGISTRIES_CONF replaces the main file.
 * Aliases that a user has chosen come last: short-name-aliases.conf in /var/cache/containers, or for
 * ordinary users in $XDG_CACHE_HOME/containers ($HOME/.cache).
 * The main file may be of version 1, [registries.search], [registries.insecure] and [registries.block].
 */
#ifndef POD_REGISTRIES_CONF_H
#define POD_REGISTRIES_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/oci/reference.h"

enum registries_short_name_mode {
	REGISTRIES_PERMISSIVE, /* if nothing is said */
	REGISTRIES_ENFORCING,
	REGISTRIES_DISABLED,
};

enum registries_mirror_use {
	REGISTRIES_MIRROR_ALL,
	REGISTRIES_MIRROR_DIGEST,
	REGISTRIES_MIRROR_TAG
};

struct registries_endpoint {
	char *location;
	bool insecure;
	enum registries_mirror_use use; /* of a mirror */
};

struct registries_entry { /* [[registry]] */
	char *prefix;
	bool blocked, mirror_by_digest_only;
	struct registries_endpoint primary;
	struct registries_endpoint *mirrors;
	size_t nmirrors;
};

struct registries_alias {
	char *name, *value; /* value "" takes an alias back */
	char *file;
};

struct registries_conf {
	char *file; /* the main file, for messages */
	struct strv search;
	enum registries_short_name_mode mode;
	struct registries_entry *entries;
	size_t nentries, entries_cap;
	struct registries_alias *aliases;
	size_t naliases, aliases_cap;
	struct strv cred_helpers;
};

/* path: the main file in place of the usual one, or NULL.  Missing files are as empty ones. */
int registries_conf_load(struct registries_conf *c, const char *path, struct err *e);
void registries_conf_free(struct registries_conf *c);
#define own_registries_conf own(registries_conf_free)

/* The value of the alias for a short name without tag ("alpine"), or NULL; *file says whence. */
const char *registries_conf_alias(
    const struct registries_conf *c, const char *name, const char **file);

/* Remembers a choice among search registries: name means value from now on. */
int registries_conf_record(const char *name, const char *value, struct err *e);

/*
 * The full references a user's word may mean, best first: reference_candidates with aliases and the
 * search registries of the configuration.  For looking in the store.
 */
int registries_conf_candidates(
    const struct registries_conf *c, const char *text, struct strv *out, struct err *e);

/* The entry with the longest prefix that matches, or NULL. */
const struct registries_entry *registries_conf_find(
    const struct registries_conf *c, const struct reference *r);

/* The same for a registry, or a part of one: what is said of what lies below it does not count. */
const struct registries_entry *registries_conf_find_name(
    const struct registries_conf *c, const char *name);

/*
 * The reference as endpoint (the primary one or a mirror of entry) has it: what matched the prefix
 * replaced by its location.
 */
int registries_conf_rewrite(const struct registries_entry *entry,
    const struct registries_endpoint *endpoint, const struct reference *r, struct reference *out,
    struct err *e);

#endif
