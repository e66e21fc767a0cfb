/* SPDX-License-Identifier: ISC */
/*
 * The OCI runtime configuration (runtime-spec 1.0.2, config.md and config-linux.md) of one start of
 * a container.
 */
#ifndef POD_SPEC_CONFIG_H
#define POD_SPEC_CONFIG_H

#include "common/wire/msg.h"
#include "pod-run/oci/cdi.h"
#include "pod-run/oci/cgroup.h"

/* What is known only at the moment of starting.  Everything is borrowed. */
/*
 * Mounts whose place lies in a volume or directory that others may change meanwhile: at lies below
 * within, the deepest such mount.
 */
struct nested_mounts {
	struct arena *a; /* the strings' */
	struct strs within, at;
};

struct spec_facts {
	struct nested_mounts *nested; /* is filled; may be NULL */
	const char *id, *name;
	bool notify; /* the container gets the directory MONITOR_NOTIFY_DIR of the bundle */
	uint64_t rows, columns; /* of the terminal; 0: unknown */
	uint64_t listen_fds;	/* sockets of LISTEN_FDS, passed on; 0: none */
	const char *bundle;	/* absolute; rootfs and the files of etc_files.h are in it */
	const char *hostname;	/* as etc_hostname gives it */
	uint32_t uid, gid;	/* from rootfs_opened */
	const struct rec_gid *groups;
	size_t groups_n;
	const char *home; /* NULL: unknown, then HOME is / unless set */
	bool passwd_made, group_made;
	const char *const *volume_paths; /* as spec_options_volumes orders them */
	size_t volume_paths_n;
	/* For each of c's mounts what is bound there, or NULL: its own source.  May be NULL. */
	const char *const *mount_sources;
	const struct cdi_mount *conf_mounts; /* of mounts.conf */
	size_t conf_mounts_n;
	/* Secrets as environment variables; those that are files are SECRET_FILE… in the bundle. */
	const struct strv *secret_env;
	const json_t *hooks; /* as hooks_find gives them, those of cdi among them, or NULL */
	const struct cdi_edits *cdi; /* of c's CDI devices, or NULL */
	/*
	 * Paths of namespaces to join, NULL where the mode needs none: netns is that of pod-net, or
	 * like the others that of the container in container:ID.  ns:PATH modes bring their own.
	 */
	const char *netns, *pidns, *ipcns, *utsns, *cgroupns, *userns;
	/* The bundle of the container in --network container:ID, whose hosts and resolv.conf are shared. */
	const char *net_bundle;
	unsigned net_lacks;   /* which of the two it has none of: ETC_… */
	const char *shm_from; /* /dev/shm of the container whose IPC namespace is shared, or NULL */
	bool rootless;	      /* inside a user namespace whose root is not the host's */
	bool runtime_is_crun;
	bool sys_resource; /* the caller may raise limits */
	enum cgroup_layout cgroup;
	bool cgroup_usable;	  /* the runtime may make cgroups */
	const char *seccomp_json; /* value of linux.seccomp, or NULL */
	const char *seccomp_bpf;  /* base64, for crun, or NULL */
};

/* Writes config.json.  Fails if a device or a path it needs is missing on the host. */
int spec_config_json(
    const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *out, struct err *e);

/* What exec changes in the process of its container. */
struct spec_exec {
	const char *const *args;
	size_t args_n;
	const char *const *env; /* NAME=value, added last */
	size_t env_n;
	const char *cwd; /* NULL: the container's */
	bool tty, privileged;
	uint64_t rows, columns; /* of the terminal; 0: unknown */
	uint32_t uid, gid;
	const struct rec_gid *groups;
	size_t groups_n;

	const char *home;
};

/* Writes the process object that "crun exec --process" takes. */
int spec_config_exec_json(const struct rec_ctr_config *c, const struct spec_facts *f,
    const struct spec_exec *x, struct strbuf *out, struct err *e);

#endif
