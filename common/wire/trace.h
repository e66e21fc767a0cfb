/* SPDX-License-Identifier: ISC */
/*
 * POD_TRACE=1: each message that a program sends or receives becomes one line on stderr with the
 * time, the two roles and the fields.  Secret fields are never shown, long ones are cut.
 */
#ifndef POD_TRACE_H
#define POD_TRACE_H

#include "common/role/role.h"
#include "common/wire/wire.h"

bool trace_on(void);

/* One line for a message; does nothing unless tracing is on. */
void trace_message(
    enum role from, enum role to, const struct wire_desc *d, uint32_t seq, const void *msg);

#endif
