/* SPDX-License-Identifier: ISC */
/*
 * What a service of Podman's answers, from the status line on.  The first byte says what was asked for: the kind of
 * answer in its lower half, then whether something is fed, whether there is a terminal, and whether only the head is
 * wanted.
 */
// objs: pod-run/worker/exchange.o
// libs: -lmsgpackc -ljansson
#include <fcntl.h>
#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-run/worker/exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* As many messages as fit between two that nobody reads. */
#define INPUT_MAX 400

static const char *const kinds[] = {"document", "lines", "raw", "frames", "upgrade", "none"};

static void
pair(int type, int ends[2])
{
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == -1)
		abort();
}

static int
nowhere(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd == -1)
		abort();
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t how = n > 0 ? data[0] : 0;
	struct service s = {.h = xcalloc(1, sizeof(*s.h)), .fd = -1};
	struct msg_remote_ask m = {.method = how & 0x40 ? "HEAD" : "GET",
	    .target = "/",
	    .host = "d",
	    .answer = kinds[(how & 15) % COUNTOF(kinds)],
	    .feed = how & 0x10,
	    .tty = how & 0x20,
	    .detach_keys = "ctrl-p"};
	struct peer_in in = {.desc = &msg_remote_ask_desc, .msg = &m, .seq = 1};
	struct err e = {0};
	struct peer *p;
	int service[2],
	    peer[2], *const left[] = {&m.in, &m.out, &m.err, &s.fd, &service[1], &peer[1]};

	if (n > INPUT_MAX) {
		free(s.h);
		return -1;
	}
	pair(SOCK_STREAM, service);
	pair(SOCK_SEQPACKET, peer);
	p = peer_new(peer[0], ROLE_REMOTE, ROLE_RUN);
	if (n > 0 && file_put(service[1], data + 1, n - 1) == -1)
		abort();
	shutdown(service[1], SHUT_WR);
	m.connection = service[0];
	m.in = nowhere();
	m.out = nowhere();
	m.err = nowhere();
	if (exchange_on_ask(p, &in, &s, &e) == -1 && !err_is_set(&e))
		abort();
	for (size_t i = 0; i < COUNTOF(left); i++)
		fd_close(left[i]);
	peer_free(p);
	free(s.h);
	return 0;
}
