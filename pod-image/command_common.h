/* SPDX-License-Identifier: ISC */
/* What the commands of the command face share. */
#ifndef POD_IMAGE_COMMAND_COMMON_H
#define POD_IMAGE_COMMAND_COMMON_H

#include "common/cli/cmd.h"
#include "pod-image/task.h"

/* How to reach a registry. */
struct command_access_opts {
	const char *authfile, *cert_dir, *creds, *policy, *registries;
	bool no_creds;
	int tls_verify;
	uint64_t retry;
	int64_t retry_delay;
};
extern const struct opt command_access_rows[];

/* out borrows from o; credentials on the command line are overwritten there. */
void command_fill_access(const struct command_access_opts *o, struct rec_registry_access *out);

/* The file of --tls-details, or NULL. */
const char *command_tls_details(const struct cli_ctx *ctx);

/* Starts pod-store and gives the task a connection on which pod-image may speak. */
int command_open_store(struct cli_ctx *ctx, struct task *t, struct err *e);

/*
 * If source is "containers-storage:NAME": opens the store, and *id is the image's ID (the caller
 * frees it); else *id stays NULL.
 */
int command_store_source(
    struct cli_ctx *ctx, struct task *t, const char *source, char **id, struct err *e);

#endif
