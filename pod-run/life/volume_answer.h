/* SPDX-License-Identifier: ISC */
/*
 * What a volume plug-in answers (Docker's plug-in API): HTTP/1.0 with a JSON object, whose member Err is the failure
 * if there is one.
 */
#ifndef POD_VOLUME_ANSWER_H
#define POD_VOLUME_ANSWER_H

#include "common/base/json.h"

/* All n bytes of the answer, ended by a NUL.  On success the caller owns *out, an object. */
int volume_answer_parse(const char *text, size_t n, json_t **out, struct err *e);

#endif
