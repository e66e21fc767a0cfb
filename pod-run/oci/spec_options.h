/* SPDX-License-Identifier: ISC */
/*
 * The options of create and run, and the record that results from them.
 *
 * First spec_options_read: everything that the words alone decide, and every error they can hold,
 * before anything is pulled or made.  Then, once the image is known, spec_options_merge adds what
 * the image says where the user said nothing.
 */
#ifndef POD_SPEC_OPTIONS_H
#define POD_SPEC_OPTIONS_H

#include <sys/types.h>

#include "common/cli/opt.h"
#include "common/conf/containers_conf.h"
#include "common/wire/msg.h"
#include "pod-run/oci/spec_health.h"

/* Options of create and run.  Names are those of the command line. */
struct spec_options {
	struct spec_health_options health; /* rows of their own: spec_health_rows */
	/* identity, files */
	const char *name, *cidfile, *pidfile, *conmon_pidfile;
	struct strv label, label_file, annotation;
	bool replace, rm, rmi, quiet;
	/* streams */
	struct strv attach;
	bool interactive, tty;
	int passwd; /* tristate, as all int members here */
	/* process */
	const char *entrypoint, *workdir, *user, *init_path, *stop_signal, *umask, *tz,
	    *personality;
	const char *passwd_entry, *group_entry, *systemd, *shm_size_systemd;
	struct strv group_add, hostuser;
	int init;
	int64_t stop_timeout; /* -1: not given */
	uint64_t timeout;
	/* image */
	const char *pull, *arch, *os, *variant, *platform, *image_volume;
	const char *authfile, *cert_dir, *creds, *signature_policy;
	struct strv decryption_key;
	bool rootfs; /* the image is a directory */
	int tls_verify;
	int64_t retry; /* -1: not given */
	const char *retry_delay;
	/* namespaces, network */
	const char *pid, *ipc, *uts, *cgroupns, *userns, *hostname;
	const char *subuidname, *subgidname;
	struct strv uidmap, gidmap;
	struct strv network, network_alias, publish, expose;
	const char *ip, *ip6, *mac_address;
	bool publish_all;
	struct strv add_host, dns, dns_option, dns_search;
	const char *hosts_file;
	int no_hosts;
	bool no_hostname;
	/* limits */
	double cpus;
	uint64_t cpu_shares, cpu_period, cpu_rt_period;
	int64_t cpu_quota, cpu_rt_runtime;
	const char *cpuset_cpus, *cpuset_mems;
	struct strv storage_opt;
	const char *memory, *memory_reservation, *memory_swap, *shm_size, *blkio_weight;
	int64_t memory_swappiness, oom_score_adj;
	bool oom_kill_disable;
	const char *pids_limit;
	struct strv ulimit, blkio_weight_device, cgroup_conf;
	struct strv device_read_bps, device_read_iops, device_write_bps, device_write_iops;
	const char *cgroups, *cgroup_parent, *rdt_class;
	/* security */
	struct strv cap_add, cap_drop, security_opt, sysctl, device, device_cgroup_rule, gpus;
	const char *seccomp_policy;
	int privileged, read_only, read_only_tmpfs;
	/* mounts */
	struct strv volume, mount, tmpfs, volumes_from, chrootdirs;
	/* environment */
	struct strv env, env_file, env_merge, unsetenv;
	bool env_host, unsetenv_all;
	int http_proxy;
	/* logging, restart */
	const char *log_driver, *restart, *sdnotify;
	struct strv log_opt, requires, secret;
};
extern const struct opt spec_options_rows[];

/* Options that only run has. */
struct spec_options_run {
	bool detach;
	const char *detach_keys; /* NULL: containers.conf decides */
	bool sig_proxy;
	struct strv preserve_fd;
	uint64_t preserve_fds;
};
extern const struct opt spec_options_run_rows[];

/* What containers.conf and the caller contribute.  Everything is borrowed. */
struct spec_defaults {
	const struct containers_conf *conf;
	const struct strv *cdi_dirs; /* --cdi-spec-dir applied */
	const char *runtime;	     /* OCI runtime, --runtime applied */
	const char *cgroup_manager;  /* cgroupfs or systemd, --cgroup-manager applied */
	bool journal;		     /* the host keeps one that we may read */
	bool rootless;
	uid_t uid; /* of the caller; outside, if rootless */
	gid_t gid;
	uint32_t uids, gids; /* how many ids our own namespace has, for maps below it */
	bool cgroup_v2;
	bool cgroup_usable;    /* limits can be set where cgroups are by default */
	bool cgroup_delegated; /* or below our own cgroup */
	const char *cwd;
	const char *const *environ;
};

/*
 * Fills in what is asked of the kernel: ids, cgroups, working directory, environment.  Strings live
 * in a.
 */
int spec_defaults_host(
    struct spec_defaults *d, bool rootless, uid_t uid, gid_t gid, struct arena *a, struct err *e);

struct spec_input {
	const struct spec_options *o;
	const struct spec_defaults *d;
	const char *image;	  /* as typed */
	const char *const *words; /* after the image's name */
	size_t words_n;
	const char *const *command_line; /* the whole command, for inspect */
	size_t command_line_n;
};

/*
 * Fills c (zeroed by the caller) from the words; all it points to lives in a or is borrowed from
 * in. Names after "container:" in namespace modes, the network mode and requires stand as typed;
 * the coordinator replaces them by IDs.
 */
int spec_options_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

/* Adds what the image contributes.  image NULL: there is none, and then a command is required. */
int spec_options_merge(const struct spec_input *in, const struct rec_image *image,
    struct rec_ctr_config *c, struct arena *a, struct err *e);

/* The named volumes of c as rootfs_open wants them, in the order of spec_facts.volume_paths. */
size_t spec_options_volumes(
    const struct rec_ctr_config *c, struct arena *a, struct rec_volume_use **out);

/* The word of --restart, into c.  An empty one changes nothing. */
int spec_options_restart(const char *word, bool remove, struct rec_ctr_config *c, struct err *e);

/* The file of --cidfile, or NULL, is not there yet, and can be made. */
int spec_options_cidfile(const char *path, struct err *e);

/* The platform wanted for the image; members are NULL where nothing was said. */
struct spec_platform {
	const char *os, *arch, *variant;
};
int spec_options_platform(
    const struct spec_options *o, struct spec_platform *p, struct arena *a, struct err *e);

#endif
