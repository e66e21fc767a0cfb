/* SPDX-License-Identifier: ISC */
#include "pod-run/life/copying.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/role/spawn.h"
#include "common/fs/stream.h"
#include "common/wire/peer.h"

int
copying_run(const struct msg_copy *m, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct peer *worker;
	pid_t pid;
	int r;

	worker = spawn_peer(ROLE_RUN, ROLE_COPY, &pid, e);
	if (worker == NULL)
		return -1;
	r = peer_call(worker, &msg_copy_desc, m, &in, NULL, NULL, e);
	peer_free(worker);
	waitpid(pid, NULL, 0);
	return r;
}

/* Looks at the first bytes without taking them away; their number, -1 if that cannot be done. */
static ssize_t
peek(int fd, unsigned char *head, size_t n)
{
	ssize_t got = pread(fd, head, n, lseek(fd, 0, SEEK_CUR));
	int pair[2];

	if (got == -1)
		got = recv(fd, head, n, MSG_PEEK | MSG_WAITALL);
	if (got >= 0)
		return got;
	if (pipe2(pair, O_CLOEXEC) == -1)
		return -1;
	got = tee(fd, pair[1], n, 0);
	if (got > 0)
		got = read(pair[0], head, (size_t)got);
	close(pair[0]);
	close(pair[1]);
	return got;
}

bool
copying_is_empty(int stream)
{
	unsigned char head[1];

	return peek(stream, head, sizeof(head)) == 0;
}

static bool
is_compressed(const unsigned char *head, size_t n)
{
	static const unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

	return (n >= 2 && head[0] == 0x1f && head[1] == 0x8b) ||
	       (n >= sizeof(zstd) && memcmp(head, zstd, sizeof(zstd)) == 0);
}

/* Puts the worker that decompresses in front of source. */
static int
inflate(int *source, pid_t *pid, struct err *e)
{
	struct spawn sp = {
	    .role = ROLE_INFLATE, .mode = "inflate", .nfds = 2, .discard_stderr = true};
	int pair[2];

	if (stream_pair(pair, e) == -1)
		return -1;
	sp.fds[0] = *source;
	sp.fds[1] = pair[1];
	*pid = spawn_start(&sp, e);
	close(pair[1]);
	close(*source);
	*source = pair[0];
	return *pid == -1 ? -1 : 0;
}

int
copying_unpack(struct msg_copy *m, int *source, struct err *e)
{
	unsigned char head[8];
	ssize_t n = peek(*source, head, sizeof(head));
	pid_t pid = -1;
	int r, status = 0;

	if (n <= 0)
		return err_set(e, ERR_FORMAT, COPYING_NO_ARCHIVE);
	if (is_compressed(head, (size_t)n) && inflate(source, &pid, e) == -1)
		return -1;
	m->source = *source;
	r = copying_run(m, e);
	fd_close(source);
	if (pid != -1 && waitpid(pid, &status, 0) == pid && status != 0 && r == 0)
		return err_set(e, ERR_FORMAT, COPYING_NO_ARCHIVE);
	return r;
}
