/* SPDX-License-Identifier: ISC */
/*
 * The longer options of create and run in the words of a service's SpecGenerator.
 */
#ifndef POD_REMOTE_SPEC_H
#define POD_REMOTE_SPEC_H

#include "pod-run/remote/command.h"

#define SPEC_OPTIONS                                                                     \
	"blkio-weight,blkio-weight-device,cgroup-conf,cgroup-parent,cgroupns,cgroups,"   \
	"chrootdirs,conmon-pidfile,cpu-period,cpu-quota,cpu-rt-period,cpu-rt-runtime,"   \
	"cpu-shares,cpus,cpuset-cpus,cpuset-mems,device,device-cgroup-rule,"             \
	"device-read-bps,device-read-iops,device-write-bps,device-write-iops,env-file,"  \
	"env-merge,expose,gpus,group-entry,health-cmd,health-interval,"                  \
	"health-log-destination,health-max-log-count,health-max-log-size,"               \
	"health-on-failure,health-retries,health-start-period,health-startup-cmd,"       \
	"health-startup-interval,health-startup-retries,health-startup-success,"         \
	"health-startup-timeout,health-timeout,hosts-file,hostuser,http-proxy,"          \
	"image-volume,init-path,ip,ip6,ipc,label-file,link-local-ip,log-driver,log-opt," \
	"mac-address,memory,memory-reservation,memory-swap,memory-swappiness,mount,"     \
	"network-alias,no-healthcheck,no-hostname,no-hosts,oom-kill-disable,"            \
	"oom-score-adj,passwd,passwd-entry,personality,pid,pids-limit,rdt-class,"        \
	"read-only-tmpfs,requires,sdnotify,seccomp-policy,secret,security-opt,shm-size," \
	"shm-size-systemd,storage-opt,sysctl,systemd,timeout,tmpfs,tz,ulimit,umask,"     \
	"unsetenv,unsetenv-all,uts,volume,volumes-from"

/* Puts those that were given into o. */
int spec_put(json_t *o, const struct args *a, struct err *e);

/* A namespace by its word: "host", "container:NAME", "ns:PATH", … */
void spec_put_space(json_t *o, const char *key, const char *word);

/* Says so of one value of an option: -1. */
int spec_not_built(const char *option, const char *word, struct err *e);

#endif
