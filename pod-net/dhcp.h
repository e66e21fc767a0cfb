/* SPDX-License-Identifier: ISC */
/*
 * Addresses that come by DHCP: a worker, pod-net-dhcp, for each interface, from its set-up to its end.
 */
#ifndef POD_DHCP_H
#define POD_DHCP_H

#include "pod-net/attach.h"

/*
 * Gets the addresses of those networks of the attachment that want it so; their interfaces are up.  What came
 * is entered into the state.
 */
int dhcp_join(struct attach *t, struct err *e);

/* Gives the lease back and ends its worker; none is no error. */
void dhcp_end(const struct net *n, const char *id, const struct rec_net_hold *h);

#endif
