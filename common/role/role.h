/* SPDX-License-Identifier: ISC */
/*
 * Roles: what each program of the suite may do, and the one function that gives up the rest.
 */
#ifndef POD_ROLE_H
#define POD_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

enum role {
#define ROLE(id, name, program, identity, caps, ns, view, calls, files, libs, doc) ROLE_##id,
#include "common/role/role.def"
#undef ROLE
	ROLE_COUNT
};

enum role_identity { ROLE_KEEP, ROLE_NOBODY };
#define ROLE_NOBODY_ID 65534
enum role_view {
	ROLE_VIEW_ALL,
	ROLE_VIEW_NONE,
	ROLE_VIEW_RESOLVER,
	ROLE_VIEW_PROGRAMS,
	ROLE_VIEW_FD,
	ROLE_VIEW_FD_READ
};

/* Groups of system calls; their members stand in syscall.def. */
#define SYS_BASE \
	0x01u /* memory, clocks, read and write on what is open, poll, sockets in hand, exit */
#define SYS_FILE 0x02u	 /* open, stat, list, lock, rename, unlink */
#define SYS_CREATE 0x04u /* make nodes, owners, modes, times, extended attributes */
#define SYS_MOUNT 0x08u	 /* the mount API, setns and unshare of mount namespaces */
#define SYS_NET 0x10u	 /* make, bind and connect sockets */
#define SYS_NS 0x20u	 /* unshare and enter namespaces */
#define SYS_SPAWN 0x40u	 /* fork, exec, wait, kill */
#define SYS_TTY 0x80u	 /* terminal settings */
#define SYS_TUN \
	0x100u /* a tap device and its settings, for pasta and slirp4netns, which inherit it */
#define SYS_ENTER \
	0x200u /* what a child needs to enter its own role: ids, mounts, namespaces, a filter */
#define SYS_THREAD 0x400u /* a further thread */
#define SYS_ANY 0x8000u	  /* no filter */

#define ROLE_VIEW_FD_NUMBER 4 /* the descriptor that becomes the root under VIEW_FD(_READ) */

struct role_info {
	const char *name, *program;
	enum role_identity identity;
	uint64_t caps; /* mask of 1 << CAP_x */
	int namespaces;
	enum role_view view;
	unsigned calls;
	unsigned open_files; /* RLIMIT_NOFILE, 0: as it is */
	const char *libraries, *doc;
};

const struct role_info *role_info(enum role r);

/* Where systems keep the certificates of authorities, in PEM: VIEW_RESOLVER has the first that there is. */
const char *const *role_authorities(size_t *n);

/*
 * Enters the role for good: namespaces, view, capabilities, identity, limits, no_new_privs, not
 * dumpable, system-call filter, in the one order that works; then tries to regain what was given up
 * and fails if that succeeds.  No step is optional: if the kernel refuses one, the error names it.
 *
 * Before it: standard descriptors open (role_start).  The descriptors named keep (ascending, keep_n
 * of them, above 2) stay open, all others are closed.  An ordinary user without a user namespace
 * gets one.
 */
int role_enter(enum role r, const int *keep, size_t keep_n, struct err *e);

/*
 * First statement of every main: 0, 1, 2 are open (else /dev/null), umask 022, SIGPIPE ignored,
 * locale untouched.
 */
void role_start(void);

#endif
