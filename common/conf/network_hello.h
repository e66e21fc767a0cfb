/* SPDX-License-Identifier: ISC */
/*
 * What pod-net is told of containers.conf(5).
 */
#ifndef POD_NETWORK_HELLO_H
#define POD_NETWORK_HELLO_H

#include "common/conf/containers_conf.h"
#include "common/wire/msg.h"

/* As the options of a hello, only what is not the default: fills v, which has room for network_hello_max. */
size_t network_hello_options(const struct containers_conf *c, struct rec_kv *v, struct arena *a);
size_t network_hello_max(const struct containers_conf *c);

/* True if networks may need programs of others, so that pod-net has to be in the role of that. */
bool network_hello_others(const struct containers_conf *c);

/* Of what subnets are chosen; what *m points to is c's or a's. */
int network_hello_pools(
    const struct containers_conf *c, struct msg_net_create *m, struct arena *a, struct err *e);

#endif
