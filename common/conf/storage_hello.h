/* SPDX-License-Identifier: ISC */
/*
 * The options of the store as a hello carries them.
 */
#ifndef POD_STORAGE_HELLO_H
#define POD_STORAGE_HELLO_H

#include "common/base/mem.h"
#include "common/wire/msg.h"

/*
 * Takes the words, "key=value" each (storage_conf_settings), apart into arena memory with room for more further
 * ones.  NULL with e: a word is none.
 */
struct rec_kv *storage_hello_options(
    const struct strv *words, size_t more, struct arena *a, struct err *e);

#endif
