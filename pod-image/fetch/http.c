/* SPDX-License-Identifier: ISC */
#include <errno.h>
/* OpenSSL has a type of this name, and we a class of errors. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/role/role.h"
#include "common/wire/tls.h"
#include "pod-image/fetch/client.h"
#include "pod-image/fetch/http.h"
#include "pod-image/fetch/proxy.h"
#include "pod-image/fetch/roots.h"

#define CONNECT_TIMEOUT_S 30L
#define STALL_TIMEOUT_S 60
#define STALL_TIMEOUT_MAX_S 86400
#define STALL_SPEED 64L /* bytes per second: slower is not moving */
#define PATIENCE 5	/* times the limit for answers that take work, and for whole documents */
#define BUFFER_SIZE 262144L

struct http {
	CURLM *multi;
	struct http_setup setup;
	long stall_s;
	struct roots *system; /* that is given with the next */
	struct client *client;
	X509_STORE *roots; /* made once, for libcurl would parse the bundle for each connection */
};

/* The certificate that starts the text, with *used, how much of the text it was; or NULL. */
static X509 *
first_certificate(const uint8_t *text, size_t n, size_t *used)
{
	BIO *bio = BIO_new_mem_buf(text, (int)n);
	unsigned char *der = NULL;
	const unsigned char *p;
	char *name = NULL, *header = NULL;
	X509 *cert = NULL;
	long size;

	if (bio == NULL)
		abort();
	if (PEM_read_bio(bio, &name, &header, &der, &size) == 1 &&
	    strcmp(name, PEM_STRING_X509) == 0 && *header == '\0') {
		p = der;
		if ((cert = d2i_X509(NULL, &p, size)) != NULL)
			*used = n - BIO_pending(bio);
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	return cert;
}

/*
 * What is no certificate, or a broken one, adds nothing and is no reason to leave out the others,
 * as in all tools that read certs.d: a registry that needs it is not believed.
 */
static void
add_roots(X509_STORE *store, const struct bytes *pem)
{
	static const char begin[] = "-----BEGIN " PEM_STRING_X509 "-----";
	const uint8_t *end = pem->p + pem->n, *at = pem->p;

	while ((at = memmem(at, (size_t)(end - at), begin, strlen(begin))) != NULL) {
		size_t used = strlen(begin);
		X509 *cert = first_certificate(at, (size_t)(end - at), &used);

		if (cert != NULL)
			X509_STORE_add_cert(store, cert);
		X509_free(cert);
		at += used;
	}
	ERR_clear_error();
}

static X509_STORE *
make_roots(const struct http_setup *setup, struct roots **system, struct err *e)
{
	X509_STORE *store = X509_STORE_new();
	const char *const *paths;
	size_t n;

	if (store == NULL) {
		err_set(e, ERR_INTERNAL, "making a certificate store");
		return NULL;
	}
	paths = role_authorities(&n);
	*system = roots_new(paths, n);
	if (!roots_attach(*system, store))
		abort();
	if (setup->ca.n > 0)
		add_roots(store, &setup->ca);
	return store;
}

static long
stall_limit(void)
{
	const char *text = getenv("POD_REGISTRY_TIMEOUT");
	uint64_t n = 0;

	if (text == NULL || text_to_u64(text, STALL_TIMEOUT_MAX_S, &n) < 0 || n == 0)
		n = STALL_TIMEOUT_S;
	return (long)n;
}

struct http *
http_new(const struct http_setup *setup, struct err *e)
{
	struct http *h = xcalloc(1, sizeof(*h));

	if ((setup->details != NULL && tls_check(setup->details, e) < 0) ||
	    client_new(setup->clients, setup->nclients, &h->client, e) < 0) {
		free(h);
		return NULL;
	}
	h->setup = *setup;
	h->stall_s = stall_limit();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || (h->multi = curl_multi_init()) == NULL) {
		err_set(e, ERR_INTERNAL, "starting libcurl");
		client_free(h->client);
		free(h);
		return NULL;
	}
	if (!setup->insecure && (h->roots = make_roots(setup, &h->system, e)) == NULL) {
		http_free(h);
		return NULL;
	}
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	return h;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	curl_multi_cleanup(h->multi);
	X509_STORE_free(h->roots);
	roots_free(h->system);
	client_free(h->client);
	free(h);
}

