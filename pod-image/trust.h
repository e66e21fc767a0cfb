/* SPDX-License-Identifier: ISC */
/*
 * What policy.json says of one image, seen through: prepared with the caller's power (rules and
 * keys are read, pod-image-verify and the readers of lookasides are started), applied without it.
 */
#ifndef POD_IMAGE_TRUST_H
#define POD_IMAGE_TRUST_H

#include "common/oci/reference.h"
#include "common/wire/peer.h"
#include "pod-image/place.h"
#include "pod-image/policy.h"

#define TRUST_PLACES_MAX 16

struct trust {
	struct policy policy;
	struct peer *verify; /* NULL: no rule demands a signature */
	uint32_t verify_setup;
	char *reference; /* of the image as it was meant; NULL: none */
	struct place places[TRUST_PLACES_MAX];
	size_t nplaces;
};

/*
 * For an image of a registry; each place that it may come from is added in its turn.  A refusal
 * by the policy is no failure here: trust_refused says it.
 */
int trust_prepare(
    struct trust *t, const struct policy_file *f, const struct reference *r, struct err *e);
int trust_add_place(struct trust *t, const struct reference *physical, struct err *e);

/* For another transport; path (may be NULL) and image (may be NULL) say which. */
int trust_prepare_path(struct trust *t, const struct policy_file *f, const char *transport,
    const char *path, const char *image, struct err *e);

/* For an image of another engine's store. */
int trust_prepare_graph(struct trust *t, const struct policy_file *f, const char *driver,
    const char *root, const char *image, struct err *e);

/* For an image of Docker's engine; r is empty if it has no name. */
int trust_prepare_daemon(
    struct trust *t, const struct policy_file *f, const struct reference *r, struct err *e);

/* -1 with the policy's words if the image may not be used whatever its signatures. */
int trust_refused(const struct trust *t, struct err *e);

void trust_fds(const struct trust *t, struct keep *k);

/* Appends the signatures of the manifest with that digest; fetch and repository as of place_read. */
int trust_signatures(struct trust *t, size_t place, struct peer *fetch, const char *repository,
    const char *digest, struct signatures *out, struct err *e);

/* May the manifest with that digest be used, having these signatures? */
int trust_check(struct trust *t, const char *digest, const struct signatures *s, struct err *e);

void trust_free(struct trust *t);

#endif
