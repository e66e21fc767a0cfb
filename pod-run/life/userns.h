/* SPDX-License-Identifier: ISC */
/*
 * The user namespace of a container before the container is: the owners of its files are mapped by it, its
 * network namespace belongs to it (else it could neither set its sysctls nor bind low ports there), and the
 * runtime joins it.  Until then a process of ours keeps it.
 */
#ifndef POD_USERNS_H
#define POD_USERNS_H

#include <sys/types.h>

#include "common/wire/msg.h"

struct userns {
	pid_t pid; /* that keeps it; 0: there is none */
	int user, net;
};
#define USERNS_NONE ((struct userns){0, -1, -1})

/*
 * Makes a user namespace with the container's maps, if it has any, and with net a network namespace in it
 * that has nothing but an unconfigured loopback interface.  Released by userns_release, also on failure.
 */
int userns_hold(struct userns *u, const struct rec_ctr_config *c, bool net, struct err *e);
void userns_release(struct userns *u);

#endif
