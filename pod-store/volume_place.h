/* SPDX-License-Identifier: ISC */
/*
 * Where the volumes of the local driver lie: GRAPHROOT/volumes, which is a directory, or a symbolic link to the
 * one that --volumepath named when there was no volume yet.  The link is the only record of it, so that every
 * later command finds them, with the option or without.  Safe to follow because nobody but the store's owner
 * can write to the graph root.
 */
#ifndef POD_VOLUME_PLACE_H
#define POD_VOLUME_PLACE_H

#include "pod-store/store.h"

/* Sets s->volume_path; for store_open. */
int volume_place_look(struct store *s, struct err *e);

/*
 * Asks for another place, an absolute path, which is made when it is first needed.  Once there are volumes they
 * stay where they are: another path is an error if it must be that one, else it is passed over.
 */
int volume_place_set(struct store *s, const char *path, bool must, struct err *e);

/* Opens that directory, or the one below it ("NAME"), never through a further link. */
int volume_place_open(const struct store *s, const char *below, struct err *e);

/* The same; it is made, with those above it, if it is not there. */
int volume_place_make(const struct store *s, struct err *e);

/* Do they lie elsewhere, or is something mounted in their place?  Nothing can be renamed across then. */
bool volume_place_is_apart(const struct store *s);

/*
 * Moves a volume out of sight, into the store's trash, or .trash beside the volumes if they lie apart.  Nothing there is success.
 */
int volume_place_trash(struct store *s, const char *name, struct err *e);

/* Empties that .trash. */
int volume_place_clean(const struct store *s, struct err *e);

#endif
