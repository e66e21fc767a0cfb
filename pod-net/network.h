/* SPDX-License-Identifier: ISC */
/*
 * Definitions of networks: one JSON file NAME.json each, in the format of Podman's network library.
 * The files are read when they are asked for.  A file that cannot be right is skipped with a warning.
 */
#ifndef POD_NETWORK_H
#define POD_NETWORK_H

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/wire/msg.h"
#include "pod-net/addr.h"

#define NETWORK_DEFAULT "podman"
#define NETWORK_FILE_MAX ((size_t)1 << 20)

/* True if s may name a network: [a-zA-Z0-9][a-zA-Z0-9_.-]*. */
bool network_name_valid(const char *s);

/*
 * Reads a definition.  name is what the file is called, without ".json", and must be the name inside.
 * Everything *out points to lives in a.  Subnets are checked to be such, drivers and options are not.
 */
int network_parse(const char *bytes, size_t n, const char *name, struct rec_network *out,
    struct arena *a, struct err *e);

/* The same of a document that has been read; not borrowed. */
int network_read(
    const json_t *o, const char *name, struct rec_network *out, struct arena *a, struct err *e);

/* The same where name, ID and driver may still be missing, which are then "". */
int network_read_draft(const json_t *o, struct rec_network *out, struct arena *a, struct err *e);

/* The default network, which exists without a file.  All zero: NETWORK_DEFAULT in 10.88.0.0/16. */
struct network_default {
	char *name; /* owned */
	struct prefix subnet;
};
void network_default_free(struct network_default *d);

/* Takes its name or subnet from the configuration. */
int network_default_name(struct network_default *d, const char *name, struct err *e);
int network_default_subnet(struct network_default *d, const char *subnet, struct err *e);

bool network_is_default(const struct network_default *d, const char *name);

/* Its definition on that bridge; its name is borrowed. */
void network_default_make(
    const struct network_default *d, const char *bridge, struct rec_network *out, struct arena *a);

/* Finds one in the directory, by name, else by ID or an unambiguous beginning of it. */
int network_find(const char *dir, const struct network_default *d, const char *name,
    struct rec_network *out, struct arena *a, struct err *e);

/* Whether it is still there, by its exact name.  0, or -1 with e. */
int network_check(
    const char *dir, const struct network_default *d, const char *name, struct err *e);

struct network_list {
	struct rec_network *v;
	size_t n, cap;
	struct arena arena;
};
/* One of a list, by name, else by ID or an unambiguous beginning of it. */
int network_pick(const struct network_list *l, const char *name, struct rec_network *out,
    struct arena *a, struct err *e);

/* All networks of the directory and the default one, by name. */
int network_list(
    const char *dir, const struct network_default *d, struct network_list *out, struct err *e);
void network_list_free(struct network_list *l);

#endif
