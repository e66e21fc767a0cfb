/* SPDX-License-Identifier: ISC */
/*
 * Clients attached to a container, and what the monitor copies between them and its streams: each byte is a step of
 * a client or of the container.
 */
// objs: pod-monitor/stdio/stream.o pod-monitor/stdio/client.o pod-monitor/stdio/journal.o
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-monitor/stdio/stream.h"

#define CLIENTS 4
#define PERIOD 251 /* what the container prints: 0, 1, ... and again */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct streams s;
static struct {
	int fd[CLIENTS];    /* the clients' ends */
	int seen[CLIENTS];  /* the last byte that one got, -1: none */
	int to, from;	    /* the container's ends */
	size_t sent, taken; /* input */
	unsigned printed;
	bool draining;
} w;

static void
make_pipe(int *r, int *wr)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) == -1)
		abort();
	*r = p[0];
	*wr = p[1];
}

static void
attach(void)
{
	int pair[2];

	for (int i = 0; i < CLIENTS; i++) {
		if (w.fd[i] != -1)
			continue;
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) ==
		    -1)
			abort();
		w.fd[i] = pair[0];
		w.seen[i] = -1;
		clients_add(&s.clients, pair[1]);
		return;
	}
}

static void
send_input(int fd, size_t n)
{
	static const uint8_t zeros[MONITOR_INPUT_MAX];

	if (fd != -1 && n > 0 && send(fd, zeros, n, MSG_NOSIGNAL) == (ssize_t)n)
		w.sent += n;
}

static void
take_input(void)
{
	uint8_t block[4096];
	ssize_t n;

	while ((n = read(w.from, block, sizeof(block))) > 0)
		w.taken += (size_t)n;
	if (w.taken > w.sent)
		abort();
}

static void
print(size_t n)
{
	uint8_t block[16384];

	for (size_t i = 0; i < n; i++)
		block[i] = (uint8_t)((w.printed + i) % PERIOD);
	n = (size_t)write(w.to, block, n);
	if (n != (size_t)-1)
		w.printed = (w.printed + (unsigned)n) % PERIOD;
}

/* Nothing is lost, doubled or out of order from the first byte on that a client gets. */
static void
take_output(int i)
{
	uint8_t packet[2 + MONITOR_CHUNK];
	ssize_t n;

	while (w.fd[i] != -1 && (n = recv(w.fd[i], packet, sizeof(packet), 0)) > 0) {
		if (n < 2 || n > 1 + MONITOR_CHUNK || packet[0] != MONITOR_PACKET_OUT)
			abort();
		for (ssize_t k = 1; k < n; k++) {
			if (w.seen[i] != -1 && packet[k] != (w.seen[i] + 1) % PERIOD)
				abort();
			w.seen[i] = packet[k];
		}
	}
}

static void
serve(void)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		s.clients.c[i].readable = s.clients.c[i].fd >= 0;
	s.src[0].ready = s.src[0].fd >= 0;
	s.in_full = false;
	for (int i = 0; i < 100 && streams_copy(&s); i++)
		;
}

static void
step(unsigned op, int client, size_t size)
{
	switch (op) {
	case 0:
		attach();
		break;
	case 1:
		send_input(w.fd[client], size * 128);
		break;
	case 2:
		print(size * 64);
		break;
	case 3:
		if (w.fd[client] != -1)
			shutdown(w.fd[client], SHUT_WR);
		break;
	case 4:
		fd_close(&w.fd[client]);
		break;
	case 5:
		take_input();
		break;
	case 6:
		take_output(client);
		break;
	default:
		if (!w.draining && size > 200)
			streams_drain(&s);
		w.draining |= size > 200;
	}
	serve();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	signal(SIGPIPE, SIG_IGN);
	/* What stands behind the clients is buffers. */
	memset(&s, 0, offsetof(struct streams, clients));
	memset(s.clients.c, 0, sizeof(s.clients.c));
	s.clients.n = 0;
	memset(&w, 0, sizeof(w));
	streams_init(&s);
	memset(w.fd, -1, sizeof(w.fd));
	make_pipe(&w.from, &s.in);
	make_pipe(&s.src[0].fd, &w.to);
	s.running = true;
	s.leave_stdin_open = n > 0 && (data[0] & 1);
	for (size_t i = 0; i + 1 < n; i += 2)
		step(data[i] & 7, data[i] >> 3 & (CLIENTS - 1), data[i + 1]);
	take_input();
	for (int i = 0; i < CLIENTS; i++) {
		take_output(i);
		fd_close(&w.fd[i]);
	}
	clients_drop_all(&s.clients);
	for (size_t i = 0; i < COUNTOF(s.src); i++)
		fd_close(&s.src[i].fd);
	fd_close(&s.in);
	fd_close(&w.to);
	fd_close(&w.from);
	return 0;
}
