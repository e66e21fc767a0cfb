/* SPDX-License-Identifier: ISC */
/*
 * The network of containers: what the requests of net.def do, whoever asks.
 */
#ifndef POD_NET_H
#define POD_NET_H

#include "common/base/mem.h"
#include "common/wire/msg.h"
#include "pod-net/backend.h"
#include "pod-net/firewall.h"
#include "pod-net/lease.h"
#include "pod-net/names.h"
#include "pod-net/netlink.h"
#include "pod-net/netns.h"
#include "pod-net/network.h"
#include "pod-net/state.h"

#define NET_NOTED 16

/* A definition under the name by which it was asked for. */
struct net_noted {
	const char *dir, *name;
	struct rec_network network;
};

/* Where and for whom; one per process. */
struct net {
	char *run_root, *config_dir;
	bool rootless;
	int dir; /* RUNROOT/net */
	int home; /* the host's network namespace; -1 for ordinary users, who cannot come back to it */
	int inner; /* the shared namespace of an ordinary user, once rootless_enter has joined it */
	struct peer *keeper; /* and the worker that keeps it */
	int spare;	     /* a namespace made before it was asked for, or -1 */
	struct netlink route;
	struct state_dir state;
	struct leases leases;
	struct firewall firewall;
	struct names names;
	char netns[NETNS_NAME]; /* the host's namespace */
	int64_t started_ns;
	int *held; /* locks on the states of containers this process has set up */
	size_t nheld, held_cap;
	struct strv retired; /* state files whose rest is undone after the answer */
	struct strv named;   /* those whose links are left of it, for net_tidy */
	struct strv links;   /* host ends of the links of such containers */
	struct {
		struct rec_net_hold *v;
		size_t n, cap;
		struct arena arena;
	} left; /* networks that containers have left */
	struct {
		struct net_noted v[NET_NOTED];
		size_t n;
		int64_t since_ms;
		struct arena arena;
	} noted; /* definitions that were looked at a moment ago */
	const struct backend *backend;
	struct network_default fallback; /* the network that needs no definition */
	struct strv cni_dirs;		 /* of CNI plug-ins */
	struct strv helper_dirs;	 /* of pasta and slirp4netns; none: where Podman has them */
	struct strv plugin_dirs,
	    plugins; /* network drivers that are programs of others; their names */
	struct {
		char *path;
		bool hung;
	} blamed;			  /* see blame.h */
	const struct network_list *given; /* definitions, instead of files; borrowed */
	bool
	    device_names; /* an interface is called what the network's is on the host (interface_name) */
	bool
	    ports_unheld; /* published ports are tried, but not kept bound (enable_port_reservation) */
	char *slirp_path; /* network_cmd_path; NULL: it is looked for */
	bool foreign; /* definitions and addresses are somebody else's, as for netavark's callers */
};

/* Not open; net_close may be called. */
#define NET_CLOSED                                                                    \
	{                                                                             \
		.dir = -1, .home = -1, .inner = -1, .spare = -1, .route = {.fd = -1}, \
		.state = {.fd = -1}, .leases = LEASES_CLOSED, .firewall = {           \
			.nl = {.fd = -1}                                              \
		}                                                                     \
	}

/*
 * Makes a namespace before it is asked for, while the coordinator still works out what it wants; the next
 * set-up takes it.  Failing is no harm: the set-up will say so.
 */
void net_prepare(struct net *n);

/* Opens what is needed.  hello's run_root is required. */
int net_open(struct net *n, const struct msg_hello *hello, struct err *e);
/* The same for callers who bring definitions and addresses themselves. */
int net_open_foreign(struct net *n, const struct msg_hello *hello, struct err *e);
void net_close(struct net *n);

/* The directory of definitions: the one asked for, else the configured one. */
const char *net_config_dir(const struct net *n, const char *asked);

/*
 * Finds a definition.  Whoever starts a container looks whether its networks exist before anything is made, so what
 * was found is remembered for a moment and not read again; net_forget: definitions have changed.
 */
int net_find(struct net *n, const char *dir, const char *name, struct rec_network *out,
    struct arena *a, struct err *e);
void net_forget(struct net *n);

/* The coordinator has recorded what was set up, or has gone. */
void net_release(struct net *n);

/*
 * net_teardown: addresses are free again when it returns; netns is the namespace if it stays, or -1.
 * net_finish, after the answer, does the rest; net_tidy, when the coordinator has gone, does it too, waits a moment
 * (unless at_once) and removes links that are still there and bridges that nobody uses.  What a set-up or a
 * connection that failed has undone is left to them as well.
 * A container that has nothing is no error.
 */
int net_teardown(struct net *n, const char *id, int netns, struct err *e);
void net_finish(struct net *n);
void net_tidy(struct net *n, bool at_once);

/* For setup.c: keeps the lock of a state until net_release, opens the socket for links if need be, and what
 * the firewall must know of a container. */
void net_hold(struct net *n, int fd);
int net_need_route(struct net *n, struct err *e);
struct firewall_target net_target(const struct rec_net_state *st, const char *id, const char *name);

/* True if a container of this run root is on the bridge. */
bool net_has_user(struct net *n, const char *interface);

/* Removes the link unless a container of this run root has one of that name. */
void net_remove_link(struct net *n, const char *name);

/* True if it is the link of a container that was taken down a moment ago, and not all of it is undone yet. */
bool net_left_link(struct net *n, const char *name);

/* Remembers that a container has left a network, for net_tidy. */
void net_left(struct net *n, const struct rec_net_hold *h);

/* Followed by net_finish and net_tidy as well. */
int net_sweep(struct net *n, const struct strs *containers, struct err *e);

#endif
