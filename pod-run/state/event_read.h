/* SPDX-License-Identifier: ISC */
/*
 * Reading events back: those that were written, and those to come.
 */
#ifndef POD_EVENT_READ_H
#define POD_EVENT_READ_H

#include "pod-run/state/event.h"

struct event_reader;

/* follow: wait for more.  from_end: nothing that was written before now. */
struct event_reader *event_read_open(struct ctx *x, bool follow, bool from_end, struct err *e);
void event_read_free(struct event_reader **r);
#define own_event_reader own(event_read_free)

/*
 * The next event as an object with the keys of the file; the caller owns it.  1: there is one; 0: no more,
 * or none before the time until_ns (0: waits for ever); -1 with e.  Lines that are no events are passed over.
 */
int event_read_next(struct event_reader *r, int64_t until_ns, json_t **out, struct err *e);

/* "Time" of an event in nanoseconds, 0 if it has none. */
int64_t event_read_time(const json_t *event);

#endif
