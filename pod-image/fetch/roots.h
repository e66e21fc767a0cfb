/* SPDX-License-Identifier: ISC */
/*
 * The system's certificates of authorities.  Taking all of them apart costs 40 ms of each worker's start; only the one
 * or two that a server's chain ends with are needed.  Finding those costs 3 ms, so the bundle is not even opened before
 * a certificate is looked for that the store does not hold.
 */
#ifndef POD_IMAGE_FETCH_ROOTS_H
#define POD_IMAGE_FETCH_ROOTS_H

#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stddef.h>

struct roots;

/* Of the first of n bundles in PEM that holds a certificate; paths must outlive it. */
struct roots *roots_new(const char *const *paths, size_t n);
void roots_free(struct roots *r);

/* Lets the store find certificates in r, which must outlive it. */
bool roots_attach(struct roots *r, X509_STORE *store);

#endif
