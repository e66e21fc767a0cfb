/* SPDX-License-Identifier: ISC */
/*
 * The system-call filter of a container.
 */
#ifndef POD_SECCOMP_H
#define POD_SECCOMP_H

#include "common/wire/msg.h"

struct seccomp_request {
	const char *profile;	 /* path, or NULL for the default */
	const char *text;	 /* a profile out of an image, or NULL; pod-run-seccomp reads it */
	const char *const *caps; /* CAP_X that the container has: they open further calls */
	size_t caps_n;
	const char *run_root; /* holds the cache; NULL: no cache, JSON only */
};

struct seccomp_result {
	char *json; /* value of linux.seccomp, or NULL */
	char *bpf;  /* base64 of the compiled filter, or NULL */
};
void seccomp_result_free(struct seccomp_result *r);
#define own_seccomp own(seccomp_result_free)

/*
 * Finds the profile (given, /etc/containers/seccomp.json, /usr/share/containers/seccomp.json, built
 * in) and filters it by the capabilities.  want_bpf: a compiled filter is given instead of JSON
 * where one can be had; it comes from the cache below run_root, or is made by the worker
 * pod-run-seccomp.
 */
int seccomp_prepare(
    const struct seccomp_request *q, bool want_bpf, struct seccomp_result *out, struct err *e);

#endif
