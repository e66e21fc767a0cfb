/* SPDX-License-Identifier: ISC */
/*
 * Secrets: GRAPHROOT/secrets/secrets.json tells their names, drivers and labels; the data is kept by the
 * driver: "file" in filedriver/secretsdata.json beside it, "pass" encrypted by gpg, "shell" by commands of
 * the user.  Both files have Podman's form.
 */
#ifndef POD_SECRET_H
#define POD_SECRET_H

#include "common/base/json.h"
#include "pod-run/ctx.h"

#define SECRET_ID_LEN 25
#define SECRET_DATA_MAX 512000

/* The list, under its lock. */
struct secrets {
	struct ctx *x;
	int dir, lock;
	json_t *doc;
};
int secret_open(struct ctx *x, bool write, struct secrets *s, struct err *e);
void secret_close(struct secrets *s);
#define own_secrets own(secret_close)
/* Initialise with SECRET_NONE. */
#define SECRET_NONE                    \
	{                              \
		.dir = -1, .lock = -1, \
	}

/* The secrets as an array of their records, by name: {id, name, driver, driverOptions, labels, createdAt …}. */
json_t *secret_list(const struct secrets *s);

/* By name, ID or unique beginning of an ID; borrowed.  NULL: ERR_NOTFOUND with Podman's words. */
json_t *secret_find(const struct secrets *s, const char *word, struct err *e);

/* The data; the caller frees it with secret_wipe. */
int secret_data(
    const struct secrets *s, const json_t *record, char **data, size_t *n, struct err *e);
void secret_wipe(char *data, size_t n);

/*
 * Adds a secret.  options and labels: "key=value".  replace: one of that name goes; its ID is not kept.  The
 * ID comes back.
 */
struct secret_new {
	const char *name, *driver;
	const struct strv *options, *labels;
	const char *data;
	size_t n;
	bool replace;
};
int secret_add(
    struct secrets *s, const struct secret_new *n, char id[SECRET_ID_LEN + 1], struct err *e);

/* Removes the one that secret_find gave. */
int secret_remove(struct secrets *s, json_t *record, struct err *e);

#endif
