/* SPDX-License-Identifier: ISC */
/*
 * Layers on their way in and out: layer_put and layer_get, each carried out by two workers.
 */
#ifndef POD_TRANSFER_H
#define POD_TRANSFER_H

#include "pod-store/owners.h"
#include "pod-store/server.h"

/* Start the work and return; the answer is sent when it is done.  -1 if it could not be started. */
int transfer_put(struct conn *c, uint32_t seq, struct msg_layer_put *m, struct err *e);
int transfer_get(struct conn *c, uint32_t seq, struct msg_layer_get *m, struct err *e);

/* As transfer_put, of a layer that is put together of parts. */
int transfer_assemble(struct conn *c, uint32_t seq, struct msg_layer_assemble *m, struct err *e);

/*
 * A directory to be packed afresh.  facts: descriptor of what pod-store-pack is told of it
 * (transfer_facts).  Both are borrowed.
 */
struct transfer_source {
	int dir, facts;
};

/* As transfer_put, of the directory. */
int transfer_take(struct conn *c, uint32_t seq, uint64_t stage, const struct transfer_source *from,
    struct err *e);

/* Packs the directory into stream; answered with ok. */
int transfer_export(
    struct conn *c, uint32_t seq, int stream, const struct transfer_source *from, struct err *e);

/* A file of the opaque directories below dir (-1: there are none), of what skip names and of the map (or NULL). */
int transfer_facts(int dir, const struct strs *skip, const struct owners *map, struct err *e);

/* The same of an upper directory whose whiteouts and opaque marks are to be left out. */
int transfer_facts_plain(const struct owners *map, struct err *e);

#endif
