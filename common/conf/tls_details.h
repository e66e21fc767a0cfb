/* SPDX-License-Identifier: ISC */
/*
 * The file of --tls-details, containers-tls-details.yaml(5): what connections by TLS may use.
 */
#ifndef POD_TLS_DETAILS_H
#define POD_TLS_DETAILS_H

#include "common/base/mem.h"
#include "common/wire/msg.h"

/* Takes the words of the file, which nobody has judged yet.  What out points to lives in a. */
int tls_details_read(const char *path, struct arena *a, struct rec_tls_details *out, struct err *e);

/* The same, and a worker with the library for TLS knows what each word means. */
int tls_details_load(const char *path, struct arena *a, struct rec_tls_details *out, struct err *e);

#endif
