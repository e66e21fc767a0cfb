/* SPDX-License-Identifier: ISC */
/*
 * What a container uses, from the files of its cgroup (v1, v2 or both) and of its network namespace.  One
 * without a cgroup of its own is counted by its processes.
 */
#ifndef POD_USAGE_H
#define POD_USAGE_H

#include "common/base/json.h"
#include "pod-run/state/ctr.h"

struct usage {
	uint64_t cpu_ns, cpu_system_ns;
	uint64_t memory, memory_limit; /* bytes; without a limit the machine's */
	uint64_t read, written;	       /* bytes, of block devices */
	uint64_t received, sent;       /* bytes, of all interfaces but the loopback */
	uint64_t tasks;
};

/* A container that does not run uses nothing. */
void usage_read(const struct ctr *c, struct usage *u);

/*
 * The processes of a container: those of its PID namespace and of those below, or, if it has none of its
 * own, of its cgroup.
 */
struct usage_pids {
	pid_t *v;
	size_t n, cap;
};
void usage_pids_free(struct usage_pids *p);
#define own_usage_pids own(usage_pids_free)
void usage_pids_list(const struct ctr *c, struct usage_pids *out);

/* Of each interface but the loopback, by its name: what Podman counts, an object. */
json_t *usage_network(const struct ctr *c);

/* The nanoseconds of each CPU, an array; empty where the kernel does not count them (v2). */
json_t *usage_per_cpu(const struct ctr *c);

/*
 * The directory of a running container's own cgroup in which a file of that controller is ("" for v2), or NULL; the
 * caller frees.  A cgroup without the container's ID in its name is somebody else's.
 */
char *usage_cgroup(const struct ctr *c, const char *controller);

/* Where its cgroup is below the mount point, of a running one on v2 as the kernel says; caller frees, NULL: none. */
char *usage_cgroup_path(const struct ctr *c);

#endif
