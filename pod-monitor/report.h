/* SPDX-License-Identifier: ISC */
/*
 * What the manager that started us as its conmon is told: one JSON object per line on a pipe of
 * its own, {"data": 42, "message": "…"}, in exactly this spacing.
 */
#ifndef POD_MONITOR_REPORT_H
#define POD_MONITOR_REPORT_H

#include <stdbool.h>

struct report {
	int fd;	  /* -1: nobody wants to know */
	bool api; /* the key is "data"; else "pid", and "exit_code" for a process in a container */
	bool exec;
};

/*
 * Writes one line.  message may be NULL; bytes above 0x7f pass through.  A reader that has gone is
 * forgotten.  Nothing is allocated.
 */
void report_send(struct report *r, int data, const char *message);

#endif
