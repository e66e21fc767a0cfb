/* SPDX-License-Identifier: ISC */
/*
 * The fixed part of our nftables table: what firewall.c fills with elements.
 */
#ifndef POD_FIREWALL_TABLE_H
#define POD_FIREWALL_TABLE_H

#include "pod-net/netlink.h"

/* Adds the creation of the whole table to a transaction. */
void firewall_table_put(struct netlink_batch *b, const char *table);

#endif
