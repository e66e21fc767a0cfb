/* SPDX-License-Identifier: ISC */
/*
 * The places where images lie: the store that new ones are made in (its own, or the one given by
 * --imagestore), then, with --imagestore, the graph root's own, then additional stores.  All but the first
 * are only read.  Containers and volumes lie in the graph root alone.
 *
 * An image made in the first place may stand on layers that lie in an additional store: then only their rows
 * are here.
 */
#ifndef POD_PLACES_H
#define POD_PLACES_H

#include "common/wire/msg.h"
#include "pod-store/naming.h"
#include "pod-store/store.h"

#define PLACES_MAX 16 /* additional stores */

/*
 * Opens s and the other places that a hello names, with the settings of its options.  An additional store that
 * is not there is passed over with a warning.  repair: what stands in the way of either is moved out of it, see
 * store_mend, and an index that cannot be read gets a successor.  Nothing stays open on failure.
 */
int places_open(struct store *s, const struct msg_hello *m, bool repair, struct err *e);

/* The store where images are made. */
struct store *places_first(struct store *s);

size_t places_count(const struct store *s);
struct store *places_at(struct store *s, size_t i);

/* Where the image, or the layer with its directory, lies.  NULL with ERR_NOTFOUND. */
struct store *places_image(struct store *s, const char *id, struct err *e);
struct store *places_layer(struct store *s, const char *id, struct err *e);

/* As naming_find, in all places; *at is the one where it was found. */
int places_find(struct store *s, const char *text, const struct strs *candidates,
    struct naming_match *out, struct store **at, struct err *e);

/* Opens "layers/ID" or what is below it, wherever the layer lies. */
int places_open_layer(struct store *s, const char *id, const char *below, struct err *e);

#endif
