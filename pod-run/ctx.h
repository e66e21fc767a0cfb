/* SPDX-License-Identifier: ISC */
/*
 * What a command works with: paths, configuration, database, helpers; each made when first asked for,
 * so that a command pays only for what it uses.
 */
#ifndef POD_CTX_H
#define POD_CTX_H

#include <sys/types.h>

#include "common/base/mem.h"
#include "common/cli/cmd.h"
#include "common/conf/containers_conf.h"
#include "common/wire/peer.h"
#include "pod-run/rootless.h"
#include "pod-run/state/db.h"

/* The global options. */
struct ctx_globals {
	const char *root, *runroot, *tmpdir, *imagestore, *storage_driver;
	const char *volumepath;
	const char *log_level, *runtime, *cgroup_manager, *network_config_dir, *events_backend;
	struct strv hooks_dir;
	struct strv storage_opt, runtime_flag, module, cdi_spec_dir;
	const char *default_mounts_file, *registries_conf, *context, *out, *docker_config;
	/* Of a service: see remote/dest.h. */
	const char *url, *host, *connection, *identity, *ssh;
	const char *tls_ca, *tls_cert, *tls_key, *tls_details;
	int64_t max_workers;
	bool version, debug, syslog, transient_store, noout, remote;
};

/* A container whose row is gone and whose remains the helpers were asked to remove. */
struct ctx_remains {
	char id[65];
	uint32_t store_seq, net_seq, image_seq; /* 0: not asked */
};

/* A container that got its stop signal before its turn came. */
struct ctx_announced {
	char id[65];
	int64_t at_ms; /* monotonic */
};

struct remote;
struct ctx {
	struct cli_ctx *cli;
	const struct ctx_globals *g;

	struct rec_tls_details *tls; /* what all connections by TLS may use, or NULL */
	struct arena tls_arena_;
	char *creds;	       /* of the command line together with what was asked for, or NULL */
	struct remote *remote; /* the service that is meant instead of this machine, or NULL */

	/* After ctx_paths; absolute. */
	char *graph_root, *run_root, *tmp_dir, *image_store, *driver, *storage_conf_file;
	struct strv storage_options; /* of the store, "key=value" */
	char *exit_dir, *lock_dir;   /* below tmp_dir */
	int exit_fd, lock_fd;	     /* the same, O_PATH */
	struct rootless rootless;
	bool entered, refreshed;
	bool transient; /* containers do not outlive the run root */

	/* Behind the functions below. */
	struct containers_conf conf_;
	bool conf_loaded_, looked_;
	struct db *db_;
	struct peer *store_, *net_;
	struct peer *early_store_; /* has not got its hello yet */
	int early_fetch_;
	bool repairs; /* a damaged index of the store or database of containers gets a new one */
	bool makes_nothing; /* where no database of containers is, nothing is begun … */
	bool is_gone;	    /* … but an error that is told by this */
	bool in_namespace;  /* of mounts, where files.c put together those of containers */
	bool starts; /* a container: pod-net makes a network namespace while nobody waits for it */
	struct ctx_remains *remains;
	size_t remains_n, remains_cap;
	struct ctx_announced *announced;
	size_t announced_n, announced_cap;
};

/* The context of a command; never NULL after the global options were applied. */
struct ctx *ctx_of(struct cli_ctx *cli);
struct ctx *ctx_new(struct cli_ctx *cli);			   /* never fails */
int ctx_limit_tls(struct ctx *x, const char *path, struct err *e); /* --tls-details: sets tls */
void ctx_free(struct ctx *x); /* ends connections; helpers finish what was asked of them and go */

/*
 * Settles where state lives, enters the user's namespace if need be, makes the directories of a
 * fresh run root and then records the reboot.  The functions below call it.
 */
int ctx_paths(struct ctx *x, struct err *e);

/*
 * Starts the helpers that the command cannot do without (enum ctx_asks) before the configuration is read, so that they
 * come up meanwhile.  Never fails: what could not be started now is when it is asked for.
 */
enum ctx_asks { CTX_ASKS_STORE = 1, CTX_ASKS_FETCH = 2 };
void ctx_expect(struct ctx *x, unsigned asks);
void ctx_expect_none(struct ctx *x); /* ends those that nothing was asked of */

/* Each returns NULL with e on failure; what they return belongs to x. */
const struct containers_conf *ctx_conf(struct ctx *x, struct err *e);
/* Directories of OCI hooks, by --hooks-dir or the configuration. */
const struct strv *ctx_hooks_dirs(struct ctx *x, struct err *e);
struct db *ctx_db(struct ctx *x, struct err *e);

/* Is it whole?  See mend.h.  With x->repairs set it was put right by ctx_paths. */
int ctx_database_check(struct ctx *x, bool quick, char *why, size_t size, struct err *e);
struct peer *ctx_store(struct ctx *x, struct err *e);
struct peer *ctx_net(struct ctx *x, struct err *e);

/* Ends the connections and the database: nothing of ours has files of the two roots open. */
void ctx_end_helpers(struct ctx *x);

/* A connection of its own to a fresh helper, which has got its hello. */
struct peer *ctx_helper(struct ctx *x, enum role role, pid_t *pid, struct err *e);

/* A fresh worker that asks registries: the end of its connection, for pod-image to speak with. */
int ctx_fetch(struct ctx *x, struct err *e);

/* The directory of network definitions given by --network-config-dir or the configuration, or NULL. */
const char *ctx_network_dir(struct ctx *x);

/* The directories of CDI descriptions, by --cdi-spec-dir or the configuration; NULL with e. */
const struct strv *ctx_cdi_dirs(struct ctx *x, struct err *e);

/* RUNROOT/containers/ID and GRAPHROOT/containers/ID; the caller frees. */
char *ctx_bundle(const struct ctx *x, const char *id);
char *ctx_static_dir(const struct ctx *x, const char *id);

/* The directory of the local driver's volumes; they need not lie in the graph root. */
char *ctx_volume_path(const struct ctx *x);

/*
 * Begins the words of another command of ours: the program, and the global options by which it means the same store
 * and configuration.
 */
void ctx_own_command(const struct ctx *x, struct strv *out);

/* Appends an option and its value to such words; nothing if the value is NULL or empty. */
void ctx_add_option(struct strv *l, const char *name, const char *value);

/* Nanoseconds since 1970. */
int64_t ctx_now_ns(void);

/* Who makes cgroups: --cgroup-manager, else containers.conf, else cgroup_manager's choice. */
const char *ctx_cgroup_manager(struct ctx *x, const struct containers_conf *conf);

#endif
