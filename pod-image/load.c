/* SPDX-License-Identifier: ISC */
/* The first half: what is done with the caller's power. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/role/spawn.h"
#include "pod-image/load.h"
#include "pod-image/policy.h"
#include "pod-image/spool.h"

void
load_free(struct load *l)
{
	peer_in_free(&l->opened);
	peer_free(l->worker);
	free(l->reference_text);
}

size_t
load_fds(const struct load *l, int fds[LOAD_FDS_MAX])
{
	if (l->worker == NULL)
		return 0;
	fds[0] = peer_fd(l->worker);
	return 1;
}

/* True if the archive can be read at any place as it is: a regular file that is a plain tar. */
static bool
is_plain_file(int fd, const struct stat *st)
{
	char magic[6] = "";

	if (!S_ISREG(st->st_mode))
		return false;
	if (pread(fd, magic, 5, 0) < 0)
		return false;
	return memcmp(magic, "\x1f\x8b", 2) != 0 && memcmp(magic, "\x28\xb5\x2f\xfd", 4) != 0 &&
	       memcmp(magic,
		   "\xfd"
		   "7zXZ",
		   5) != 0 &&
	       memcmp(magic, "BZh", 3) != 0;
}

static int
start_archive(struct load *l, int fd, const struct stat *st, struct err *e)
{
	own_fd int spool = -1;
	struct msg_archive_open m = {.input = fd};

	if (!is_plain_file(fd, st)) {
		spool = spool_open(l->graph_root, e);
		if (spool < 0)
			return -1;
		m.spool = spool;
	}
	l->worker = spawn_peer(ROLE_IMAGE, ROLE_ARCHIVE, NULL, e);
	if (l->worker == NULL)
		return -1;
	l->open_seq = peer_next_seq(l->worker);
	return peer_send(l->worker, &msg_archive_open_desc, l->open_seq, &m, e);
}

static int
start_layout(struct load *l, int fd, struct err *e)
{
	int pair[2];
	own_fd int theirs = -1;
	struct spawn s = {.role = ROLE_LAYOUT, .nfds = ROLE_VIEW_FD_NUMBER + 1};

	if (peer_pair(pair, e) < 0)
		return -1;
	l->worker = peer_new(pair[0], ROLE_IMAGE, ROLE_LAYOUT);
	theirs = pair[1];
	s.fds[PEER_FD] = theirs;
	s.fds[ROLE_VIEW_FD_NUMBER] = fd;
	return spawn_start(&s, e) < 0 ? -1 : 0;
}

int
load_prepare_fd(struct load *l, int fd, struct err *e)
{
	own_fd int input = fd;
	struct stat st;

	if (fstat(input, &st) < 0)
		return err_sys(e, "looking at the archive");
	if (policy_check_transport(l->policy_file,
		l->form != NULL	      ? l->form
		: S_ISDIR(st.st_mode) ? "oci"
				      : "docker-archive",
		e) < 0)
		return -1;
	return S_ISDIR(st.st_mode) ? start_layout(l, input, e) : start_archive(l, input, &st, e);
}

int
load_prepare_path(struct load *l, const char *transport, const char *rest, struct err *e)
{
	bool whole = strcmp(transport, "dir") == 0; /* its paths may hold colons */
	size_t n = whole ? strlen(rest) : strcspn(rest, ":");
	own_mem char *path = xstrndup(rest, n);
	int fd;

	if (strcmp(transport, "containers-storage") == 0)
		return err_set(e, ERR_UNSUPPORTED, "the transport %s is not supported", transport);
	l->form = transport;
	if (rest[n] == ':' && rest[n + 1] != '\0')
		l->reference = l->reference_text = xstrdup(rest + n + 1);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	return load_prepare_fd(l, fd, e);
}
