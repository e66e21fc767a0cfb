/* SPDX-License-Identifier: ISC */
#include "pod-net/rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/fs/group.h"
#include "common/fs/lock.h"
#include "common/role/spawn.h"
#include "common/wire/peer.h"
#include "pod-net/bridge.h"
#include "pod-net/helper.h"
#include "pod-net/link.h"
#include "pod-net/pasta.h"
#include "pod-net/rootless_routes.h"

#define SOCKET_NAME "rootless.sock"
#define LOCK_NAME "rootless.lock"
#define PIN_NAME "rootless.ns"
#define BACKLOG 64

/* --- The worker's socket -------------------------------------------------------------------------- */

/* By the descriptor of its directory, as a run root's path may be longer than a socket's may be. */
static socklen_t
socket_address(const struct net *n, struct sockaddr_un *sa)
{
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(sa->sun_path, sizeof sa->sun_path, "/proc/self/fd/%d/" SOCKET_NAME, n->dir);
	return sizeof *sa;
}

/* The connection, or -1 if nobody listens. */
static int
connect_worker(const struct net *n)
{
	struct sockaddr_un sa;
	socklen_t size = socket_address(n, &sa);
	own_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, size) != 0)
		return -1;
	return fd_take(&fd);
}

static int
listen_for(const struct net *n, struct err *e)
{
	struct sockaddr_un sa;
	socklen_t size = socket_address(n, &sa);
	own_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)unlinkat(n->dir, SOCKET_NAME, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, size) != 0 || listen(fd, BACKLOG) != 0)
		return err_sys(e, "listening on %s/net/" SOCKET_NAME, n->run_root);
	return fd_take(&fd);
}

/* Asks the worker for the namespace. */
static int
join(struct net *n, int fd, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct msg_forward_join m = {0};

	n->keeper = peer_new(fd, ROLE_NET, ROLE_FORWARD);
	if (peer_call(n->keeper, &msg_forward_join_desc, &m, &in, NULL, NULL, e) != 0)
		return err_wrap(e, "joining the rootless network namespace");
	n->inner = fd_take(&MSG_OF(&in, forward_joined)->netns);
	return 0;
}

/* The worker that runs.  1: there is none, or it has just been killed and answers no more. */
static int
join_running(struct net *n, struct err *e)
{
	own_fd int fd = connect_worker(n);

	if (fd < 0)
		return 1;
	if (join(n, fd_take(&fd), e) == 0)
		return 0;
	if (e->class != ERR_PEER)
		return -1;
	rootless_leave(n);
	err_clear(e);
	return 1;
}

/* --- Making it ------------------------------------------------------------------------------------ */

static int
start_worker(const struct net *n, int netns, struct err *e)
{
	own_fd int listener = listen_for(n, e), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct spawn s = {.role = ROLE_FORWARD,
	    .mode = "--serve",
	    .fds = {null, null, 0, listener, n->dir, netns},
	    .nfds = 6,
	    .discard_stderr = true};

	if (listener < 0 || null < 0)
		return -1;
	group_leave_caller();
	return spawn_start(&s, e) > 0 ? 0 : -1;
}

/* An address of its own, so that those of the host lead to the host. */
static int
start_pasta(struct net *n, int netns, struct err *e)
{
	static const char *options[] = {
	    "-a", "169.254.2.2", "-n", "255.255.255.0", "-g", "169.254.2.1", "--ns-ifname", "tap0"};
	const struct strs given = {options, COUNTOF(options)};
	const struct port_list none = {0};
	own_mem char *path = helper_find(&n->helper_dirs, "pasta");
	struct pasta p = {.job = {.path = path,
			      .id = ROOTLESS_HELPER,
			      .run_root = n->run_root,
			      .options = &given,
			      .ports = &none,
			      .dir = n->dir,
			      .netns = netns}};

	if (path == NULL)
		return helper_missing("pasta", "passt", e);
	return helper_check_tun(e) != 0 ? -1 : pasta_start(&p, e);
}

/* --- Keeping it ----------------------------------------------------------------------------------- */

/*
 * The namespace is mounted on a file, in the user's own mount namespace: a worker that was killed takes neither
 * the bridges nor the containers' links along, and the next command gives them a new one.
 */
