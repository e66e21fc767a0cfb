/* SPDX-License-Identifier: ISC */
#include "pod-net/firewalld.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/role/spawn.h"
#include "common/wire/bus.h"
#include "common/wire/peer.h"

#define END_MS 1000 /* for the worker, once its connection is closed */

/* It has said all it has to say; a bus that takes nothing any more must not hold us up. */
static void
end_worker(pid_t pid)
{
	const struct timespec wait = {.tv_nsec = 2000000};

	for (int ms = 0; ms < END_MS; ms += 2) {
		pid_t r = waitpid(pid, NULL, WNOHANG);

		if (r == pid || (r < 0 && errno != EINTR))
			return;
		nanosleep(&wait, NULL);
	}
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int
firewalld_trust(const struct strs *subnets, bool no_more, struct err *e)
{
	struct msg_firewalld_trust m = {.subnets = *subnets, .no_more = no_more};
	own_peer_in struct peer_in in = {0};
	own_fd int bus = bus_system(e);
	struct peer *p;
	pid_t pid;
	int rc;

	if (bus < 0)
		return err_is_set(e) ? -1 : 0;
	p = spawn_peer(ROLE_NET, ROLE_FIREWALLD, &pid, e);
	if (p == NULL)
		return -1;
	m.bus = bus;
	rc = peer_call(p, &msg_firewalld_trust_desc, &m, &in, NULL, NULL, e);
	if (rc == 0)
		rc = MSG_OF(&in, firewalld_trusted)->runs;
	peer_free(p);
	end_worker(pid);
	return rc;
}

static void
call(firewalld_reloaded_fn *reloaded, void *arg)
{
	struct err e = {0};

	if (reloaded(arg, &e) != 0)
		log_warn("%s", e.text);
}

static int
listen_for(struct peer *p, firewalld_reloaded_fn *reloaded, void *arg, struct err *e)
{
	for (;;) {
		own_peer_in struct peer_in in = {0};
		int r = peer_recv(p, &in, -1, e);

		if (r < 0)
			return -1;
		if (r == 0)
			return err_set(e, ERR_NETWORK, "the system bus has gone");
		if (PEER_IS(&in, error))
			return peer_error(MSG_OF(&in, error), e);
		if (PEER_IS(&in, firewalld_reloaded))
			call(reloaded, arg);
	}
}

int
firewalld_follow(firewalld_reloaded_fn *reloaded, void *arg, struct err *e)
{
	struct msg_firewalld_watch m = {.bus = -1};
	own_peer_in struct peer_in in = {0};
	own_fd int bus = bus_system(e);
	struct peer *p;
	pid_t pid;
	int rc;

	if (bus < 0)
		return err_is_set(e) ? -1 : err_set(e, ERR_NETWORK, "there is no system bus");
	p = spawn_peer(ROLE_NET, ROLE_FIREWALLD, &pid, e);
	if (p == NULL)
		return -1;
	m.bus = bus;
	rc = peer_call(p, &msg_firewalld_watch_desc, &m, &in, NULL, NULL, e);
	if (rc == 0) {
		fd_close(&bus);
		rc = listen_for(p, reloaded, arg, e);
	}
	peer_free(p);
	end_worker(pid);
	return rc;
}
