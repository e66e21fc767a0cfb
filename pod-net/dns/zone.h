/* SPDX-License-Identifier: ISC */
/*
 * Who has which name: one file for each network, in the format of aardvark-dns.
 *
 * The file is named like the network, with "%int" after it if the network is internal.  Its first line is
 * "LISTEN,LISTEN[ SERVER,SERVER]", each further one "ID V4,V4 V6,V6 NAME,NAME[ SERVER,SERVER]"; an empty
 * list is two blanks in a row.
 */
#ifndef POD_DNS_ZONE_H
#define POD_DNS_ZONE_H

#include "common/base/err.h"
#include "common/base/mem.h"
#include "pod-net/addr.h"

#define ZONE_DOMAIN "dns.podman"

struct zone_addrs {
	struct addr *v;
	size_t n;
};

/* A container in a network. */
struct zone_member {
	const char *id;
	struct zone_addrs addrs, servers;
	const char **names;
	size_t nnames;
	const struct zone_network *network;
};

struct zone_by_name {
	const char *name;
	const struct zone_member *member;
};
struct zone_by_addr {
	struct addr addr;
	const struct zone_member *member;
};

struct zone_network {
	const char *name;
	bool internal;
	struct zone_addrs listen, servers;
	struct zone_member *members;
	size_t nmembers;
	/* Sorted; a name may stand several times. */
	struct zone_by_name *names;
	size_t nnames;
	struct zone_by_addr *addrs;
	size_t naddrs;
};

struct zone {
	struct arena arena;
	struct zone_network *networks;
	size_t nnetworks;
	const struct zone_member **by_id; /* all members of all networks, sorted by id */
	size_t nby_id;
};

/*
 * Reads the directory.  What is malformed is left out with a warning; only a directory that cannot be read
 * is an error, and then *z is untouched.
 */
int zone_load(struct zone *z, int dir, struct err *e);
void zone_free(struct zone *z);

/* Adds one network from the text of its file (changed while it is read); for zone_load and tests. */
void zone_add(struct zone *z, const char *file, char *text);
/* Sorts what was added. */
void zone_finish(struct zone *z);

/* The member of the network that has the address, or NULL. */
const struct zone_member *zone_client(const struct zone_network *n, const struct addr *a);

/* All members with the same id: *count entries beginning at the pointer returned. */
const struct zone_member *const *zone_memberships(
    const struct zone *z, const char *id, size_t *count);

/* The entries of a name in one network: *count beginning at the pointer returned. */
const struct zone_by_name *zone_names(
    const struct zone_network *n, const char *name, size_t *count);

#endif
