/* SPDX-License-Identifier: ISC */
/*
 * What netavark reads and writes.
 */
#ifndef POD_NETAVARK_JSON_H
#define POD_NETAVARK_JSON_H

#include "common/base/json.h"
#include "common/wire/msg.h"
#include "pod-net/network.h"

#define NETAVARK_INPUT_MAX ((size_t)16 << 20)

/* The networks of one container, as setup and teardown are told of them. */
struct netavark_input {
	const char *id, *name, *hostname;
	struct rec_net_attach *attach; /* in the order of the document */
	size_t nattach;
	struct network_list networks; /* their definitions */
	struct rec_port_map *ports;
	size_t nports;
	struct strs dns_servers;
	struct arena arena;
};

int netavark_json_read(const char *bytes, size_t n, struct netavark_input *out, struct err *e);
void netavark_json_free(struct netavark_input *in);

/* The status block of one network. */
json_t *netavark_json_status(
    const struct rec_net_hold *h, const struct strs *servers, const struct strs *domains);

#endif
