/* SPDX-License-Identifier: ISC */
#include "pod-net/child.h"

#include <errno.h>
#include <string.h>

#include "common/base/own.h"

static int
find_parent(struct netlink *host, const struct plan_attach *a, int *index, struct err *e)
{
	const char *name = a->network->interface;
	struct link l;
	int found;

	if (name == NULL) {
		*index = link_default_route(host, e);
		if (*index > 0)
			return 0;
		return *index < 0 ? -1
				  : err_set(e, ERR_NOTFOUND,
					"network %s: failed to get default route interface",
					a->network->name);
	}
	found = link_find(host, name, &l, e);
	*index = l.index;
	if (found == 0)
		return err_set(e, ERR_NOTFOUND, "network %s: parent interface %s does not exist",
		    a->network->name, name);
	return found < 0 ? -1 : 0;
}

int
child_attach(struct netlink *host, int netns, const struct plan_attach *a, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct link_child c = {.kind = a->driver->name,
	    .name = a->name,
	    .netns = netns,
	    .mtu = a->set.mtu,
	    .mode = a->set.mode,
	    .bclim = a->set.has_bclim ? &a->set.bclim : NULL,
	    /* ipvlan has the hardware address of its parent. */
	    .mac = a->driver->kind == DRIVER_MACVLAN ? a->mac : NULL};

	if (a->driver->kind == DRIVER_IPVLAN && a->has_mac)
		return err_set(e, ERR_INVALID,
		    "network %s: a static mac address is not supported with driver ipvlan",
		    a->network->name);
	if (find_parent(host, a, &c.parent, e) != 0)
		return -1;
	netlink_reset(&b, host);
	link_put_child(&b, &c);
	if (netlink_run(host, &b, e) == 0)
		return 0;
	if (e->no == EEXIST)
		return err_set(e, ERR_EXISTS,
		    "create %s: interface %s already exists on container namespace",
		    a->driver->name, a->name);
	if (e->no == EOPNOTSUPP)
		return err_set(e, ERR_UNSUPPORTED,
		    "network %s: this kernel has no %s interfaces (module %s)", a->network->name,
		    a->driver->name, a->driver->name);
	return err_wrap(e, "network %s", a->network->name);
}
