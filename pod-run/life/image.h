/* SPDX-License-Identifier: ISC */
/*
 * Images as create, run and pull need them: found in the store, else fetched.
 */
#ifndef POD_LIFE_IMAGE_H
#define POD_LIFE_IMAGE_H

#include "pod-run/ctx.h"
#include "pod-run/life/progress.h"

struct image_pull {
	const char *policy; /* always, missing, never, newer; NULL: missing */
	const char *os, *arch, *variant;
	bool all_tags, quiet;
	struct rec_registry_access access;
};

/* The full references a user's word may mean in the local store. */
int image_candidates(struct ctx *x, const char *name, struct strv *out, struct err *e);

/* Asks the store; the answer is taken by image_found.  p, or NULL: the platform wanted of a list. */
int image_ask(
    struct ctx *x, const char *name, const struct image_pull *p, uint32_t *seq, struct err *e);

/*
 * Takes the answer; if the policy wants it, pulls and asks again.  On success in holds image_got.
 * Progress goes to standard error.
 */
int image_found(struct ctx *x, const char *name, uint32_t seq, const struct image_pull *p,
    struct peer_in *in, struct err *e);

/* Pulls name; ids (may be NULL) get the image IDs. */
int image_pull(
    struct ctx *x, const char *name, const struct image_pull *p, struct strv *ids, struct err *e);

/* A fresh pod-image, and a connection from it to the store to be sent along (the caller closes). */
struct peer *image_helper(struct ctx *x, int *store_end, struct err *e);

/*
 * If the reference is of a registry, a worker that asks it, started now; *end is for pod-image to speak with it, sent
 * along (the caller closes).  It ends when nobody holds that.
 */
int image_fetch(struct ctx *x, const char *reference, int *end, struct err *e);

/*
 * Sends the message to a fresh pod-image, with that connection in the message's field store meanwhile, and waits for
 * the answer.  Progress goes to standard error unless quiet.
 */
int image_call(struct ctx *x, const struct wire_desc *d, void *msg, int *store, bool quiet,
    struct peer_in *in, struct err *e);

/*
 * A file that credentials are to be read from must be there, whether they are needed or not; NULL
 * and "" are none.  check says "checking authfile" before it, as lists and artifacts do.
 */
int image_stat_authfile(const char *path, struct err *e);
int image_check_authfile(const char *path, struct err *e);

/* always, missing (also "", "true", "1"), never ("false", "0"), newer; else Podman's error. */
int image_policy_check(const char *policy, const char **out, struct err *e);

#endif