/* libcurl has set what it knows of; the last word is ours, also about the TLS of a proxy. */
static CURLcode
prepare_ctx(CURL *easy, void *ctx, void *arg)
{
	struct http *h = arg;
	struct err ignored = {0};

	(void)easy;
	if (h->roots != NULL)
		SSL_CTX_set1_cert_store(ctx, h->roots);
	return tls_limit(ctx, h->setup.details, &ignored) == 0 ? CURLE_OK : CURLE_SSL_CIPHER;
}

static CURLcode
prepare_own_ctx(CURL *easy, void *ctx, void *arg)
{
	struct http *h = arg;

	client_attach(h->client, ctx);
	return prepare_ctx(easy, ctx, arg);
}

static void
keep_header(char **at, const char *value)
{
	free(*at);
	*at = xstrdup(value);
}

/* A new status line: what an earlier answer (100, or one before a retry) said counts no more. */
static void
forget_headers(struct http_exchange *x)
{
	free(x->content_type);
	free(x->content_range);
	free(x->link);
	free(x->location);
	free(x->answered_range);
	free(x->content_digest);
	x->content_type = x->content_range = x->link = NULL;
	x->location = x->answered_range = x->content_digest = NULL;
	x->content_length = 0;
	x->retry_after_s = 0;
	x->keeps_signatures = false;
	strv_free(&x->challenges);
	memset(&x->challenges, 0, sizeof(x->challenges));
}

/* Seconds or a date (RFC 9110, 10.2.3). */
static void
take_retry_after(struct http_exchange *x, const char *value)
{
	time_t now = time(NULL), then;

	if (text_to_u64(value, UINT32_MAX, &x->retry_after_s) == 0)
		return;
	then = curl_getdate(value, NULL);
	if (then > now)
		x->retry_after_s = (uint64_t)(then - now);
}

static void
take_header(struct http_exchange *x, const char *name, const char *value)
{
	if (strcasecmp(name, "content-type") == 0)
		keep_header(&x->content_type, value);
	else if (strcasecmp(name, "content-range") == 0)
		keep_header(&x->content_range, value);
	else if (strcasecmp(name, "link") == 0)
		keep_header(&x->link, value);
	else if (strcasecmp(name, "location") == 0)
		keep_header(&x->location, value);
	else if (strcasecmp(name, "range") == 0)
		keep_header(&x->answered_range, value);
	else if (strcasecmp(name, "docker-content-digest") == 0)
		keep_header(&x->content_digest, value);
	else if (strcasecmp(name, "x-registry-supports-signatures") == 0)
		x->keeps_signatures = strcmp(value, "1") == 0;
	else if (strcasecmp(name, "content-length") == 0)
		text_to_u64(value, INT64_MAX, &x->content_length);
	else if (strcasecmp(name, "retry-after") == 0)
		take_retry_after(x, value);
	else if (strcasecmp(name, "www-authenticate") == 0 && x->challenges.n < HTTP_CHALLENGES_MAX)
		strv_add(&x->challenges, value);
}

static size_t
on_header(char *p, size_t one, size_t n, void *arg)
{
	struct http_exchange *x = arg;
	own_mem char *line = NULL;
	char *colon, *value;
	size_t len = n * one;

	x->header_bytes += len;
	if (x->header_bytes > HTTP_HEADERS_MAX)
		return 0;
	if (len > 5 && strncmp(p, "HTTP/", 5) == 0)
		forget_headers(x);
	if (len > HTTP_HEADER_MAX || memchr(p, '\0', len) != NULL)
		return n * one;
	line = xstrndup(p, len);
	colon = strchr(line, ':');
	if (colon == NULL)
		return n * one;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	for (len = strlen(value); len > 0 && strchr("\r\n \t", value[len - 1]) != NULL;)
		value[--len] = '\0';
	take_header(x, line, value);
	return n * one;
}

