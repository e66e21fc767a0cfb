/* SPDX-License-Identifier: ISC */
/*
 * Events: what happened to containers, images, volumes, networks and secrets, for "pod events".  A line of
 * JSON with Podman's keys in TMPDIR/events/events.log, an entry of the journal, or nowhere.
 *
 * An event that cannot be written is a warning, never a failure of the command.
 */
#ifndef POD_EVENT_H
#define POD_EVENT_H

#include "common/base/json.h"
#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

enum event_type {
	EVENT_ARTIFACT,
	EVENT_CONTAINER,
	EVENT_IMAGE,
	EVENT_MACHINE,
	EVENT_NETWORK,
	EVENT_POD,
	EVENT_SECRET,
	EVENT_SYSTEM,
	EVENT_VOLUME,
	EVENT_TYPE_COUNT
};

enum event_status {
	EVENT_ATTACH,
	EVENT_AUTO_UPDATE,
	EVENT_BUILD,
	EVENT_CHECKPOINT,
	EVENT_CLEANUP,
	EVENT_COMMIT,
	EVENT_CONNECT,
	EVENT_COPY,
	EVENT_CREATE,
	EVENT_DIED,
	EVENT_DISCONNECT,
	EVENT_EXEC,
	EVENT_EXEC_DIED,
	EVENT_EXPORT,
	EVENT_HEALTH_STATUS,
	EVENT_HISTORY,
	EVENT_IMPORT,
	EVENT_INIT,
	EVENT_KILL,
	EVENT_LOAD,
	EVENT_MOUNT,
	EVENT_PAUSE,
	EVENT_PRUNE,
	EVENT_PULL,
	EVENT_PULL_ERROR,
	EVENT_PUSH,
	EVENT_REFRESH,
	EVENT_REMOVE,
	EVENT_RENAME,
	EVENT_RENUMBER,
	EVENT_RESTART,
	EVENT_RESTORE,
	EVENT_ROTATE,
	EVENT_SAVE,
	EVENT_START,
	EVENT_STOP,
	EVENT_SYNC,
	EVENT_TAG,
	EVENT_UNMOUNT,
	EVENT_UNPAUSE,
	EVENT_UNTAG,
	EVENT_UPDATE,
	EVENT_STATUS_COUNT
};

/* The words of JSON and filters: "container", "died"; -1 if word is none ("die" is died). */
int event_type_find(const char *word);
int event_status_find(const char *word);

/* Strings may be NULL, and are only read. */
struct event {
	enum event_type type;
	enum event_status status;
	const char *id, *name;
	const char *image;	/* container: the image's name */
	const char *network;	/* connect, disconnect: the network's name */
	const char *pod_id;	/* container in a pod */
	const char *error;	/* pull-error */
	const char *health;	/* health_status: healthy, unhealthy … */
	const char *health_log; /* last output */
	const char *inspect;	/* create: what inspect would show, as JSON */
	uint64_t failing_streak;
	int exit_code;
	bool exited; /* exit_code counts */
	bool oom;
	const struct rec_kv *attributes; /* labels */
	size_t attributes_n;
};

/* Writes it now, with the time of now. */
void event_write(struct ctx *x, const struct event *ev);

/* Fills ev from the container: ID, name, image, labels.  What it points to lives as long as c. */
void event_of_ctr(struct ctr *c, enum event_status status, struct event *ev);

/*
 * Short forms: a container; one, or a process in it, that died, the former also when it was being stopped; anything
 * with an ID and a name.
 */
void event_ctr(struct ctx *x, struct ctr *c, enum event_status status);
void event_died(struct ctx *x, struct ctr *c, bool stopping);
void event_exec_died(struct ctx *x, struct ctr *c, int code);
void event_named(struct ctx *x, enum event_type type, enum event_status status, const char *id,
    const char *name);

enum event_backend { EVENT_NONE, EVENT_FILE, EVENT_JOURNALD };

/* --events-backend, else events_logger of containers.conf, else by the host; an unknown word is an error. */
int event_backend(struct ctx *x, enum event_backend *out, struct err *e);
int event_backend_parse(const char *word, enum event_backend *out, struct err *e);
const char *event_backend_name(enum event_backend b);

/* The file of the backend "file"; the caller frees. */
char *event_path(struct ctx *x, struct err *e);

#endif
