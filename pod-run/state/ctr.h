/* SPDX-License-Identifier: ISC */
/*
 * Containers in the database.  Nothing here looks at the world: see sync.h for that.
 */
#ifndef POD_CTR_H
#define POD_CTR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/oci/names.h"
#include "common/wire/msg.h"
#include "pod-run/state/db.h"

/* Stored as numbers: never reorder. */
enum ctr_status {
	CTR_UNKNOWN,
	CTR_CONFIGURED, /* no runtime object yet: shown as "created" */
	CTR_CREATED,	/* "initialized": with a process that waits; after a reboot without one */
	CTR_RUNNING,
	CTR_STOPPED, /* the process is gone, network and mounts may not be */
	CTR_PAUSED,
	CTR_EXITED,
	CTR_REMOVING,
	CTR_STOPPING,
	CTR_STATUS_COUNT
};

struct ctr {
	char id[NAMES_ID_LEN + 1];
	const char *name;
	enum ctr_status status;
	int64_t created_ns, started_ns, finished_ns; /* 0: never */
	pid_t pid, monitor_pid;			     /* 0: none */
	uint64_t pid_start;			     /* field 22 of /proc/PID/stat */
	int exit_code;
	uint64_t restarts;
	bool oom, stopped_by_user;
	const char *error;	 /* of the last start; "" if none */
	const char *image;	 /* image ID, or "" */
	struct bytes config_raw; /* a packed rec_ctr_config */
	struct rec_ctr_run run;
	struct bytes summary_raw;	 /* a packed rec_ctr_summary; may be empty */
	struct rec_ctr_config *config;	 /* after ctr_config */
	struct rec_ctr_summary *summary; /* after ctr_summary */
	struct arena arena;
};

#define own_ctr own(ctr_free)
void ctr_free(struct ctr *c);

const char *ctr_status_name(enum ctr_status s); /* as shown: "created", "running" … */
bool ctr_status_is_live(enum ctr_status s);	/* a process exists: running, paused, stopping */
/* The same, or the runtime has made the container and waits for the word to start it. */
bool ctr_has_process(const struct ctr *c);

/*
 * Adds a row; c->id, name, created_ns, status, image and config count.  A taken name is
 * ERR_EXISTS with Podman's words.  needs: identifiers of containers this one stands on; volumes:
 * names.
 */
int ctr_insert(struct db *db, const struct ctr *c, const struct strv *needs,
    const struct strv *volumes, struct err *e);

/* True if no container has the name (nor, later, a pod). */
int ctr_name_is_free(struct db *db, const char *name, bool *is_free, struct err *e);

/* True if that text is anywhere in the configuration of a container. */
int ctr_config_has(struct db *db, const char *text, bool *has, struct err *e);

/* ERR_EXISTS with Podman's words if it is taken. */
int ctr_name_check(struct db *db, const char *name, struct err *e);

/* Loads by full ID.  ERR_NOTFOUND if it is gone. */
int ctr_load(struct db *db, const char *id, struct ctr *c, struct err *e);

/* Decodes config_raw into c->config, once. */
int ctr_config(struct ctr *c, struct err *e);

/* Decodes summary_raw into c->summary, once; a row without one gets it from its configuration. */
int ctr_summary(struct ctr *c, struct err *e);

/* Writes everything that can change: state, times, process, exit, counters, error, run. */
int ctr_save(struct db *db, const struct ctr *c, struct err *e);
int ctr_save_name(struct db *db, const struct ctr *c, const char *name, struct err *e);
int ctr_save_config(struct db *db, const struct ctr *c, struct err *e);

/*
 * Removes the row with its exec sessions, keeps the exit code for wait, and notes the ID as
 * leftover until leftover_done.  Containers that need it make it ERR_INUSE.
 */
int ctr_remove(struct db *db, const struct ctr *c, bool net, int64_t now_ns, struct err *e);

/* A list of containers; in order of creation, oldest first. */
struct ctr_list {
	struct ctr *v;
	size_t n, cap;
};
void ctr_list_free(struct ctr_list *l);
#define own_ctr_list own(ctr_list_free)
int ctr_list(struct db *db, struct ctr_list *out, struct err *e);

/* The same, but config_raw and run of those that do not live are left out (and not read). */
int ctr_list_brief(struct db *db, struct ctr_list *out, struct err *e);

/* As brief, but with run and summary of all. */
int ctr_list_summaries(struct db *db, struct ctr_list *out, struct err *e);

/* Identifiers only: all containers; those that stand on id, or that id stands on; users of things.
 */
int ctr_ids(struct db *db, struct strv *ids, struct err *e);
/* Those whose end nobody cleaned up after. */
int ctr_ids_stopped(struct db *db, struct strv *ids, struct err *e);
int ctr_dependents(struct db *db, const char *id, struct strv *ids, struct err *e);
/* ERR_INUSE, naming them, if there are any. */
int ctr_refuse_dependents(struct db *db, const struct ctr *c, struct err *e);
int ctr_needs(struct db *db, const char *id, struct strv *ids, struct err *e);
int ctr_using_image(struct db *db, const char *image, struct strv *ids, struct err *e);
int ctr_using_volume(struct db *db, const char *volume, struct strv *ids, struct err *e);

/*
 * Finds one container as users name them: exact name, full ID, unique prefix of an ID.  Writes its
 * full ID.  Errors have Podman's words.
 */
int ctr_find(struct db *db, const char *word, char id[NAMES_ID_LEN + 1], struct err *e);
/* By its exact name alone: what is to be replaced must not be one whose ID happens to begin so. */
int ctr_find_name(struct db *db, const char *name, char id[NAMES_ID_LEN + 1], struct err *e);
/* The one created last; ERR_NOTFOUND if there is none. */
int ctr_find_latest(struct db *db, char id[NAMES_ID_LEN + 1], struct err *e);

/* Exit codes of containers and exec sessions that are gone, kept for five minutes or longer. */
int ctr_exit_code_put(struct db *db, const char *id, int code, int64_t now_ns, struct err *e);
int ctr_exit_code_get(struct db *db, const char *id, int *code, struct err *e);

/* Leftovers of removed containers: with or without leases, noted before that time. */
int ctr_leftovers(struct db *db, bool net, int64_t before_ns, struct strv *ids, struct err *e);
int ctr_is_leftover(struct db *db, const char *id, bool *is, struct err *e);
int ctr_leftover_done(struct db *db, const char *id, struct err *e);

/* After a reboot: what ran is exited, run data and exec sessions are forgotten. */
int ctr_reset_all(struct db *db, struct err *e);

#endif
