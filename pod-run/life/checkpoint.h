/* SPDX-License-Identifier: ISC */
/*
 * Checkpoints: a container's processes are frozen to files, by the OCI runtime and CRIU.  They stand below
 * GRAPHROOT/containers/ID with the names of Podman: checkpoint/, pre-checkpoint/, dump.log, stats-dump.
 */
#ifndef POD_CHECKPOINT_H
#define POD_CHECKPOINT_H

#include "common/base/json.h"
#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

#define CHECKPOINT_DIR "checkpoint"
#define CHECKPOINT_PRE_DIR "pre-checkpoint"
#define CHECKPOINT_LOG "dump.log"
#define CHECKPOINT_STATS "stats-dump"
#define CHECKPOINT_RESTORE_LOG "restore.log"
#define CHECKPOINT_RESTORE_STATS "stats-restore"

struct checkpoint {
	bool keep, leave_running, tcp_established, file_locks;
	bool pre, with_previous;
	bool ignore_rootfs, ignore_volumes;
	const char *export, *compress; /* archive to be written, or NULL; none, gzip or zstd */
	/* Called once the processes are frozen, to keep more than the files; or NULL. */
	int (*save)(struct ctx *x, struct ctr *c, const struct checkpoint *o, struct err *e);
	void *arg;
};

/* What was measured; times in microseconds. */
struct checkpoint_figures {
	int64_t runtime_us;
	json_t *criu; /* owned by the caller */
};

/* Checkpoints the container, which must run. */
int checkpoint_make(struct ctx *x, const char *id, const struct checkpoint *o,
    struct checkpoint_figures *f, struct err *e);

/* What is known of the container's last checkpoint, all zero if there never was one. */
struct checkpoint_state {
	bool checkpointed, restored;
	int64_t checkpointed_ns, restored_ns;
};
void checkpoint_state(struct ctx *x, const char *id, struct checkpoint_state *out);
int checkpoint_set_state(
    struct ctx *x, const char *id, const struct checkpoint_state *s, struct err *e);

/* The container was started afresh. */
void checkpoint_forget(struct ctx *x, const char *id);

/* GRAPHROOT/containers/ID, made if missing; *path (may be NULL) is the caller's. */
int checkpoint_open_dir(struct ctx *x, const char *id, char **path, struct err *e);

/* Monotonic microseconds. */
int64_t checkpoint_now_us(void);

#endif
