/* SPDX-License-Identifier: ISC */
// objs: pod-net/netlink.o
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/own.h"
#include "pod-net/netlink.h"

/* What a container may send in a namespace where it has CAP_NET_ADMIN. */
Test(netlink, takes_nothing_from_other_processes)
{
	own_netlink struct netlink ours = {.fd = -1};
	own_fd int other = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct nlmsghdr forged = {.nlmsg_len = sizeof forged, .nlmsg_type = NLMSG_DONE};
	struct sockaddr_nl at = {0};
	socklen_t size = sizeof at;
	struct err e = {0};

	cr_assert_eq(netlink_open(&ours, NETLINK_ROUTE, &e), 0, "%s", e.text);
	cr_assert_eq(getsockname(ours.fd, (struct sockaddr *)&at, &size), 0);
	cr_assert_neq(at.nl_pid, 0);
	cr_assert_eq(
	    sendto(other, &forged, sizeof forged, 0, (struct sockaddr *)&at, sizeof at), -1);
	/* The second for whoever may not send to processes at all. */
	cr_assert(errno == ECONNREFUSED || errno == EPERM, "%s", strerror(errno));
	cr_assert_eq(recv(ours.fd, &forged, sizeof forged, MSG_DONTWAIT), -1);
}

static int
count(const struct nlmsghdr *h, void *arg, struct err *e)
{
	(void)e;
	if (h->nlmsg_type == RTM_NEWLINK)
		++*(int *)arg;
	return 0;
}

Test(netlink, still_hears_the_kernel)
{
	own_netlink struct netlink s = {.fd = -1};
	own_netlink_batch struct netlink_batch b = {0};
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
	struct err e = {0};
	int links = 0;

	cr_assert_eq(netlink_open(&s, NETLINK_ROUTE, &e), 0, "%s", e.text);
	netlink_reset(&b, &s);
	netlink_begin(&b, RTM_GETLINK, NLM_F_DUMP, &i, sizeof i, "listing links", 0);
	netlink_end(&b);
	cr_assert_eq(netlink_ask(&s, &b, count, &links, &e), 0, "%s", e.text);
	cr_assert_gt(links, 0);
}
