/* SPDX-License-Identifier: ISC */
/*
 * What /proc tells of a process.
 */
#ifndef POD_PROCESS_H
#define POD_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * The letter of its state (proc(5)), and when it started, in ticks since the machine did: a number that was used
 * again shows another time.  -1: there is no such process.
 */
int process_look(pid_t pid, char *state, uint64_t *start);

/* When it started; 0: there is no such process. */
uint64_t process_start(pid_t pid);

#endif
