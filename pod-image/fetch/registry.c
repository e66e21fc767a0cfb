/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/reference.h"
#include "pod-image/fetch/registry.h"

#define TOKEN_MAX 65536
#define TOKEN_LIFE_S 60 /* "expires_in" when absent, as the token specification has it */
#define TRIES_DEFAULT 4
#define DELAY_DEFAULT_MS 1000

int64_t
registry_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int
registry_init(struct registry *reg, const struct msg_fetch_setup *setup, struct err *e)
{
	bool plain = strcmp(setup->tls, "plain") == 0;
	struct http_setup http = {.ca = setup->ca,
	    .clients = setup->clients.v,
	    .nclients = setup->clients.n,
	    .details = setup->details,
	    .insecure = plain || strcmp(setup->tls, "insecure") == 0};

	if (!http.insecure && strcmp(setup->tls, "verify") != 0)
		return err_set(e, ERR_INVALID, "unknown TLS mode");
	if (!reference_domain_valid(setup->registry))
		return err_set(e, ERR_INVALID, "%.300s is no registry", setup->registry);
	reg->http = http_new(&http, e);
	if (reg->http == NULL)
		return err_wrap(e, "registry %s", setup->registry);
	reg->host = setup->registry;
	reg->insecure = http.insecure;
	reg->plain = plain;
	reg->username = setup->username;
	reg->password = setup->password != NULL ? setup->password : "";
	reg->identity_token = setup->identity_token;
	reg->tries = setup->retries > 0 ? (unsigned)setup->retries : TRIES_DEFAULT;
	reg->delay_ms =
	    setup->retry_delay_ms > 0 ? (int64_t)setup->retry_delay_ms : DELAY_DEFAULT_MS;
	return 0;
}

char *
registry_origin(const struct registry *reg)
{
	/* The domain of Docker's hub in references is not where its registry stands. */
	const char *host = strcmp(reg->host, "docker.io") == 0 ? "registry-1.docker.io" : reg->host;

	return xasprintf("%s://%s", reg->plain ? "http" : "https", host);
}

static struct registry_token *
find_token(const struct registry *reg, const char *scope)
{
	for (size_t i = 0; i < reg->ntokens; i++) {
		if (strcmp(reg->tokens[i].scope, scope != NULL ? scope : "") == 0)
			return &reg->tokens[i];
	}
	return NULL;
}

const char *
registry_token(const struct registry *reg, const char *scope)
{
	const struct registry_token *t = find_token(reg, scope);

	return t != NULL && registry_now_ms() < t->expires_ms ? t->value : NULL;
}

static void
keep_token(struct registry *reg, const char *scope, const char *value, int64_t life_s)
{
	struct registry_token *t = find_token(reg, scope);

	if (t == NULL) {
		reg->tokens =
		    mem_grow(reg->tokens, &reg->tokens_cap, reg->ntokens + 1, sizeof(*reg->tokens));
		t = &reg->tokens[reg->ntokens++];
		t->scope = xstrdup(scope != NULL ? scope : "");
		t->value = NULL;
	}
	free(t->value);
	t->value = xstrdup(value);
	t->expires_ms = registry_now_ms() + life_s * 1000;
}

/* A token goes into a header, so it must not hold what ends one. */
static bool
token_valid(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] <= ' ' || s[i] >= 0x7f)
			return false;
	}
	return true;
}

static int
take_token(struct registry *reg, const char *scope, const struct strbuf *body, struct err *e)
{
	own_json json_t *j = json_read(body->s != NULL ? body->s : "", body->n, e);
	const char *token = NULL;
	int64_t life = TOKEN_LIFE_S;

	if (j == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "the answer is no JSON object");
	if (json_want_str(j, "token", &token, e) < 0 ||
	    (token == NULL && json_want_str(j, "access_token", &token, e) < 0) ||
	    json_want_int(j, "expires_in", 0, INT32_MAX, &life, e) < 0)
		return -1;
	if (token == NULL || !token_valid(token))
		return err_set(e, ERR_FORMAT, "the answer holds no token");
	keep_token(reg, scope, token, life < TOKEN_LIFE_S ? TOKEN_LIFE_S : life);
	return 0;
}

static void
add_query(struct strbuf *b, const char *key, const char *value)
{
	char *escaped;

	if (value == NULL)
		return;
	escaped = curl_easy_escape(NULL, value, 0);
	strbuf_addf(b, "%s%s=%s", b->n > 0 ? "&" : "", key, escaped != NULL ? escaped : "");
	curl_free(escaped);
}

/* Several scopes, for a mount from another repository, are several parameters. */
static void
add_scopes(struct strbuf *b, const char *scope)
{
	own_strv struct strv each = {0};

	if (scope != NULL)
		strv_split(&each, scope, ' ');
	for (size_t i = 0; i < each.n; i++)
		add_query(b, "scope", each.v[i]);
}

