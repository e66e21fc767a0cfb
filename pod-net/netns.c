/* SPDX-License-Identifier: ISC */
#include "pod-net/netns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/wire/peer.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

int
netns_current(struct err *e)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "opening the network namespace");
}

int
netns_open(const char *path, struct err *e)
{
	/* A pipe must not block; namespaces do not mind. */
	own_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "failed to open netns at %s: IO error", path);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(e, ERR_INVALID, "%s is not a network namespace", path);
	return fd_take(&fd);
}

int
netns_enter(int fd, struct err *e)
{
	return setns(fd, CLONE_NEWNET) == 0 ? 0 : err_sys(e, "entering a network namespace");
}

static int
unshare_and_open(int unused, struct err *e)
{
	(void)unused;
	if (unshare(CLONE_NEWNET) != 0)
		return err_sys(e, "creating a network namespace");
	return netns_current(e);
}

static int
open_protocol(int netns, int protocol, struct err *e)
{
	struct netlink s;

	if (netns_enter(netns, e) != 0 || netlink_open(&s, protocol, e) != 0)
		return -1;
	return s.fd;
}

static int
enter_and_open(int netns, struct err *e)
{
	return open_protocol(netns, NETLINK_ROUTE, e);
}

static int
enter_and_open_netfilter(int netns, struct err *e)
{
	return open_protocol(netns, NETLINK_NETFILTER, e);
}

/* What the child says when it has no descriptor to give. */
static int
child_failed(int sock, struct err *e)
{
	if (read(sock, e, sizeof *e) != sizeof *e || !err_is_set(e))
		return err_set(e, ERR_INTERNAL, "a helper in a network namespace ended early");
	return -1;
}

/* Calls open in a child and returns the descriptor that it gives. */
static int
in_child(int (*open_fd)(int netns, struct err *e), int netns, struct err *e)
{
	own_fd int ours = -1, theirs = -1;
	int pair[2], fd = -1;
	size_t n;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_sys(e, "making a socket pair");
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid == 0) {
		fd = open_fd(netns, e);
		if (fd < 0 || peer_queue_fds(theirs, &fd, 1, e) != 0)
			(void)!write(theirs, e, sizeof *e);
		_exit(0);
	}
	if (pid < 0)
		return err_sys(e, "starting a process");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	fd_close(&theirs);
	n = (size_t)recv(ours, &fd, 0, MSG_PEEK | MSG_TRUNC);
	if (n == 1 && peer_unqueue_fds(ours, &fd, 1) == 1)
		return fd;
	return child_failed(ours, e);
}

/* Calls open and comes back; going on in the wrong namespace would be a disaster. */
static int
and_back(int (*open_fd)(int netns, struct err *e), int netns, int home, struct err *e)
{
	struct err back = {0};
	int fd = open_fd(netns, e);

	if (netns_enter(home, &back) != 0)
		abort();
	return fd;
}

int
netns_make(int home, struct err *e)
{
	return home < 0 ? in_child(unshare_and_open, -1, e)
			: and_back(unshare_and_open, -1, home, e);
}

int
netns_netlink(int netns, int home, struct netlink *out, struct err *e)
{
	out->seq = 1;
	out->fd = home < 0 ? in_child(enter_and_open, netns, e)
			   : and_back(enter_and_open, netns, home, e);
	return out->fd < 0 ? -1 : 0;
}

static int
enter_and_open_dad(int netns, struct err *e)
{
	int fd;

	if (netns_enter(netns, e) != 0)
		return -1;
	fd = open("/proc/sys/net/ipv6/conf/default/accept_dad", O_RDWR | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "opening sysctl net/ipv6/conf/default/accept_dad");
}

int
netns_open_dad(int netns, struct err *e)
{
	return in_child(enter_and_open_dad, netns, e);
}

static int
enter_and_open_packet(int netns, struct err *e)
{
	int fd;

	if (netns_enter(netns, e) != 0)
		return -1;
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 ? fd : err_sys(e, "opening a packet socket");
}

int
netns_packet(int netns, int home, struct err *e)
{
	return home < 0 ? in_child(enter_and_open_packet, netns, e)
			: and_back(enter_and_open_packet, netns, home, e);
}

int
netns_socket(int netns, int protocol, struct netlink *out, struct err *e)
{
	out->seq = 1;
	out->fd = in_child(
	    protocol == NETLINK_ROUTE ? enter_and_open : enter_and_open_netfilter, netns, e);
	return out->fd < 0 ? -1 : 0;
}

/* The first digits of the boot's random identifier. */
static void
boot_name(char name[NETNS_BOOT + 1])
{
	own_fd int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[37] = "";
	size_t n = 0;

	if (fd >= 0 && read(fd, text, sizeof text - 1) < 0)
		text[0] = '\0';
	for (const char *c = text; *c != '\0' && n < NETNS_BOOT; c++)
		if (*c != '-')
			name[n++] = *c;
	while (n < NETNS_BOOT)
		name[n++] = '0';
	name[n] = '\0';
}

void
netns_name_of(int socket, char name[NETNS_NAME])
{
	char boot[NETNS_BOOT + 1];
	uint64_t cookie;
	socklen_t n = sizeof cookie;
	struct stat st;

	boot_name(boot);
	if (socket >= 0 && getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &n) == 0)
		snprintf(name, NETNS_NAME, "%s-%llx", boot, (unsigned long long)cookie);
	else if (stat("/proc/self/ns/net", &st) == 0)
		snprintf(name, NETNS_NAME, "%s-i%llx", boot, (unsigned long long)st.st_ino);
	else
		snprintf(name, NETNS_NAME, "%s-none", boot);
}

uint64_t
netns_number(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

void
netns_name(char name[NETNS_NAME])
{
	own_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	netns_name_of(fd, name);
}

int
netns_sysctl(const char *key, const char *value, bool optional, struct err *e)
{
	char path[160], now[32];
	own_fd int fd = -1;
	int denied = 0;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/sys/net/%s", key);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT) {
		/* It may say already what it should. */
		denied = errno;
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0 && optional && errno == ENOENT)
		return 1;
	n = fd >= 0 ? read(fd, now, sizeof now - 1) : -1;
	if (n < 0)
		return err_sys(e, "reading sysctl net/%s", key);
	now[n] = '\0';
	now[strcspn(now, "\n")] = '\0';
	if (strcmp(now, value) == 0)
		return 0;
	errno = denied;
	/* The kernel takes a number at the file's beginning only. */
	if (denied != 0 || pwrite(fd, value, strlen(value), 0) < 0)
		return err_sys(e, "setting sysctl net/%s to %s", key, value);
	return 0;
}
