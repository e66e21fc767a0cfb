/* SPDX-License-Identifier: ISC */
/*
 * One registry (OCI distribution specification 1.1): where it is, how it wants to be asked, and the
 * tokens obtained for it.
 */
#ifndef POD_IMAGE_FETCH_REGISTRY_H
#define POD_IMAGE_FETCH_REGISTRY_H

#include "common/wire/msg.h"
#include "pod-image/fetch/challenge.h"
#include "pod-image/fetch/http.h"

struct registry_token {
	char *scope, *value;
	int64_t expires_ms;
};

struct registry {
	struct http *http;
	const char *host;
	bool insecure;	/* unverified HTTPS, and plain HTTP if that fails */
	bool plain;	/* it turned out to speak plain HTTP */
	bool contacted; /* it has answered something */
	bool pinged;	/* its /v2/ was asked for, or need not be: the next is known */
	bool keeps_signatures;
	const char *username, *password, *identity_token;
	unsigned tries; /* in all, at least 1 */
	int64_t delay_ms;
	enum challenge_scheme auth; /* what it asked for; CHALLENGE_OTHER: nothing yet */
	char *realm, *service;
	struct registry_token *tokens;
	size_t ntokens, tokens_cap;
};

/* What setup points to is borrowed. */
int registry_init(struct registry *reg, const struct msg_fetch_setup *setup, struct err *e);

/* The token for scope (NULL: none) if there is one that is still good. */
const char *registry_token(const struct registry *reg, const char *scope);

/*
 * The registry answered 401: learns from the challenges what it wants, and gets a token for scope
 * if it wants one.  An error means that asking again is of no use.
 */
int registry_authorize(struct registry *reg, const struct strv *challenges, const char *scope,
    const struct http_exchange *refused, struct err *e);

/* Makes an error of an answer that is not what was asked for (specification, "Error Codes"). */
int registry_error(const struct http_exchange *x, struct err *e);

/* https://host or http://host; the caller frees it. */
char *registry_origin(const struct registry *reg);

/* Milliseconds on the monotonic clock. */
int64_t registry_now_ms(void);

#endif
