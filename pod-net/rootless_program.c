/* SPDX-License-Identifier: ISC */
#include "pod-net/rootless_program.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-net/rootless.h"

#define STATE "/var/lib/cni"
#define ABOVE "/var/lib"

/* What the child leaves in the file that both have: this, the output and the words on standard error. */
struct head {
	int status;
	size_t out, err;
};

struct job {
	const struct net *n;
	const struct program_run *run;
	int file;
};

/* Plug-ins keep their leases where only root may write: there they find a directory of the user's. */
static int
give_state_dir(const struct net *n, struct err *e)
{
	own_fd int dir =
	    path_mkdirs(n->dir, ROOTLESS_PROGRAM_DIR "/cni", PATH_BENEATH, 0700, NULL, e);
	own_mem char *above = xasprintf("%s/net/" ROOTLESS_PROGRAM_DIR, n->run_root);
	own_mem char *own = xasprintf("%s/cni", above);
	struct stat st;
	bool there = stat(STATE, &st) == 0 && S_ISDIR(st.st_mode);

	if (dir < 0)
		return -1;
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
		return err_sys(e, "making a mount namespace for a network plug-in");
	if (mount(there ? own : above, there ? STATE : ABOVE, NULL, MS_BIND, NULL) != 0)
		return err_sys(e, "mounting %s", there ? STATE : ABOVE);
	return 0;
}

static int
put(int fd, const void *p, size_t n, struct err *e)
{
	const char *c = p;

	while (n > 0) {
		ssize_t w = write(fd, c, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_sys(e, "keeping what a network plug-in said");
		c += w;
		n -= (size_t)w;
	}
	return 0;
}

static int
run_inside(void *arg, struct err *e)
{
	const struct job *j = arg;
	own(program_free) struct program_result r = {0};
	struct head h;

	if (give_state_dir(j->n, e) != 0 || program_run(j->run, &r, e) != 0)
		return -1;
	h = (struct head){r.status, r.out.n, r.err.n};
	return put(j->file, &h, sizeof h, e) == 0 && put(j->file, r.out.s, r.out.n, e) == 0 &&
		       put(j->file, r.err.s, r.err.n, e) == 0
		   ? 0
		   : -1;
}

static int
get(int fd, off_t at, size_t n, struct strbuf *to, struct err *e)
{
	own_mem char *b = xmalloc(n + 1);

	if (pread(fd, b, n, at) != (ssize_t)n)
		return err_set(e, ERR_INTERNAL, "what a network plug-in said is incomplete");
	strbuf_addn(to, b, n);
	return 0;
}

/* The links of a namespace that has gone are gone, but not what programs have noted. */
static int
where(struct net *n, int *empty, struct err *e)
{
	if (rootless_enter(n, false, e) == 0)
		return 0;
	if (e->class != ERR_STATE)
		return -1;
	err_clear(e);
	*empty = netns_make(n->home, e);
	return *empty < 0 ? -1 : 0;
}

static int
run_for_user(struct net *n, const struct program_run *r, struct program_result *out, struct err *e)
{
	own_fd int file = -1, empty = -1;
	struct job j = {n, r, -1};
	struct head h;

	*out = (struct program_result){0};
	file = j.file = memfd_create("plugin", MFD_CLOEXEC);
	if (file < 0)
		return err_sys(e, "making a file for what a network plug-in says");
	if (where(n, &empty, e) != 0 ||
	    rootless_call_in(empty >= 0 ? empty : n->inner, run_inside, &j, e) != 0)
		return -1;
	if (pread(file, &h, sizeof h, 0) != sizeof h || h.out > PROGRAM_OUTPUT_MAX ||
	    h.err > PROGRAM_OUTPUT_MAX)
		return err_set(e, ERR_INTERNAL, "what a network plug-in said is incomplete");
	out->status = h.status;
	if (get(file, sizeof h, h.out, &out->out, e) == 0 &&
	    get(file, (off_t)(sizeof h + h.out), h.err, &out->err, e) == 0)
		return 0;
	program_free(out);
	return -1;
}

int
rootless_program(
    struct net *n, const struct program_run *r, struct program_result *out, struct err *e)
{
	struct strbuf *said = &out->err;

	if ((n->rootless ? run_for_user(n, r, out, e) : program_run(r, out, e)) != 0)
		return -1;
	while (said->n > 0 && said->s[said->n - 1] == '\n')
		said->s[--said->n] = '\0';
	return 0;
}
