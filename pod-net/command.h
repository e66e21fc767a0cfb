/* SPDX-License-Identifier: ISC */
/*
 * The command face of pod-net.
 */
#ifndef POD_COMMAND_H
#define POD_COMMAND_H

#include "common/base/json.h"
#include "common/cli/cmd.h"
#include "pod-net/net.h"

struct command_globals {
	const char *root, *runroot, *config_dir;
};

/* Enters its role when it knows the words and the configuration. */
int command_main(int argc, char **argv);

/* Opens the state for one command. */
int command_open(struct cli_ctx *ctx, struct net *n, struct err *e);

/* Of what subnets are chosen, as configured. */
int command_pools(struct msg_net_create *m, struct arena *a, struct err *e);

/* What a namespace has been joined to, for people; owned by the caller. */
json_t *command_joined(const struct rec_net_interface *v, size_t n, const struct strs *dns_servers,
    const char *host_address);

/* command_define.c */
extern const struct cmd command_create, command_remove, command_update, command_drivers;
/* command_running.c */
extern const struct cmd command_connect, command_disconnect, command_reload;

#endif
