/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/role/spawn.h"
#include "pod-run/remote/dial.h"

#define PEM_MAX ((size_t)1 << 20)

static int
dial_unix(const char *path, struct err *e)
{
	own_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (fd == -1)
		return err_sys(e, "making a socket");
	if (strlen(path) >= sizeof(at.sun_path))
		return err_set(e, ERR_INVALID, "the path %s is too long for a socket", path);
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		return err_sys(e, "connecting to %s", path);
	return fd_take(&fd);
}

/* --- TCP ----------------------------------------------------------------------------------------*/

static int
read_pem(const char *path, const char *option, char **text, struct bytes *out, struct err *e)
{
	size_t n;

	if (path == NULL)
		return 0;
	if (file_read_place(path, PEM_MAX, text, &n, e) == -1)
		return err_wrap(e, "--%s", option);
	if (n == 0)
		return err_set(e, ERR_INVALID, "--%s %s: the file is empty", option, path);
	*out = (struct bytes){(const uint8_t *)*text, n};
	return 0;
}

static int
dial_tcp(const struct dest *d, const struct dest_uri *u, struct peer **worker, struct err *e)
{
	own_mem char *ca = NULL, *cert = NULL, *key = NULL;
	own_peer_in struct peer_in in = {0};
	struct msg_dial m = {.host = u->host,
	    .port = u->port,
	    .tls = d->tls_ca != NULL || d->tls_cert != NULL,
	    .details = d->tls_details};

	if (read_pem(d->tls_ca, "tls-ca", &ca, &m.ca, e) == -1 ||
	    read_pem(d->tls_cert, "tls-cert", &cert, &m.cert, e) == -1 ||
	    read_pem(d->tls_key, "tls-key", &key, &m.key, e) == -1)
		return -1;
	*worker = spawn_peer(ROLE_RUN, ROLE_DIAL, NULL, e);
	if (*worker == NULL || peer_call(*worker, &msg_dial_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	return fd_take(&MSG_OF(&in, dial_r)->connection);
}

/* --- ssh ----------------------------------------------------------------------------------------*/

/* The caller's own ssh, with the caller's agent, configuration and terminal, has the service's end over there. */
static void
ssh_words(const struct dest *d, const struct dest_uri *u, struct strv *out)
{
	own_strbuf struct strbuf line = {0}, uri = {0};

	strbuf_add(&line, "podman ");
	if (*u->path != '\0' && strcmp(u->path, "/") != 0) {
		strbuf_addf(&uri, "unix://%s", u->path);
		strbuf_add(&line, "--url ");
		strbuf_add_quoted(&line, uri.s);
		strbuf_addc(&line, ' ');
	}
	strbuf_add(&line, "system dial-stdio");
	strv_add(out, "ssh");
	ctx_add_option(out, "-i", d->identity);
	ctx_add_option(out, "-p", u->port);
	ctx_add_option(out, "-l", u->user);
	strv_add(out, "--");
	strv_add(out, u->host);
	strv_add(out, line.s);
}

static int
dial_ssh(const struct dest *d, const struct dest_uri *u, bool attended, struct err *e)
{
	own_strv struct strv words = {0};
	own_fd int ours = -1, its = -1;
	sigset_t none;
	int ends[2];
	pid_t pid;

	ssh_words(d, u, &words);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return err_sys(e, "making sockets");
	ours = ends[0];
	its = ends[1];
	pid = fork();
	if (pid == -1)
		return err_sys(e, "starting ssh");
	if (pid > 0)
		return fd_take(&ours);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (attended) {
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
	}
	if (dup2(its, STDIN_FILENO) != -1 && dup2(its, STDOUT_FILENO) != -1)
		execvp(words.v[0], words.v);
	dprintf(STDERR_FILENO, "Error: starting ssh: %s\n", strerror(errno));
	_exit(127);
}

int
dial(const struct dest *d, bool attended, struct peer **worker, struct err *e)
{
	own_dest_uri struct dest_uri u = {0};

	if (dest_uri_parse(d->uri, &u, e) == -1)
		return -1;
	if (strcmp(u.scheme, "unix") == 0)
		return dial_unix(u.path, e);
	return strcmp(u.scheme, "tcp") == 0 ? dial_tcp(d, &u, worker, e)
					    : dial_ssh(d, &u, attended, e);
}