static size_t
on_body(char *p, size_t one, size_t count, void *arg)
{
	struct http_exchange *x = arg;
	size_t n = one * count, max = x->body_max;
	long status = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status / 100 != 2)
		max = HTTP_ERROR_BODY_MAX;
	else if (x->sink != NULL)
		switch (x->sink(x->sink_arg, p, n)) {
		case HTTP_SINK_OK:
			return n;
		case HTTP_SINK_PAUSE:
			return CURL_WRITEFUNC_PAUSE;
		case HTTP_SINK_FAIL:
			return n + 1;
		}
	if (n > max - x->body.n) {
		x->body_too_long = true;
		return n + 1;
	}
	strbuf_addn(&x->body, p, n);
	return n;
}

static void
add_header(struct http_exchange *x, const char *name, const char *value)
{
	own_mem char *line = xasprintf("%s: %s", name, value);

	x->headers = curl_slist_append(x->headers, line);
}

static void
set_tls(struct http *h, struct http_exchange *x)
{
	CURL *c = x->easy;

	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, h->setup.insecure ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, h->setup.insecure ? 0L : 2L);
	curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, x->own_host ? prepare_own_ctx : prepare_ctx);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, h);
}

static void
set_headers(struct http_exchange *x)
{
	own_mem char *bearer = NULL;

	if (x->accept != NULL)
		add_header(x, "Accept", x->accept);
	if (x->range != NULL)
		add_header(x, "Range", x->range);
	if (x->bearer != NULL) {
		bearer = xasprintf("Bearer %s", x->bearer);
		add_header(x, "Authorization", bearer);
	}
	if (x->username != NULL) {
		curl_easy_setopt(x->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(x->easy, CURLOPT_USERNAME, x->username);
		curl_easy_setopt(x->easy, CURLOPT_PASSWORD, x->password);
	}
	if (x->form != NULL)
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, x->form);
	if (x->body_type != NULL)
		add_header(x, "Content-Type", x->body_type);
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
}

static size_t
on_feed(char *p, size_t one, size_t count, void *arg)
{
	struct http_exchange *x = arg;
	ssize_t n = x->feed(x->feed_arg, p, one * count);

	return n == HTTP_FEED_PAUSE ? CURL_READFUNC_PAUSE : n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

/* The method and what is sent with it.  Nobody waits for "100 Continue": the token is fresh. */
static void
set_method(struct http_exchange *x)
{
	CURL *c = x->easy;

	if (x->method == NULL)
		return;
	if (strcmp(x->method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	}
	if (x->feed != NULL) {
		curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, on_feed);
		curl_easy_setopt(c, CURLOPT_READDATA, x);
		curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_SIZE);
		curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->feed_size);
		if (x->feed_size < 0)
			add_header(x, "Transfer-Encoding", "chunked");
	} else if (x->send.n > 0 || x->sends_nothing) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->send.n);
		curl_easy_setopt(
		    c, CURLOPT_POSTFIELDS, x->send.n > 0 ? (const char *)x->send.p : "");
		if (x->body_type == NULL)
			x->headers = curl_slist_append(x->headers, "Content-Type:");
	}
	x->headers = curl_slist_append(x->headers, "Expect:");
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->method);
}

static void
url_host(const char *url, char *host, size_t size)
{
	const char *p = strstr(url, "://");

	p = p != NULL ? p + 3 : url;
	snprintf(host, size, "%.*s", (int)strcspn(p, "/?#"), p);
}

