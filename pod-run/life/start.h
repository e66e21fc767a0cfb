/* SPDX-License-Identifier: ISC */
/*
 * Starting a container.  The steps are separate so that "run" can ask the helpers for things while it
 * does others: start_helpers, start_begin (root file system and network are asked for), start_end.
 */
#ifndef POD_START_H
#define POD_START_H

#include "pod-run/ctx.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/scope.h"
#include "pod-run/life/userns.h"
#include "pod-run/oci/spec_config.h"
#include "pod-run/state/ctr.h"

/* A list of descriptors, owned. */
struct fds {
	int *v;
	size_t n, cap;
};

/* A volume that was mounted: where on the host, or where in the bundle the monitor puts it. */
struct volume_source {
	const char *path, *place;
};

struct start;

/* What a container comes back from, instead of starting afresh. */
struct start_restore {
	const char *images;  /* directory of the runtime's images */
	struct strs options; /* of the runtime's restore */
	/* Addresses of the last run, to be had again; each may be left out. */
	const struct rec_net_interface *interfaces;
	size_t interfaces_n;
	bool keep_address, keep_mac;
	/* Called with the mounted root file system before anything runs in it; or NULL. */
	int (*fill)(struct start *s, int root, void *arg, struct err *e);
	void *arg;
};

struct start {
	struct ctx *x;
	struct ctr *c; /* locked by the caller, configuration decoded */

	/* How the first client attaches; before start_end. */
	int attach;	  /* a connected sequenced-packet socket, or -1 */
	bool adopt;	  /* we stay and clean up ourselves */
	bool create_only; /* the container is made and does not run yet: CTR_CREATED */
	uint64_t rows, columns, preserve_fds;
	int shm; /* detached mount for /dev/shm: another container's, or a restored one's; or -1 */
	int preserved;		  /* socket with the preserved descriptors queued, or -1 */
	uint64_t listen_fds;	  /* of them sockets of LISTEN_FDS; 0: none, else all */
	struct strs preserved_as; /* their numbers, unless they are 3, 4, … */
	const struct start_restore *restore; /* NULL: afresh */

	/* Ours. */
	struct peer *monitor;
	pid_t monitor_pid;
	struct scope scope; /* of the monitor, while it is asked for */
	struct runtime runtime;
	char *bundle;
	int bundle_fd, live;
	struct userns userns;
	struct strs mounts; /* places in the bundle, and the mounts that go there */
	struct fds mount_fds;
	struct nested_mounts nested;
	struct strs volumes;		      /* to be given back at the end */
	struct volume_source *volume_sources; /* for each volume; NULL: all are plain */
	uint32_t rootfs_seq, net_seq, *image_seqs;
	bool net_asked;
	bool has_poststop; /* hooks that the runtime runs when it deletes the container */
	struct peer_in rootfs, net;
	struct arena arena;
};
void start_init(struct start *s, struct ctx *x, struct ctr *c);
void start_free(struct start *s); /* the monitor runs on */
#define own_start own(start_free)

/*
 * True if a container in this network mode needs pod-net.  With none the runtime makes the namespace and
 * its loopback interface.
 */
bool start_needs_net(const struct rec_ctr_config *c);

/* Starts what will be needed; may be called before the container is known. */
int start_helpers(struct start *s, bool net, struct err *e);

/*
 * Asks for the root file system and the network.  Whatever fails from here on is undone by start_undo.
 */
int start_begin(struct start *s, struct err *e);

/*
 * Waits for them, writes the bundle, has the monitor start the container, and records it as running.
 * On failure the network is given back and the state is recorded as before.
 */
int start_end(struct start *s, struct err *e);

/* The containers this one stands on are started first; start_whole does it by itself. */
int start_run_needed(struct start *s, struct err *e);

/* Makes the read-write layer of a created container, so that its image is in use. */
int start_prepare_rootfs(struct ctx *x, const struct ctr *c, struct err *e);

/*
 * Has the monitor attach a detached mount (taken over) at bundle/NAME, where place makes a directory, or for
 * file a file.  Returns the path of that place for config.json.
 */
const char *start_mount(struct start *s, int mount, bool file, struct err *e);

/* Gives back what start_begin asked for. */
void start_undo(struct start *s);

/* The same when the container was never recorded: nothing of it stays. */
void start_forget(struct start *s);

/*
 * All of it for a container that is locked, with its dependencies first.  A running one is left alone
 * (success); one that was only created is started.  recreate: counts as a manual start, which forgets the restart count.
 */
int start_whole(struct start *s, bool manual, struct err *e);

#endif
