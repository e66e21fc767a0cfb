/* SPDX-License-Identifier: ISC */
/*
 * Addresses given to containers.
 *
 * A lease is a symbolic link DIR/SUBNET/ADDRESS to the state file of the container that holds it, so
 * that one system call makes it whole, and it is worth something only while that file exists: what
 * a killed process leaves behind is found by looking.  An address belongs to a subnet of the host's network
 * namespace, not to a run root, so all run roots of the superuser share one DIR for each such namespace
 * and never give the same address twice.
 *
 * SUBNET is written as "10.88.0.0_16"; a key is "SUBNET/ADDRESS".
 */
#ifndef POD_LEASE_H
#define POD_LEASE_H

#include "pod-net/addr.h"

#include "common/base/err.h"

#define LEASE_KEY (2 * ADDR_TEXT)

/*
 * True if the container whose state file is holder may still be there.  Asked only about an address that is
 * wanted and would not be given otherwise; a false "no" would give it twice.
 */
typedef bool lease_lives_fn(void *arg, const char *holder);

/* Where those of the host are, by the name of the network namespace. */
#define HOST_LEASES "/run/pod-net/leases-%s"

struct leases {
	int dir;
	int lock;	       /* -1 unless held */
	lease_lives_fn *lives; /* NULL: a state file is proof enough */
	void *arg;
	char *path;
};
#define LEASES_CLOSED                    \
	{                                \
		-1, -1, NULL, NULL, NULL \
	}

/* Opens, and makes if missing, the directory. */
int lease_open(struct leases *l, const char *path, struct err *e);
void lease_close(struct leases *l);

/*
 * Takes the lock.  It must be held from the first lease_take until the holder's state file exists,
 * as a lease without its file counts as free.
 */
int lease_lock(struct leases *l, struct err *e);
void lease_unlock(struct leases *l);

struct lease_request {
	struct prefix subnet;
	struct addr gateway;	/* never given out; may be none */
	struct addr start, end; /* limits, may be none */
	struct addr wanted;	/* a particular address, or none: the next after the last one */
	const char *holder;	/* absolute path of the container's state file */
};

/*
 * Takes an address.  A particular one that is taken: ERR_EXISTS naming the container; none left:
 * ERR_LIMIT.
 */
int lease_take(struct leases *l, const struct lease_request *r, struct addr *out,
    char key[LEASE_KEY], struct err *e);

/* Gives one back, if it is still holder's. */
void lease_give(struct leases *l, const char *key, const char *holder);

/* True if the subnet has a lease that is held. */
bool lease_any(struct leases *l, const struct prefix *subnet);

/*
 * Removes the directories beside path that no namespace can own any more: those of other boots (boot is
 * how this one's begin) and those made more than a minute ago in which nothing is held.  Safe at any time: a process of that
 * namespace that comes back makes its directory again.  Lock files of the names that were answered there, beside
 * them, go too.
 */
void lease_sweep_others(const char *path, const char *boot);

/* Removes leases of holders below the directory state that no longer exist.  Under the lock. */
void lease_sweep(struct leases *l, const char *state);

#endif