/* Token by GET with Basic credentials or none, or by POST of a refresh token (OAuth 2). */
static int
fetch_token(struct registry *reg, const char *scope, struct err *e)
{
	own_strbuf struct strbuf query = {0};
	own_mem char *url = NULL, *origin = registry_origin(reg);
	struct http_exchange x = {.body_max = 4 * TOKEN_MAX, .accept = "application/json"};
	int r;

	add_query(&query, "service", reg->service);
	add_scopes(&query, scope);
	if (reg->identity_token != NULL) {
		add_query(&query, "grant_type", "refresh_token");
		add_query(&query, "client_id", "pod");
		add_query(&query, "refresh_token", reg->identity_token);
		x.form = query.s;
	} else if (reg->username != NULL) {
		add_query(&query, "account", reg->username);
		x.username = reg->username;
		x.password = reg->password;
	}
	url = xasprintf("%s%s%s", reg->realm,
	    x.form != NULL || query.n == 0    ? ""
	    : strchr(reg->realm, '?') != NULL ? "&"
					      : "?",
	    x.form != NULL || query.n == 0 ? "" : query.s);
	x.url = url;
	x.own_host = http_same_origin(url, origin);
	http_perform(reg->http, &x);
	if (x.code != CURLE_OK) {
		http_explain(&x, e);
		r = err_wrap(e, "unable to retrieve auth token");
	} else if (x.status == 401) {
		registry_error(&x, e);
		r = err_wrap(e, "unable to retrieve auth token: invalid username/password");
	} else if (x.status != 200) {
		registry_error(&x, e);
		r = err_wrap(e, "unable to retrieve auth token");
	} else {
		r = take_token(reg, scope, &x.body, e);
		if (r < 0)
			err_wrap(e, "unable to retrieve auth token");
	}
	http_stop(reg->http, &x);
	return r;
}

/* The first challenge that we can meet decides, as the specification leaves it to the client. */
static int
learn(struct registry *reg, const struct strv *challenges, struct err *e)
{
	for (size_t i = 0; i < challenges->n; i++) {
		struct challenge list[4];
		size_t n;

		if (challenge_parse(challenges->v[i], list, COUNTOF(list), &n, e) < 0)
			return -1;
		for (size_t k = 0; k < n; k++) {
			if (reg->auth == CHALLENGE_OTHER && list[k].scheme != CHALLENGE_OTHER) {
				reg->auth = list[k].scheme;
				reg->realm = ptr_take(&list[k].realm);
				reg->service = ptr_take(&list[k].service);
			}
			challenge_free(&list[k]);
		}
	}
	return 0;
}

static int
check_realm(const struct registry *reg, struct err *e)
{
	char shown[200];

	if (reg->realm != NULL && http_url_allowed(reg->realm, reg->insecure))
		return 0;
	text_escape(reg->realm != NULL ? reg->realm : "", shown, sizeof(shown));
	return err_set(e, ERR_DENIED,
	    "the registry names \"%s\" as its token server, which is no https URL", shown);
}

int
registry_authorize(struct registry *reg, const struct strv *challenges, const char *scope,
    const struct http_exchange *refused, struct err *e)
{
	if (reg->auth == CHALLENGE_OTHER && learn(reg, challenges, e) < 0)
		return -1;
	switch (reg->auth) {
	case CHALLENGE_BASIC:
		if (reg->username == NULL)
			return registry_error(refused, e);
		return 0;
	case CHALLENGE_BEARER:
		if (check_realm(reg, e) < 0)
			return -1;
		return fetch_token(reg, scope, e);
	default:
		return registry_error(refused, e);
	}
}

/* "MANIFEST_UNKNOWN" and "manifest unknown" say the same: then the message alone is enough. */
static bool
same_words(const char *code, const char *message)
{
	for (; *code != '\0' && *message != '\0'; code++, message++) {
		char c = *code == '_' ? ' ' : *code;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != *message)
			return false;
	}
	return *code == *message;
}

static const char *
lower_words(char *s)
{
	for (char *p = s; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
		else if (*p == '_')
			*p = ' ';
	}
	return s;
}

static enum err_class
status_class(long status)
{
	switch (status) {
	case 401:
		return ERR_AUTH;
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOTFOUND;
	case 429:
		return ERR_LIMIT;
	default:
		return ERR_NETWORK;
	}
}

/* errors[0] of the body: its code and message, escaped and cut. */
static bool
first_error(const struct http_exchange *x, char code[64], char message[300])
{
	struct err ignored = {0};
	own_json json_t *j =
	    x->body.n > 0 ? json_read_max(x->body.s, x->body.n, HTTP_ERROR_BODY_MAX, 16, &ignored)
			  : NULL;
	const json_t *first =
	    json_is_object(j) ? json_array_get(json_object_get(j, "errors"), 0) : NULL;
	const char *c = json_string_value(json_object_get(first, "code"));
	const char *m = json_string_value(json_object_get(first, "message"));

	text_escape(c != NULL ? c : "", code, 64);
	text_escape(m != NULL ? m : "", message, 300);
	return code[0] != '\0' || message[0] != '\0';
}

int
registry_error(const struct http_exchange *x, struct err *e)
{
	enum err_class class = status_class(x->status);
	char code[64], message[300], shown[120];

	if (first_error(x, code, message)) {
		if (message[0] == '\0')
			return err_set(e, class, "%s", lower_words(code));
		if (same_words(code, message) || strcmp(code, "DENIED") == 0)
			return err_set(e, class, "%s", message);
		return err_set(e, class, "%s: %s", lower_words(code), message);
	}
	if (x->status == 401)
		return err_set(e, class, "unauthorized: authentication required");
	text_escape(x->body.s != NULL ? x->body.s : "", shown, sizeof(shown));
	if (strlen(shown) > 50)
		memcpy(shown + 50, "...", 4);
	return err_set(e, class, "StatusCode: %ld, \"%s\"", x->status, shown);
}
