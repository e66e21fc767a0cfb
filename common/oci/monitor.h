/* SPDX-License-Identifier: ISC */
/*
 * What pod-run and pod-monitor agree on beside their messages: names of files in the bundle of a
 * container or exec session, and where the network namespace is found.
 */
#ifndef POD_MONITOR_H
#define POD_MONITOR_H

/*
 * pod-monitor holds the network namespace of monitor_start open under this number until the runtime
 * has started the container, and the runtime inherits it.  config.json names it by
 * MONITOR_NETNS_PATH with the monitor's process ID: crun would also take /proc/self/fd/N, but runc
 * opens the path in a child that has lost the descriptor.
 */
#define MONITOR_NETNS_FD 200
#define MONITOR_NETNS_PATH "/proc/%d/fd/200" /* format for the monitor's process ID */

#define MONITOR_ATTACH "attach" /* sequenced-packet socket, see attach.h */
#define MONITOR_CTL "ctl"	/* FIFO */
#define MONITOR_WINSZ "winsz"	/* FIFO */
/* Socket of sd_notify(3) for the container; its directory is mounted in it. */
#define MONITOR_NOTIFY_DIR "notify"
#define MONITOR_NOTIFY MONITOR_NOTIFY_DIR "/notify.sock"
#define MONITOR_SHM \
	"shm" /* where another container's /dev/shm is attached, seen by the runtime only */
#define MONITOR_PIDFILE "pidfile" /* process ID of the container, decimal, no newline */
#define MONITOR_OCI_LOG "oci-log" /* messages of the OCI runtime, one JSON object per line */

#define MONITOR_PACKET_OUT 2 /* first byte of a packet to an attached client: stdout */
#define MONITOR_PACKET_ERR 3
#define MONITOR_CHUNK 8192	/* most bytes of output in one packet after that first byte */
#define MONITOR_INPUT_MAX 32768 /* most bytes of input in one packet */

/*
 * In the bundle: "INTERVAL STARTUP", milliseconds between health checks of which 0 means none.  Read when the
 * monitor of a running container gets SIGUSR1.
 */
#define MONITOR_HEALTH "health-timer"

#endif
