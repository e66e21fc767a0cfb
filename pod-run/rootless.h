/* SPDX-License-Identifier: ISC */
/*
 * Who we are with respect to the host, and the way of an ordinary user into its user namespace.
 */
#ifndef POD_ROOTLESS_H
#define POD_ROOTLESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/err.h"

struct rootless {
	bool needed; /* an ordinary user outside a namespace of ours: rootless_enter is to be called
		      */
	bool userns; /* we act as root of a user namespace, without power over the host */
	bool user;   /* state lies in the user's directories, not in root's */
	bool single; /* only one id is mapped */
	uid_t uid;   /* the caller outside */
	gid_t gid;
};

/* Looks; changes nothing.  Before rootless_enter uid != 0 means needed and user. */
int rootless_look(struct rootless *r, struct err *e);

/*
 * Joins the user and mount namespace kept by the pause process named in RUN_ROOT/pause.pid, or
 * makes them and leaves a pause process.  Must be called single-threaded.  Afterwards we are root
 * there, r->userns is set, and children recognise the namespace by themselves.  run_root must
 * exist.
 */
int rootless_enter(struct rootless *r, const char *run_root, struct err *e);

/* Ends the pause process, so that the next command makes a new namespace; no error if there is
 * none. */
int rootless_end(const char *run_root, struct err *e);

#endif
