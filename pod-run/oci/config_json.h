/* SPDX-License-Identifier: ISC */
/*
 * Writing JSON straight into a buffer, without a tree.  key is NULL inside arrays.  Commas are
 * placed by looking at what was written last, so there is no state.
 */
#ifndef POD_CONFIG_JSON_H
#define POD_CONFIG_JSON_H

#include "common/base/mem.h"
#include "common/wire/msg.h"

void config_json_open(struct strbuf *b, const char *key, char bracket); /* '{' or '[' */
void config_json_close(struct strbuf *b, char bracket);			/* '}' or ']' */
void config_json_str(struct strbuf *b, const char *key, const char *s);
void config_json_int(struct strbuf *b, const char *key, int64_t n);
void config_json_uint(struct strbuf *b, const char *key, uint64_t n);
void config_json_bool(struct strbuf *b, const char *key, bool v);
void config_json_strs(struct strbuf *b, const char *key, const char *const *v, size_t n);
void config_json_raw(struct strbuf *b, const char *key, const char *json); /* a finished value */

#endif
