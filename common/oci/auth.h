/* SPDX-License-Identifier: ISC */
/*
 * auth.json (containers-auth.json(5)): credentials of registries, in files shared with the other
 * tools of the ecosystem.
 *
 * Search order for reading: the file that was named; else $REGISTRY_AUTH_FILE; else
 * $XDG_RUNTIME_DIR/containers/auth.json (/run/containers/UID/auth.json), then
 * $XDG_CONFIG_HOME/containers/auth.json, then $HOME/.docker/config.json.  Written is the first.
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

/*
 * Credentials for key, "registry[/namespace…/repository]": the longest part of key that has some
 * counts.  file: the file that was named, or NULL.  Helper programs that the files name
 * (credHelpers, credsStore) are run.  Returns 1 with *out filled, 0 if there are none, -1.
 */
int auth_find(const char *file, const char *key, struct auth *out, struct err *e);

/* "user:password" as given by --creds; a missing password is "". */
int auth_from_creds(const char *creds, struct auth *out, struct err *e);

/* The file that login and logout change; uid as seen outside a user namespace.  Caller frees. */
char *auth_file(const char *named, uint64_t uid);

/* Stores credentials under key (normalised), making directories as needed; the file is 0600. */
int auth_put(
    const char *file, const char *key, const char *username, const char *password, struct err *e);

/* Removes those under key.  ERR_NOTFOUND if there are none. */
int auth_remove(const char *file, const char *key, struct err *e);

/* Removes all. */
int auth_remove_all(const char *file, struct err *e);

/* Registry part and form of a key as login takes it: no scheme, no trailing slash. */
char *auth_key(const char *registry, struct err *e);

#endif
