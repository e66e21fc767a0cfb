/* SPDX-License-Identifier: ISC */
/*
 * Pre-exec hooks: programs of the administrator that are run before each command and may forbid it.
 */
#ifndef POD_PREEXEC_H
#define POD_PREEXEC_H

/*
 * Runs them with the words of the command line, if /etc/containers/podman_preexec_hooks.txt is there.  Returns 0,
 * or the exit status of the first one that failed; nothing else is to be done then.
 */
int preexec_run(int argc, char **argv);

#endif