static void
pin(const struct net *n, int netns)
{
	own_fd int file = openat(n->dir, PIN_NAME, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	char from[64], to[64];

	snprintf(from, sizeof from, "/proc/self/fd/%d", netns);
	snprintf(to, sizeof to, "/proc/self/fd/%d", file);
	if (file < 0 || mount(from, to, NULL, MS_BIND, NULL) != 0)
		log_debug("keeping the rootless network namespace: %s", strerror(errno));
}

static void
unpin(const struct net *n)
{
	own_mem char *path = xasprintf("%s/net/" PIN_NAME, n->run_root);

	(void)umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	(void)unlinkat(n->dir, PIN_NAME, 0);
}

/* A namespace that nobody keeps any more, or -1. */
static int
pinned(const struct net *n)
{
	own_fd int fd = openat(n->dir, PIN_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC ? fd_take(&fd) : -1;
}

static int
employ(struct net *n, int netns, struct err *e)
{
	own_fd int fd = -1;

	if (start_worker(n, netns, e) == 0 && (fd = connect_worker(n)) >= 0)
		return join(n, fd_take(&fd), e);
	return err_is_set(e) ? -1 : err_set(e, ERR_INTERNAL, "pod-net-forward did not start");
}

static int
make(struct net *n, struct err *e)
{
	own_fd int netns = netns_make(n->home, e);

	if (netns < 0 || bridge_loopback(n->home, netns, e) != 0 ||
	    rootless_routes_make(netns, e) != 0)
		return -1;
	unpin(n);
	pin(n, netns);
	if (employ(n, netns, e) == 0)
		return 0;
	unpin(n);
	return -1;
}

/* The ports of one container, which nobody listens on. */
static int
publish_again(struct net *n, const char *id, struct err *e)
{
	own_arena struct arena a = {0};
	own_fd int sockets = -1;
	struct rec_net_state st;
	struct port_list ports;
	int found = state_read(&n->state, id, &st, &a, e);

	if (found <= 0 || st.helper != NULL || st.ports.n == 0)
		return found < 0 ? -1 : 0;
	if (port_parse(st.ports.v, st.ports.n, st.address4 != NULL, st.address6 != NULL, &ports, &a,
		e) != 0 ||
	    port_reserve(&ports, &sockets, e) != 0)
		return -1;
	/* Nobody holds the other end of its life any more; the teardown ends it. */
	return rootless_publish(n, &st, sockets, NULL, e);
}

/* Takes over what a killed worker has left. */
static int
adopt(struct net *n, int netns, struct err *e)
{
	own_strv struct strv ids = {0};

	if (employ(n, netns, e) != 0 || state_all(&n->state, &ids, e) != 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct err failed = {0};

		if (ids.v[i][0] != '.' && publish_again(n, ids.v[i], &failed) != 0)
			log_warn("container %.12s: %s", ids.v[i], failed.text);
	}
	return 0;
}

/* --- Entering ------------------------------------------------------------------------------------- */

static int
open_sockets(struct net *n, struct err *e)
{
	netlink_close(&n->route);
	netlink_close(&n->firewall.nl);
	if (netns_socket(n->inner, NETLINK_ROUTE, &n->route, e) != 0 ||
	    netns_socket(n->inner, NETLINK_NETFILTER, &n->firewall.nl, e) != 0)
		return -1;
	netns_name_of(n->route.fd, n->netns);
	return 0;
}

int
rootless_enter(struct net *n, bool create, struct err *e)
{
	own_fd int lock = -1, left = -1;
	bool outward;
	int rc;

	if (n->inner >= 0)
		return 0;
	/* The worker ends only under this lock, and so not between our connecting and its answer. */
	lock = lock_acquire(n->dir, LOCK_NAME, LOCK_EXCLUSIVE, LOCK_WAIT, e);
	if (lock < 0)
		return -1;
	rc = join_running(n, e);
	outward = create || rc == 1;
	if (rc == 1 && (left = pinned(n)) < 0 && !create)
		return err_set(e, ERR_STATE, "there is no rootless network namespace");
	if (rc == 1)
		rc = left >= 0 ? adopt(n, left, e) : make(n, e);
	/*
	 * After the worker, who ends what it finds of pasta when nobody wants the namespace: also when we are killed
	 * before pasta has come up.
	 */
	if (rc == 0 && outward && !helper_runs(n->dir, ROOTLESS_HELPER))
		rc = start_pasta(n, n->inner, e);
	if (rc == 0 && open_sockets(n, e) == 0)
		return 0;
	rootless_leave(n);
	return -1;
}

void
rootless_leave(struct net *n)
{
	peer_free(n->keeper);
	n->keeper = NULL;
	fd_close(&n->inner);
}

int
rootless_share(struct net *n, int *netns, int *life, struct err *e)
{
	own_fd int ns = -1, connection = -1;

	if (rootless_enter(n, true, e) != 0)
		return -1;
	ns = fcntl(n->inner, F_DUPFD_CLOEXEC, 3);
	connection = fcntl(peer_fd(n->keeper), F_DUPFD_CLOEXEC, 3);
	if (ns < 0 || connection < 0)
		return err_sys(e, "sharing the rootless network namespace");
	*netns = fd_take(&ns);
	*life = fd_take(&connection);
	return 0;
}

/* --- Containers ----------------------------------------------------------------------------------- */

int
rootless_keep_for(struct net *n, int netns, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};

	netlink_reset(&b, &n->route);
	link_put_namespace(&b, netns);
	return netlink_run(&n->route, &b, e);
}

struct joining {
	const struct net *n;
	int netns;
	const struct plan *plan;
};

static int
join_inside(void *arg, struct err *e)
{
	const struct joining *j = arg;
	own_netlink struct netlink route = {.fd = -1};

	if (netlink_open(&route, NETLINK_ROUTE, e) != 0)
		return -1;
	return bridge_join(&route, j->n->inner, j->netns, j->plan, e);
}

/* In a child, since who has left the host's namespace cannot come back. */
int
rootless_call_in(int netns, int (*fn)(void *arg, struct err *e), void *arg, struct err *e)
{
	own_fd int from = -1, to = -1;
	int pair[2], status = 0;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) != 0)
		return err_sys(e, "making a pipe");
	from = pair[0];
	to = pair[1];
	pid = fork();
	if (pid < 0)
		return err_sys(e, "starting a process");
	if (pid == 0) {
		if (netns_enter(netns, e) == 0 && fn(arg, e) == 0)
			_exit(0);
		_exit(write(to, e, sizeof *e) == sizeof *e ? 1 : 2);
	}
	fd_close(&to);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (read(from, e, sizeof *e) != sizeof *e || !err_is_set(e))
		return err_set(
		    e, ERR_INTERNAL, "a process in the rootless network namespace ended early");
	return -1;
}