static void
set_limits(const struct http *h, struct http_exchange *x)
{
	CURL *c = x->easy;
	bool document = x->sink == NULL && x->feed == NULL;
	bool work = x->method != NULL && strcmp(x->method, "HEAD") != 0;

	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT,
	    h->stall_s < CONNECT_TIMEOUT_S ? h->stall_s : CONNECT_TIMEOUT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, STALL_SPEED);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, h->stall_s * (work ? PATIENCE : 1));
	curl_easy_setopt(c, CURLOPT_TIMEOUT, document ? h->stall_s * PATIENCE : 0L);
}

void
http_start(struct http *h, struct http_exchange *x)
{
	own_mem char *proxy = proxy_for_url(x->url);
	CURL *c = curl_easy_init();

	if (c == NULL)
		abort();
	x->easy = c;
	x->active = true;
	x->done = false;
	curl_easy_setopt(c, CURLOPT_URL, x->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, h->setup.insecure ? "http,https" : "https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "pod/" POD_VERSION);
	set_limits(h, x);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(c, CURLOPT_PRIVATE, x);
	/* libcurl's own reading of the environment is another. */
	curl_easy_setopt(c, CURLOPT_PROXY, proxy != NULL ? proxy : "");
	curl_easy_setopt(c, CURLOPT_NOPROXY, "");
	set_tls(h, x);
	set_method(x);
	set_headers(x);
	curl_multi_add_handle(h->multi, c);
}

static void
finish(struct http_exchange *x, CURLcode code)
{
	char *s = NULL;

	x->done = true;
	x->code = code;
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->status);
	/* Words about a failure that go on and on: what came first is enough. */
	if (x->body_too_long && x->status / 100 != 2)
		x->code = CURLE_OK;
	curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &x->os_errno);
	curl_easy_getinfo(x->easy, CURLINFO_SSL_VERIFYRESULT, &x->verify_result);
	curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &s);
	if (s != NULL)
		keep_header(&x->redirect, s);
}

void
http_stop(struct http *h, struct http_exchange *x)
{
	if (x->easy != NULL) {
		curl_multi_remove_handle(h->multi, x->easy);
		curl_easy_cleanup(x->easy);
	}
	curl_slist_free_all(x->headers);
	forget_headers(x);
	free(x->redirect);
	strbuf_free(&x->body);
	memset(x, 0, sizeof(*x));
}

void
http_resume(struct http_exchange *x)
{
	if (x->easy != NULL && !x->done)
		curl_easy_pause(x->easy, CURLPAUSE_CONT);
}

/*
 * First the wait, then the work: what the work leaves behind (a full pipe) must be in the caller's next
 * list before anybody sleeps again.  libcurl does not sleep while it has something to do.
 */
void
http_step(struct http *h, struct curl_waitfd *extra, unsigned n, int timeout_ms)
{
	int running, left;
	CURLMsg *m;

	curl_multi_poll(h->multi, extra, n, timeout_ms, NULL);
	curl_multi_perform(h->multi, &running);
	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		char *x = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
		finish((struct http_exchange *)(void *)x, m->data.result);
	}
}

void
http_perform(struct http *h, struct http_exchange *x)
{
	http_start(h, x);
	while (!x->done)
		http_step(h, NULL, 0, 1000);
}

static const char *
os_reason(long no)
{
	switch (no) {
	case ECONNREFUSED:
		return "connect: connection refused";
	case EHOSTUNREACH:
		return "connect: no route to host";
	case ENETUNREACH:
		return "connect: network is unreachable";
	case ECONNRESET:
		return "read: connection reset by peer";
	default:
		return "i/o timeout";
	}
}

static const char *
tls_reason(const struct http_exchange *x)
{
	if (strstr(x->error, "subject name") != NULL) /* libcurl's own check of the name */
		return "x509: certificate is not valid for this host";
	switch (x->verify_result) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "x509: certificate has expired or is not yet valid";
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return "x509: certificate is not valid for this host";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return "x509: certificate signed by unknown authority";
	default:
		return X509_verify_cert_error_string(x->verify_result);
	}
}

