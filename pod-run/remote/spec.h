/* SPDX-License-Identifier: ISC */
/*
 * The longer options of create and run in the words of a service's SpecGenerator.
 */
#ifndef POD_REMOTE_SPEC_H
#define POD_REMOTE_SPEC_H

#include "pod-run/remote/command.h"

#define SPEC_OPTIONS                                                                              \
	"blkio-weight,blkio-weight-device,cgroup-conf,cgroup-parent,cgroupns,cgroups,chrootdirs," \
	"conmon-pidfile,cpu-period,cpu-quota,cpu-rt-period,cpu-rt-runtime,cpu-shares,cpus,"       \
	"cpuset-cpus,cpuset-mems,device,device-cgroup-rule,device-read-bps,device-read-iops,"     \
	"device-write-bps,device-write-iops,env-file,expose,group-entry,health-cmd,"              \
	"health-interval,health-on-failure,health-retries,health-start-period,health-timeout,"    \
	"http-proxy,image-volume,init-path,ip,ip6,ipc,label-file,log-driver,log-opt,mac-address," \
	"memory,memory-reservation,memory-swap,memory-swappiness,mount,network-alias,"            \
	"no-healthcheck,no-hosts,oom-kill-disable,oom-score-adj,passwd,passwd-entry,personality," \
	"pid,pids-limit,read-only-tmpfs,requires,sdnotify,seccomp-policy,secret,security-opt,"    \
	"shm-size,storage-opt,sysctl,systemd,timeout,tmpfs,tz,ulimit,umask,unsetenv,"             \
	"unsetenv-all,userns,uts,volume,volumes-from"

/* Puts those that were given into o. */
int spec_put(json_t *o, const struct args *a, struct err *e);

#endif
