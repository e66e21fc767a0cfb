/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/role/spawn.h"
#include "common/wire/tcp.h"
#include "pod-image/daemon.h"

#define DEFAULT_HOST "unix:///var/run/docker.sock"
#define DEFAULT_PORT "2375"
#define CAUSE_WAIT_MS 3000

int
daemon_name(const char *text, bool to_read, char **name, struct reference *r, struct err *e)
{
	if (to_read && reference_digest_valid(text)) {
		*name = xstrdup(text);
		return 0;
	}
	if (reference_parse_normal(text, r, e) < 0)
		return -1;
	if (r->digest != NULL || r->tag == NULL)
		return err_set(e, ERR_USAGE, "docker-daemon: reference %s %s", text,
		    r->digest != NULL
			? "names an image by its manifest, which the daemon does not know"
			: "has neither a tag nor a digest");
	*name = reference_string(r);
	return 0;
}

/* --- The socket ------------------------------------------------------------------------------- */

static int
connect_unix(const char *path, struct err *e)
{
	own_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (fd < 0)
		return err_sys(e, "making a socket");
	if (strlen(path) >= sizeof(at.sun_path))
		return err_set(e, ERR_INVALID, "the socket path %s is too long", path);
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return err_sys(e, "Cannot connect to the Docker daemon at unix://%s", path);
	return fd_take(&fd);
}

static int
connect_tcp(const char *host, struct err *e)
{
	const char *colon = strrchr(host, ':'), *start = host + (host[0] == '[');
	bool port = colon != NULL && strchr(colon, ']') == NULL;
	own_mem char *name = xstrndup(start, strcspn(start, host[0] == '[' ? "]" : ":/"));
	int fd = tcp_connect(name, port ? colon + 1 : DEFAULT_PORT, e);

	if (fd == -1 && (errno = e->no) != 0)
		err_sys(e, "Cannot connect to the Docker daemon at tcp://%s", host);
	return fd;
}

static int
connect_host(const char *host, struct err *e)
{
	const char *tls = getenv("DOCKER_TLS_VERIFY");

	if (host == NULL || *host == '\0')
		host = getenv("DOCKER_HOST");
	if (host == NULL || *host == '\0')
		host = DEFAULT_HOST;
	if (text_has_prefix(host, "unix://"))
		return connect_unix(host + strlen("unix://"), e);
	if (text_has_prefix(host, "https://") || (tls != NULL && *tls != '\0'))
		return err_set(
		    e, ERR_UNSUPPORTED, "%s: a Docker daemon behind TLS is not supported", host);
	if (text_has_prefix(host, "tcp://"))
		return connect_tcp(host + strlen("tcp://"), e);
	if (text_has_prefix(host, "http://"))
		return connect_tcp(host + strlen("http://"), e);
	return err_set(e, ERR_USAGE, "unable to parse docker host `%.300s`", host);
}

/* --- The worker ------------------------------------------------------------------------------- */

/* What a conversation with the daemon needs: the connection, and a pipe for the archive. */
struct ends {
	int socket, in, out;
};

static void
close_ends(struct ends *s)
{
	fd_close(&s->socket);
	fd_close(&s->in);
	fd_close(&s->out);
}

static int
start(struct daemon *d, const char *host, const struct wire_desc *request, struct ends *s,
    struct err *e)
{
	int ends[2];

	s->socket = connect_host(host, e);
	if (s->socket < 0)
		return -1;
	d->peer = spawn_peer(ROLE_IMAGE, ROLE_DAEMON, NULL, e);
	if (d->peer == NULL)
		return -1;
	d->seq = peer_next_seq(d->peer);
	d->request = request;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	s->in = ends[0];
	s->out = ends[1];
	return 0;
}

int
daemon_get(struct daemon *d, const char *host, const char *name, int *pipe_fd, struct err *e)
{
	own(close_ends) struct ends s = {-1, -1, -1};
	struct msg_daemon_save m = {.name = name};

	if (start(d, host, &msg_daemon_save_desc, &s, e) < 0)
		return -1;
	m.socket = s.socket;
	m.stream = s.out;
	if (peer_send(d->peer, d->request, d->seq, &m, e) < 0)
		return -1;
	*pipe_fd = fd_take(&s.in);
	return 0;
}

int
daemon_put(struct daemon *d, const char *host, int *pipe_fd, struct err *e)
{
	own(close_ends) struct ends s = {-1, -1, -1};
	struct msg_daemon_load m = {0};

	if (start(d, host, &msg_daemon_load_desc, &s, e) < 0)
		return -1;
	m.socket = s.socket;
	m.stream = s.in;
	if (peer_send(d->peer, d->request, d->seq, &m, e) < 0)
		return -1;
	*pipe_fd = fd_take(&s.out);
	return 0;
}

int
daemon_commit(struct daemon *d, struct err *e)
{
	struct msg_daemon_commit m = {0};

	return peer_send(d->peer, &msg_daemon_commit_desc, 0, &m, e) < 0 ? -1 : daemon_wait(d, e);
}

int
daemon_wait(struct daemon *d, struct err *e)
{
	own_peer_in struct peer_in in = {0};

	return peer_wait(d->peer, d->request, d->seq, &in, NULL, NULL, e);
}

void
daemon_explain(struct daemon *d, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct err ignored = {0}, cause = {0};

	if (d->peer == NULL || e->class != ERR_CANCELLED ||
	    peer_recv(d->peer, &in, CAUSE_WAIT_MS, &ignored) != 1 || !PEER_IS(&in, error))
		return;
	peer_error(MSG_OF(&in, error), &cause);
	if (cause.class != ERR_CANCELLED)
		*e = cause;
}

void
daemon_free(struct daemon *d)
{
	peer_free(d->peer);
	memset(d, 0, sizeof(*d));
}
