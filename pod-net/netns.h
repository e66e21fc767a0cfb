/* SPDX-License-Identifier: ISC */
/*
 * Network namespaces, as descriptors.  pod-net has one thread, so it may enter a namespace and come
 * back.
 */
#ifndef POD_NETNS_H
#define POD_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "pod-net/netlink.h"

/* The namespace the process is in. */
int netns_current(struct err *e);

/* Opens the network namespace at path; anything else that lies there is refused. */
int netns_open(const char *path, struct err *e);

/*
 * Makes a namespace and returns its descriptor; the process stays where it is.  home is the namespace it
 * is in, or -1 for an ordinary user, who may enter namespaces of their own but not come back to the
 * host's: then a child does it.
 */
int netns_make(int home, struct err *e);

/* Opens a NETLINK_ROUTE socket that belongs to the namespace; home as above. */
int netns_netlink(int netns, int home, struct netlink *out, struct err *e);

/* Opens a socket for packets of the namespace's interfaces, which gets none before it is bound. */
int netns_packet(int netns, int home, struct err *e);

/*
 * Opens the value that tells new interfaces of the namespace whether to look for others with their address
 * (/proc/sys/net/ipv6/conf/default/accept_dad).  ERR with errno ENOENT: there is no IPv6.
 */
int netns_open_dad(int netns, struct err *e);

/* Its inode number: tells namespaces apart only while both exist. */
uint64_t netns_number(int fd);

/* The same for an ordinary user, and any netlink protocol. */
int netns_socket(int netns, int protocol, struct netlink *out, struct err *e);

/* Enters the namespace. */
int netns_enter(int fd, struct err *e);

/*
 * A name for the namespace the process is in, which no other one ever has: the boot, then the kernel's
 * cookie.  Inode numbers would not do, as they come again.  Kernels before 5.14 have no cookie; there the
 * inode number has to do.
 */
#define NETNS_NAME 48
#define NETNS_BOOT 16 /* of these, how many tell the boot */
void netns_name(char name[NETNS_NAME]);
void netns_name_of(int socket, char name[NETNS_NAME]); /* the namespace of a socket */

/*
 * Sets a value of /proc/sys/net of the namespace the process is in.  An equal value is not written
 * again, so that a read-only /proc does no harm.  1: the key is missing, which is no error if it is optional.
 */
int netns_sysctl(const char *key, const char *value, bool optional, struct err *e);

#endif
