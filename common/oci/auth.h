/* SPDX-License-Identifier: ISC */
/*
 * auth.json (containers-auth.json(5)): credentials of registries, in files shared with the other
 * tools of the ecosystem.
 *
 * Search order for reading: the file that was named; else $REGISTRY_AUTH_FILE; else
 * $DOCKER_CONFIG/config.json; else
 * $XDG_RUNTIME_DIR/containers/auth.json (/run/containers/UID/auth.json), then
 * $XDG_CONFIG_HOME/containers/auth.json, then $HOME/.docker/config.json, then $HOME/.dockercfg, whose form is older.
 * Written is the first.
 */
#ifndef POD_AUTH_H
#define POD_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"

struct auth {
	char *username, *password;
	char *identity_token; /* or NULL */
};

void auth_free(struct auth *a); /* overwrites it first */
#define own_auth own(auth_free)

/* In lists of helpers (credential-helpers of registries.conf): the files. */
#define AUTH_FILES "containers-auth.json"

/*
 * Credentials for key, "registry[/namespace…/repository]": the longest part of key that has some
 * counts.  helpers: credential-helpers of registries.conf, asked in their order; NULL or empty: the
 * files alone.  file: the file that was named, or NULL.  Helper programs, those that the files name
 * (credHelpers, credsStore) among them, are run with the caller's identity and no capability.
 * Returns 1 with *out filled, 0 if there are none, -1.
 */
int auth_find(
    const struct strv *helpers, const char *file, const char *key, struct auth *out, struct err *e);

/* "user:password" as given by --creds; a missing password is "". */
int auth_from_creds(const char *creds, struct auth *out, struct err *e);

/* The file that was named, else that of $REGISTRY_AUTH_FILE, else NULL.  "": none, in spite of that. */
const char *auth_named(const char *named);

/* The file that login and logout change; uid as seen outside a user namespace.  Caller frees. */
char *auth_file(const char *named, uint64_t uid);

/* Where credentials are kept. */
struct auth_place {
	const struct strv *helpers; /* as for auth_find */
	const char *file;
	bool docker; /* file is Docker's config.json: no namespaces, and its name for docker.io */
};

/*
 * Stores credentials under key (normalised), in the first helper, or the file (0600, directories
 * are made as needed), or the helper that the file names for it.  *where says which; caller frees.
 */
int auth_put(const struct auth_place *at, const char *key, const char *username,
    const char *password, char **where, struct err *e);

/* Removes those under key.  ERR_NOTFOUND if there are none. */
int auth_remove(const struct auth_place *at, const char *key, struct err *e);

/* Removes all, those in helpers too. */
int auth_remove_all(const struct auth_place *at, struct err *e);

/* Registry part and form of a key as login takes it: no scheme, no trailing slash. */
char *auth_key(const char *registry, struct err *e);

#endif
