/* SPDX-License-Identifier: ISC */
/*
 * The command face's connection to the process that does the work.
 */
#ifndef POD_STORE_CLIENT_H
#define POD_STORE_CLIENT_H

#include "common/base/own.h"
#include "common/cli/cmd.h"
#include "common/wire/peer.h"

struct command_globals {
	const char *root, *runroot, *imagestore, *storage_driver, *log_level;
	struct strv storage_opt;
	bool version;
};

void client_close(struct peer **p);
#define own_peer own(client_close)

/* The graph root that the options, the environment or storage.conf name; caller frees.  NULL with e. */
char *client_root(const struct cli_ctx *ctx, struct err *e);

/* NULL with e set on failure. */
struct peer *client_connect(const struct cli_ctx *ctx, struct err *e);

/* Sends request NAME and waits for its answer. */
#define CLIENT_CALL(p, name, m, in) peer_call(p, &msg_##name##_desc, m, in, NULL, NULL, e)

/* The image the user named: image_got in in. */
int client_image(struct peer *p, const char *name, struct peer_in *in, struct err *e);

#endif
