/* SPDX-License-Identifier: ISC */
/*
 * Seccomp profiles: the built-in one, reading those of Docker and Podman, and writing what an OCI runtime
 * takes (runtime-spec config-linux.md, "Seccomp").
 */
#ifndef POD_SECCOMP_PROFILE_H
#define POD_SECCOMP_PROFILE_H

#include "common/base/err.h"
#include "common/wire/msg.h"

/* A comparison of one argument of a call. */
struct seccomp_arg {
	unsigned index;
	uint64_t value, value_two;
	const char *op; /* SCMP_CMP_x */
};

struct seccomp_rule {
	struct strs names;
	const char *action; /* SCMP_ACT_x */
	int errno_ret;	    /* -1: not given */
	struct seccomp_arg args[6];
	size_t args_n;
};

/* A profile that has been decided for one container: no conditions are left in it. */
struct seccomp_profile {
	const char *default_action;
	int default_errno; /* -1: not given */
	struct strs architectures, flags;
	struct {
		struct seccomp_rule *v;
		size_t n;
	} rules;
};

/* The built-in profile for a container with these capabilities (mask of 1 << CAP_x). */
void seccomp_profile_default(uint64_t caps, struct arena *a, struct seccomp_profile *out);

/*
 * Reads a JSON profile and applies its conditions (includes, excludes: capabilities, architectures, least
 * kernel).  Everything in it is bounded and checked against what a runtime understands.
 */
int seccomp_profile_read(const char *json, size_t n, uint64_t caps, struct arena *a,
    struct seccomp_profile *out, struct err *e);

void seccomp_profile_write(const struct seccomp_profile *p, struct strbuf *out);

/* Names of this machine: in profiles' conditions (amd64, arm64) and as SCMP_ARCH_x. */
const char *seccomp_profile_go_arch(void);
const char *seccomp_profile_native(void);

#endif
