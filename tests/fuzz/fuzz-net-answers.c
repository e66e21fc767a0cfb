/* SPDX-License-Identifier: ISC */
/* What network programs of others answer: netavark's plug-ins, those of CNI, slirp4netns; and "netavark create". */
// objs: pod-net/command.o pod-net/command_define.o pod-net/command_running.o pod-net/net.o pod-net/left.o pod-net/tidy.o pod-net/setup.o pod-net/plan.o pod-net/driver.o pod-net/create.o pod-net/attach.o pod-net/connect.o pod-net/manage.o pod-net/child.o pod-net/helper.o pod-net/netavark.o pod-net/netavark_json.o pod-net/netavark_create.o pod-net/backend.o pod-net/cni.o pod-net/cni_answer.o pod-net/conflist.o pod-net/plugin.o pod-net/plugin_answer.o pod-net/blame.o pod-net/dhcp.o pod-net/pasta.o pod-net/rootless.o pod-net/rootless_routes.o pod-net/rootless_program.o pod-net/slirp.o pod-net/network.o pod-net/addr.o pod-net/lease.o pod-net/names.o pod-net/state.o pod-net/netns.o pod-net/netlink.o pod-net/link.o pod-net/bridge.o pod-net/port.o pod-net/nft.o pod-net/firewall.o pod-net/firewall_table.o pod-net/firewalld.o
// libs: -lmsgpackc
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-net/addr.h"
#include "pod-net/cni_answer.h"
#include "pod-net/netavark_create.h"
#include "pod-net/network.h"
#include "pod-net/plugin_answer.h"
#include "pod-net/slirp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Nothing else may become part of a route or a line of resolv.conf. */
static void
check(const struct rec_net_hold *h)
{
	struct prefix p;
	struct addr a;
	uint8_t mac[6];

	if ((h->mac != NULL && addr_parse_mac(h->mac, mac) != 0) ||
	    (h->name != NULL && strlen(h->name) > 15))
		abort();
	for (size_t i = 0; i < h->addresses.n; i++)
		if (addr_parse_prefix(h->addresses.v[i].ipnet, &p) != 0 ||
		    (h->addresses.v[i].gateway != NULL &&
			addr_parse(h->addresses.v[i].gateway, &a) != 0))
			abort();
	for (size_t i = 0; i < h->dns_servers.n; i++)
		if (addr_parse(h->dns_servers.v[i], &a) != 0)
			abort();
	for (size_t i = 0; i < h->dns_search.n; i++)
		if (!network_name_valid(h->dns_search.v[i]))
			abort();
}

static void
answer(const char *bytes, size_t n,
    int (*read)(const json_t *o, struct rec_net_hold *h, struct arena *a, struct err *e))
{
	own_arena struct arena a = {0};
	struct rec_net_hold h = {.network = "net1"};
	struct err e = {0};
	own_json json_t *o = json_read(bytes, n, &e);

	if (o == NULL || !json_is_object(o))
		return;
	if (read(o, &h, &a, &e) == 0)
		check(&h);
	else if (!err_is_set(&e))
		abort();
}

static void
create(const char *bytes, size_t n)
{
	own_strv struct strv none = {0};
	struct err e = {0};
	own_mem char *made = netavark_create(bytes, n, &none, &e);

	if ((made == NULL) != err_is_set(&e))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *bytes = (const char *)data + 1;
	struct err e = {0};

	if (n == 0)
		return 0;
	switch (data[0] & 3) {
	case 0:
		answer(bytes, n - 1, plugin_answer);
		break;
	case 1:
		answer(bytes, n - 1, cni_answer);
		break;
	case 2:
		if ((slirp_answer(bytes, n - 1, &e) != 0) != err_is_set(&e))
			abort();
		break;
	case 3:
		create(bytes, n - 1);
	}
	return 0;
}
