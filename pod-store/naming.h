/* SPDX-License-Identifier: ISC */
/*
 * Names of images as the store keeps them (full references), and the way from what a user typed to an image.
 */
#ifndef POD_NAMING_H
#define POD_NAMING_H

#include "common/wire/msg.h"
#include "pod-store/store.h"

/* "repository[:tag][@digest]" -> "repository"; the caller frees. */
char *naming_repository(const char *name);

/* "repository@digest"; the caller frees. */
char *naming_with_digest(const char *name, const char *digest);

/* The full reference that a name to be given means: localhost/ and :latest are added.  Caller frees. */
char *naming_full(const char *name, struct err *e);

struct naming_match {
	char *id;
	char *name; /* reference that matched, NULL if the ID or digest did */
};
void naming_match_free(struct naming_match *m);
#define own_naming_match own(naming_match_free)

/*
 * Finds the image: exact reference, localhost/NAME, the candidates, repository@digest, short name of any
 * registry, ID or its unique prefix.  0, or -1: ERR_NOTFOUND "NAME: image not known", ERR_INVALID if
 * the prefix fits several.
 */
int naming_find(struct store *s, const char *text, const struct strs *candidates,
    struct naming_match *out, struct err *e);

#endif
