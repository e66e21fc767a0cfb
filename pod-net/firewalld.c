/* SPDX-License-Identifier: ISC */
#include "pod-net/firewalld.h"

#include <errno.h>
#include <sys/wait.h>

#include "common/base/own.h"
#include "common/role/spawn.h"
#include "common/wire/bus.h"
#include "common/wire/peer.h"

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
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return rc;
}
