/* SPDX-License-Identifier: ISC */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/own.h"
#include "common/oci/monitor.h"
#include "pod-run/life/capture.h"
#include "pod-run/life/sync.h"

#define GRACE_MS 2000 /* between the two signals */

/* One packet.  Returns false at the end. */
static bool
take_output(struct capture *c, int sock)
{
	char packet[1 + MONITOR_CHUNK];
	ssize_t n = recv(sock, packet, sizeof(packet), MSG_DONTWAIT);
	size_t room = c->max > c->text.n ? c->max - c->text.n : 0;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	n--;
	strbuf_addn(&c->text, packet + 1, (size_t)n < room ? (size_t)n : room);
	return true;
}

/* Returns false when the monitor will say nothing more. */
static bool
take_message(struct capture *c, struct peer *monitor)
{
	own_peer_in struct peer_in in = {0};
	struct err ignored = {0};
	int n = peer_recv(monitor, &in, 0, &ignored);

	if (n == PEER_NONE)
		return true;
	if (n != 1)
		return false;
	if (PEER_IS(&in, monitor_exited)) {
		c->exited = true;
		c->code = (int)MSG_OF(&in, monitor_exited)->code;
	}
	return !c->exited;
}

void
capture_run(struct capture *c, int sock, struct peer *monitor, pid_t pid, uint64_t start)
{
	struct pollfd p[] = {
	    {.fd = sock, .events = POLLIN}, {.fd = peer_fd(monitor), .events = POLLIN}};
	own_fd int process = (int)syscall(SYS_pidfd_open, pid, 0);
	int64_t limit = c->timeout_ms > 0 ? clock_now_ms() + c->timeout_ms : INT64_MAX;
	bool more = true;

	while (more || !c->exited) {
		int64_t left = limit == INT64_MAX ? 60000 : limit - clock_now_ms();

		poll(p, COUNTOF(p), left < 0 ? 0 : left > 60000 ? 60000 : (int)left);
		if (p[0].revents != 0 && !take_output(c, sock)) {
			p[0].fd = -1;
			more = false;
		}
		if (p[1].revents != 0 && !take_message(c, monitor)) {
			/* Whether it has ended or not: nobody is left to tell. */
			if (!c->exited)
				return;
			p[1].fd = -1;
		}
		if (clock_now_ms() < limit)
			continue;
		if (process != -1 && sync_process_lives(pid, start))
			syscall(SYS_pidfd_send_signal, process, c->timed_out ? SIGKILL : SIGTERM,
			    NULL, 0);
		limit = c->timed_out ? INT64_MAX : clock_now_ms() + GRACE_MS;
		c->timed_out = true;
	}
}
