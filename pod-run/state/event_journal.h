/* SPDX-License-Identifier: ISC */
/*
 * Events in the journal of systemd, with the fields that Podman uses.
 */
#ifndef POD_EVENT_JOURNAL_H
#define POD_EVENT_JOURNAL_H

#include <stdbool.h>

#include "common/base/json.h"

/* True if systemd runs and a journal is there whose files we may read. */
bool event_journal_usable(void);

/* Sends the document of an event. */
int event_journal_send(const json_t *doc, struct err *e);

/* An entry as "journalctl --output=json" prints it, back to the document; NULL if it is no event. */
json_t *event_journal_parse(const json_t *entry);

#endif
