/* SPDX-License-Identifier: ISC */
/*
 * The file of events: a JSON object in each line.  When it would grow above its limit the newer half is
 * kept, after an event that tells of the rotation.
 */
#ifndef POD_EVENT_FILE_H
#define POD_EVENT_FILE_H

#include "common/base/json.h"

/* Appends the document as a line.  max is a size as "1m"; "0" or "": no limit. */
int event_file_append(const char *path, const json_t *doc, const char *max, struct err *e);

#endif
