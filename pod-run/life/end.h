/* SPDX-License-Identifier: ISC */
/*
 * The end of a container: recording it, giving back what it used, restarting it or removing it.
 * Every step may be repeated: whoever comes after a crash does the whole again.
 */
#ifndef POD_END_H
#define POD_END_H

#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

struct end {
	bool no_restart; /* the policy does not count: we are about to do something else with it */
	bool removed;	 /* out: the container is gone */
	bool restarted;	 /* out: it runs again */
};

/* ID.net below tmp_dir/locks is held while the network of the last run is given back. */
#define END_NET_SUFFIX ".net"

/* Waits for that. */
int end_await_net(struct ctx *x, const char *id, struct err *e);

/* For a run that failed before it was recorded: its network is given back without waiting. */
void end_give_back_net(struct ctx *x, const char *id);

/*
 * Ends a container that is locked and CTR_STOPPED: its network is given back, then the restart policy
 * applies, else --rm.  In any other state nothing happens.
 */
int end_ctr(struct ctx *x, struct ctr *c, struct end *how, struct err *e);

/* The same, and the end is known (from the monitor) and not recorded yet. */
int end_with(struct ctx *x, struct ctr *c, int code, bool oom, int64_t when_ns, struct end *how,
    struct err *e);

/*
 * Removes a container that is locked and does not run.  The row goes; root file system, leases and
 * volumes are asked for, and end_settle is called at the latest when the command ends.
 */
int end_remove(struct ctx *x, struct ctr *c, bool volumes, struct err *e);

/* Asks for the removal of what was made for a container that has no row (yet). */
void end_abandon(struct ctx *x, const char *id, bool net);

/* Waits for what end_remove asked for, removes the directories, and forgets the leftovers. */
void end_settle(struct ctx *x);

/*
 * Repairs what crashes left: containers that ended without anybody to clean up, and directories of
 * removed ones.  Cheap if there is nothing.
 */
void end_sweep(struct ctx *x);

#endif
