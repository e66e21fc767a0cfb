/* SPDX-License-Identifier: ISC */
/*
 * The system's certificates of authorities.  Taking all of them apart costs 40 ms of each worker's start; only the one
 * or two that a server's chain ends with are needed.
 */
#ifndef POD_IMAGE_FETCH_ROOTS_H
#define POD_IMAGE_FETCH_ROOTS_H

#include <openssl/x509_vfy.h>
#include <stdbool.h>

struct roots;

/* Reads a bundle in PEM.  NULL if there is none, or no certificate in it. */
struct roots *roots_read(const char *path);
void roots_free(struct roots *r);

/* Lets the store find certificates in r, which must outlive it. */
bool roots_attach(struct roots *r, X509_STORE *store);

#endif
