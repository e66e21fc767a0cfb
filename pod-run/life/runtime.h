/* SPDX-License-Identifier: ISC */
/*
 * The OCI runtime: which one, with which options, and running it for short commands.
 */
#ifndef POD_RUNTIME_H
#define POD_RUNTIME_H

#include "common/wire/msg.h"
#include "pod-run/ctx.h"

struct runtime {
	char *path;
	bool is_crun;
	bool systemd_cgroup;
	bool cgroup_usable;
	struct strv args; /* before the subcommand */
};
void runtime_free(struct runtime *r);
#define own_runtime own(runtime_free)

/* The name or path that applies: --runtime, else the configuration's, else the first one found. */
int runtime_name(struct ctx *x, const char **name, struct err *e);

/*
 * Finds the runtime of a container and the options that go before its subcommand: a state directory
 * of our own, the cgroup manager, and --runtime-flag.
 */
int runtime_find(struct ctx *x, const struct rec_ctr_config *c, struct runtime *out, struct err *e);

/*
 * Where the runtime keeps what it knows of a container, if that and the container's cgroup is all there
 * is to remove in the end; caller frees.  NULL if only the runtime knows, as one with options of the
 * user's does, or systemd is to be told.
 */
char *runtime_state_dir(struct ctx *x, const struct runtime *r, const char *id);

/* Runs "RUNTIME ARGS COMMAND… ID" and waits; its message becomes the error. */
int runtime_call(const struct runtime *r, const char *command, const char *option, const char *id,
    struct err *e);

/*
 * The same with all words of the subcommand, in the mount namespace of a running container's monitor, where
 * its root file system is mounted; act names the subcommand in errors.
 */
int runtime_run(const struct runtime *r, const struct strv *words, pid_t monitor, const char *act,
    const char *id, struct err *e);

#endif
