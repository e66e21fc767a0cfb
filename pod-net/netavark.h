/* SPDX-License-Identifier: ISC */
/*
 * The command face of netavark, for Podman: pod-net under the name "netavark".  Definitions and addresses
 * come from the caller as JSON, results and errors go back as JSON.
 */
#ifndef POD_NETAVARK_H
#define POD_NETAVARK_H

/* After role_enter; returns the exit status. */
int netavark_main(int argc, char **argv);

#endif
