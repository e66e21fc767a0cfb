/* SPDX-License-Identifier: ISC */
/*
 * What a pull may have to ask, decided while the caller's power is still there: the names a user's
 * word may mean, the registries that may hold each, and a started worker for every one of them, which
 * has got its credential.
 */
#ifndef POD_IMAGE_PLAN_H
#define POD_IMAGE_PLAN_H

#include "common/conf/registries_conf.h"
#include "common/wire/peer.h"
#include "pod-image/report.h"
#include "pod-image/trust.h"

#define PLAN_WORKERS_MAX 16

struct plan_worker {
	char *registry, *repository;
	bool insecure;
	struct peer *peer;
	uint32_t setup_seq; /* 0 once the setup has been answered */
};

struct plan_endpoint {
	struct reference ref; /* as this registry has it */
	size_t worker;
};

struct plan_source { /* one meaning of the user's word */
	struct reference ref;
	char *name;			 /* the same as text */
	struct plan_endpoint *endpoints; /* mirrors first */
	size_t nendpoints;
	struct trust trust; /* with a place for each endpoint */
};

struct plan {
	struct plan_source *sources;
	size_t nsources;
	struct plan_worker workers[PLAN_WORKERS_MAX];
	size_t nworkers;
	struct peer *ready;  /* came up meanwhile and has nothing to ask yet; or NULL */
	char *notice;	     /* a line for the user, or NULL */
	struct rec_kv alias; /* a short name and what the user has chosen, or NULL */
	struct policy_file *policy;
	struct strv helpers; /* credential-helpers of registries.conf */
};

/*
 * Plans a pull of text, a reference.  normal: a short name is one of docker.io, as after "docker://".
 * access may be NULL.  Also asks policy.json.
 */
int plan_pull(struct plan *p, const char *text, bool normal,
    const struct rec_registry_access *access, struct err *e);

/* Plans a push to text, a reference: one source with one endpoint, the registry itself. */
int plan_push(
    struct plan *p, const char *text, const struct rec_registry_access *access, struct err *e);
/*
 * As plan_pull, for a list of tags: a word without a registry is looked for in all that are searched, and in docker.io
 * if there are none.
 */
int plan_tags(
    struct plan *p, const char *text, const struct rec_registry_access *access, struct err *e);

/*
 * Plans a search: the term's registry, or else all search registries; *term is what follows it.
 */
int plan_search(struct plan *p, const char *text, const struct rec_registry_access *access,
    const char **term, struct err *e);

/* Starts one worker for registry[/repository], with the credentials given instead of stored ones. */
int plan_login(struct plan *p, const char *registry, const char *username, const char *password,
    const struct rec_registry_access *access, struct err *e);

/* The connection with a worker that was started for this plan, which has asked for none yet. */
void plan_take_worker(struct plan *p, int fd);

/* The worker's connection, once its setup has been answered. */
struct peer *plan_worker_peer(struct plan *p, size_t worker, struct err *e);

/*
 * An endpoint of the source has failed with e: what a mirror said goes into said, and with that of the registry itself,
 * the last one, all of them are told.
 */
void plan_failed(const struct plan_source *s, size_t endpoint, struct strbuf *said, struct err *e);

/*
 * The same source with another tag: the policy may have a rule of its own for it, which can then
 * only be one that needs no keys.
 */
int plan_retag(struct plan *p, struct plan_source *s, const char *tag, struct err *e);

void plan_fds(const struct plan *p, struct keep *k);

void plan_free(struct plan *p);
#define own_plan own(plan_free)

#endif