/* What OpenSSL says of a handshake, in Go's words where it has some. */
static const char *
handshake_reason(const char *error)
{
	static const struct {
		const char *said, *reason;
	} reasons[] = {
	    {"wrong version number", "http: server gave HTTP response to HTTPS client"},
	    {"alert protocol version", "remote error: tls: protocol version not supported"},
	    {"alert handshake failure", "remote error: tls: handshake failure"},
	    {"alert insufficient security", "remote error: tls: insufficient security level"},
	    {"alert illegal parameter", "remote error: tls: illegal parameter"},
	    {"unsupported protocol", "tls: server selected unsupported protocol version"},
	    {"no protocols available",
		"tls: no supported versions satisfy MinVersion and MaxVersion"},
	    {"no ciphers available", "tls: no cipher suite is allowed"},
	};

	for (size_t i = 0; i < COUNTOF(reasons); i++)
		if (strstr(error, reasons[i].said) != NULL)
			return reasons[i].reason;
	return error;
}

void
http_explain(const struct http_exchange *x, struct err *e)
{
	curl_off_t connected = 0;
	char host[300];

	url_host(x->url, host, sizeof(host));
	curl_easy_getinfo(x->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	switch (x->code) {
	case CURLE_COULDNT_CONNECT:
		err_set(e, ERR_NETWORK, "dial tcp %s: %s", host, os_reason(x->os_errno));
		break;
	case CURLE_OPERATION_TIMEDOUT:
		err_set(e, ERR_NETWORK, "%s tcp %s: i/o timeout", connected > 0 ? "read" : "dial",
		    host);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		host[strcspn(host, ":")] = '\0';
		err_set(e, ERR_NETWORK, "dial tcp: lookup %s: no such host", host);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		err_set(e, ERR_NETWORK, "tls: failed to verify certificate: %s", tls_reason(x));
		break;
	case CURLE_SSL_CONNECT_ERROR:
		err_set(e, ERR_NETWORK, "%s", handshake_reason(x->error));
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
		err_set(e, ERR_DENIED, "plain HTTP or another scheme is not allowed");
		break;
	case CURLE_WRITE_ERROR:
		err_set(e, ERR_LIMIT, "the answer is larger than allowed");
		break;
	default:
		err_set(e, ERR_NETWORK, "%s",
		    x->error[0] != '\0' ? x->error : curl_easy_strerror(x->code));
	}
}

bool
http_may_pass(const struct http_exchange *x)
{
	switch (x->code) {
	case CURLE_OK:
		return x->status == 429 || x->status == 408 ||
		       (x->status >= 500 && x->status != 501 && x->status != 505);
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_COULDNT_CONNECT:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return true;
	default:
		return false;
	}
}

char *
http_url_join(const char *base, const char *to)
{
	CURLU *u = curl_url();
	char *full = NULL, *out = NULL;

	if (u != NULL && strlen(to) < HTTP_HEADER_MAX &&
	    curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_URL, to, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_URL, &full, 0) == CURLUE_OK)
		out = xstrdup(full);
	curl_free(full);
	curl_url_cleanup(u);
	return out;
}

static char *
origin(const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *out = NULL;

	if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
		out = xasprintf("%s://%s:%s", scheme, host, port);
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return out;
}

bool
http_same_origin(const char *a, const char *b)
{
	own_mem char *x = origin(a), *y = NULL;

	y = origin(b);
	return x != NULL && y != NULL && strcasecmp(x, y) == 0;
}

bool
http_url_allowed(const char *url, bool plain)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *user = NULL;
	bool ok;

	ok = u != NULL && strlen(url) < HTTP_HEADER_MAX &&
	     curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK && host[0] != '\0' &&
	     curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_NO_USER &&
	     (strcasecmp(scheme, "https") == 0 || (plain && strcasecmp(scheme, "http") == 0));
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(u);
	return ok;
}