int
rootless_call(struct net *n, int (*fn)(void *arg, struct err *e), void *arg, struct err *e)
{
	return rootless_call_in(n->inner, fn, arg, e);
}

int
rootless_join(struct net *n, int netns, const struct plan *p, struct err *e)
{
	struct joining j = {n, netns, p};
	bool bridges = true;

	for (size_t i = 0; i < p->nattach; i++)
		bridges &= p->attach[i].driver->bridge;
	return (bridges || rootless_keep_for(n, netns, e) == 0) &&
		       rootless_call(n, join_inside, &j, e) == 0
		   ? 0
		   : -1;
}

/* --- Ports ---------------------------------------------------------------------------------------- */

static size_t
count_subnets(const struct rec_net_state *st)
{
	size_t n = 0;

	for (size_t i = 0; i < st->networks.n; i++)
		n += st->networks.v[i].subnets.n;
	return n;
}

int
rootless_publish(
    struct net *n, const struct rec_net_state *st, int sockets, int *life, struct err *e)
{
	own_arena struct arena a = {0};
	own_peer_in struct peer_in in = {0};
	own_fd int ours = -1, theirs = -1;
	struct msg_forward_publish m = {.token = st->token,
	    .address4 = st->address4,
	    .address6 = st->address6,
	    .sockets = sockets > 0 ? sockets : -1};
	int pair[2];

	m.ports.v = st->ports.v;
	m.ports.n = st->ports.n;
	m.subnets.v = arena_array(&a, count_subnets(st) + 1, sizeof *m.subnets.v);
	for (size_t i = 0; i < st->networks.n; i++)
		for (size_t k = 0; k < st->networks.v[i].subnets.n; k++)
			m.subnets.v[m.subnets.n++] = st->networks.v[i].subnets.v[k];
	if (life != NULL) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
			return err_sys(e, "making a socket pair");
		ours = pair[0];
		m.life = theirs = pair[1];
	}
	if (peer_call(n->keeper, &msg_forward_publish_desc, &m, &in, NULL, NULL, e) != 0)
		return err_wrap(e, "publishing ports");
	if (life != NULL)
		*life = fd_take(&ours);
	return 0;
}

int
rootless_withdraw(struct net *n, const char *token, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct msg_forward_withdraw m = {.token = token};

	return peer_call(n->keeper, &msg_forward_withdraw_desc, &m, &in, NULL, NULL, e);
}

/* --- The host ------------------------------------------------------------------------------------- */

const char *
rootless_resolver(const struct net *n)
{
	own_mem char *path = helper_find(&n->helper_dirs, "pasta");

	return path != NULL && pasta_forwards_dns(path, n->dir) ? PASTA_DNS : NULL;
}

const char *
rootless_host_address(struct arena *a)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)}, own = {0};
	own_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct addr addr = {.family = AF_INET, .len = 4};
	socklen_t size = sizeof own;
	char text[ADDR_TEXT];

	/* Nothing is sent; the kernel says which address it would be sent from. */
	memcpy(&to.sin_addr, "\xc0\x00\x02\x01", 4);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
	    getsockname(fd, (struct sockaddr *)&own, &size) != 0)
		return NULL;
	memcpy(addr.b, &own.sin_addr, 4);
	addr_format(&addr, text);
	return arena_strdup(a, text);
}
