/* SPDX-License-Identifier: ISC */
/*
 * Starting the programs of the suite: fork and exec always, fresh environment, no user's words on
 * the command line, exactly the descriptors that are listed.
 */
#ifndef POD_SPAWN_H
#define POD_SPAWN_H

#include <sys/types.h>

#include "common/role/role.h"

#define SPAWN_FDS 26

struct spawn {
	enum role role;	  /* which program */
	const char *mode; /* argv[1]; one fixed word or NULL, which means "--peer" */
	/* fds[i] becomes descriptor i; 0 or less: for i < 3 the caller's own, else closed */
	int fds[SPAWN_FDS];
	size_t nfds; /* entries of fds that count, at least 0 */
	bool discard_stderr;
};

/*
 * Starts the program and returns its process ID.  The caller's descriptors in s->fds stay open.
 * The environment holds PATH, HOME, TMPDIR, XDG_RUNTIME_DIR, LANG=C.UTF-8, POD_TRACE, POD_REGISTRY_TIMEOUT and
 * what role RUN's configuration needs, nothing else.
 */
pid_t spawn_start(const struct spawn *s, struct err *e);

/* As spawn_start for a helper with a peer face: its connection comes back as a peer. */
struct peer;
/* The same in another mode: argv[1] instead of "--peer", in which the program enters a role of its own. */
struct peer *spawn_peer_mode(
    enum role self, enum role role, const char *mode, pid_t *pid, struct err *e);

struct peer *spawn_peer(enum role self, enum role role, pid_t *pid, struct err *e);

/* As spawn_peer, for another process to speak with: what that needs of the connection, or -1. */
int spawn_end_of(enum role role, struct err *e);

/* As spawn_peer for a role with a view, which is the directory view; that stays the caller's. */
struct peer *spawn_peer_view(enum role self, enum role role, int view, struct err *e);

/* As spawn_peer for one that prints: its standard input is input, which stays the caller's, the others are the caller's. */
struct peer *spawn_peer_input(enum role self, enum role role, int input, struct err *e);

/*
 * Waits for a child that has nothing left to do, and after grace_ms ends it: one that has been taken over may not keep
 * us.  Returns its wait status, -1 if it goes on because it may not be ended.
 */
int spawn_end(pid_t pid, int grace_ms);
#define SPAWN_GRACE_MS 2000

/*
 * For a tool that an ordinary user runs alone: becomes "pod-run unshare TOOL WORDS…", which runs the tool as root of
 * the user's namespace with CONTAINERS_GRAPHROOT and CONTAINERS_RUNROOT set.  Returns 0 where there is nothing
 * to do: for root, for root of a namespace, and for words that only ask for help.
 */
int spawn_in_userns(char **argv, struct err *e);

/* Directory of our programs (bin, absolute) and the path of one role's program. */
const char *spawn_bin_dir(void);
char *spawn_program(enum role r); /* caller frees */

#endif
