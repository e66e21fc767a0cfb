/* SPDX-License-Identifier: ISC */
/*
 * The document that defines a network, as files hold it and inspect shows it: Podman's types.Network.
 */
#ifndef POD_NETWORK_JSON_H
#define POD_NETWORK_JSON_H

#include "common/base/json.h"
#include "common/wire/msg.h"

/* Owned by the caller. */
json_t *network_json(const struct rec_network *n);

#endif
