/* SPDX-License-Identifier: ISC */
/*
 * pod-run-dial: connects to a service over TCP.  With TLS it holds the key and stays between the two, of whose talk it
 * understands nothing; who reads it has no key.  It also says whether TLS knows the words of --tls-details.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* OpenSSL's name for a type of its own would be one of our classes of errors. */
#define ERR_STATE openssl_err_state
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/role/role.h"
#include "common/wire/tcp.h"
#include "common/wire/tls.h"
#include "common/wire/worker.h"

#define CHUNK ((size_t)16 << 10)
#define HANDSHAKE_MS 60000

/* One direction: what waits in it lies from at to n. */
struct lane {
	char waiting[CHUNK];
	size_t at, n;
	short wants; /* what the connection to the service must be ready for before */
};

/* Between the service and who speaks with it, once dial has been answered. */
struct carrier {
	SSL *ssl;
	int tcp, inner;
	struct lane out, in; /* seen from who asks */
};

/* --- TLS ----------------------------------------------------------------------------------------*/

static int
tls_failed(struct err *e, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	return err_set(e, ERR_NETWORK, "%s: %s", what, reason != NULL ? reason : "TLS failed");
}

static int
add_roots(SSL_CTX *ctx, const struct bytes *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	X509 *x;
	int n = 0;

	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x);
		X509_free(x);
	}
	BIO_free(bio);
	ERR_clear_error();
	return n > 0 ? 0
		     : err_set(e, ERR_INVALID, "there is no certificate in the file of --tls-ca");
}

static int
use_cert(SSL_CTX *ctx, const struct bytes *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	X509 *x = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	bool good = x != NULL && SSL_CTX_use_certificate(ctx, x) == 1;

	X509_free(x);
	while (good && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		good = SSL_CTX_add0_chain_cert(ctx, x) == 1;
	BIO_free(bio);
	ERR_clear_error();
	return good ? 0
		    : err_set(e, ERR_INVALID, "there is no certificate in the file of --tls-cert");
}

/* A key behind a password is none for us: nobody is asked. */
static int
no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int
use_key(SSL_CTX *ctx, const struct bytes *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	bool good = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return good ? 0
		    : err_set(e, ERR_INVALID,
			  "the file of --tls-key holds no key without a password that fits the "
			  "certificate");
}

static int
add_system_roots(SSL_CTX *ctx, struct err *e)
{
	size_t n;
	const char *const *paths = role_authorities(&n);

	for (size_t i = 0; i < n; i++)
		if (SSL_CTX_load_verify_file(ctx, paths[i]) == 1) {
			ERR_clear_error();
			return 0;
		}
	return tls_failed(e, "reading the system's authorities");
}

static int
prepare_ctx(SSL_CTX *ctx, const struct msg_dial *m, struct err *e)
{
	if (tls_limit(ctx, m->details, e) == -1)
		return -1;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if ((m->ca.n > 0 ? add_roots(ctx, &m->ca, e) : add_system_roots(ctx, e)) == -1)
		return -1;
	if (m->cert.n > 0 && use_cert(ctx, &m->cert, e) == -1)
		return -1;
	return m->key.n > 0 ? use_key(ctx, &m->key, e) : 0;
}

/* Whoever says nothing keeps the key here no longer than that, nor once nobody waits for the connection. */
static int
await_hand(const struct msg_dial *m, int fd, short events, int asker, struct err *e)
{
	struct pollfd p[] = {{.fd = fd, .events = events}, {.fd = asker, .events = POLLRDHUP}};
	int n;

	while ((n = poll(p, COUNTOF(p), HANDSHAKE_MS)) == -1 && errno == EINTR)
		;
	if (n == 0)
		return err_set(e, ERR_TIMEOUT, "%s does not answer in TLS", m->host);
	return p[1].revents != 0 ? err_set(e, ERR_CANCELLED, "nobody waits for %s", m->host) : 0;
}

static int
shake_hands(SSL *ssl, const struct msg_dial *m, int fd, int asker, struct err *e)
{
	X509_VERIFY_PARAM *verify = SSL_get0_param(ssl);
	int what = SSL_ERROR_WANT_WRITE;
	long why;

	/* An address stands elsewhere in a certificate than a name. */
	if (X509_VERIFY_PARAM_set1_ip_asc(verify, m->host) != 1) {
		ERR_clear_error();
		if (SSL_set1_host(ssl, m->host) != 1 || SSL_set_tlsext_host_name(ssl, m->host) != 1)
			return tls_failed(e, m->host);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (SSL_set_fd(ssl, fd) != 1)
		return tls_failed(e, m->host);
	while (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) {
		short events = what == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;

		if (await_hand(m, fd, events, asker, e) == -1)
			return -1;
		ERR_clear_error();
		what = SSL_get_error(ssl, SSL_connect(ssl));
	}
	if (what == SSL_ERROR_NONE)
		return 0;
	why = SSL_get_verify_result(ssl);
	if (why != X509_V_OK)
		return err_set(e, ERR_AUTH, "the certificate of %s is not accepted: %s", m->host,
		    X509_verify_cert_error_string(why));
	return tls_failed(e, m->host);
}

static SSL *
start_tls(const struct msg_dial *m, int fd, int asker, struct err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;

	if (ctx == NULL)
		tls_failed(e, "TLS");
	else if (prepare_ctx(ctx, m, e) == 0)
		ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (ssl != NULL && shake_hands(ssl, m, fd, asker, e) == -1) {
		SSL_free(ssl);
		ssl = NULL;
	}
	return ssl;
}

/* --- What is carried -----------------------------------------------------------------------------*/

/* What TLS says of a call that did not succeed: whether it goes on, and what it waits for. */
static bool
goes_on(struct carrier *c, int r, short *events)
{
	int what = SSL_get_error(c->ssl, r);
	unsigned long code = ERR_peek_last_error();

	if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) {
		*events = what == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
		return true;
	}
	/* A certificate that is not accepted is told after the handshake. */
	if (what == SSL_ERROR_SSL && ERR_reason_error_string(code) != NULL &&
	    ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
		log_error("the service ends TLS: %s", ERR_reason_error_string(code));
	return false;
}

static bool
waits(const struct lane *l)
{
	return l->at < l->n;
}

/* What came from the service and waits; false where nobody takes it. */
static bool
hand_in(struct carrier *c)
{
	while (waits(&c->in)) {
		ssize_t n = send(c->inner, c->in.waiting + c->in.at, c->in.n - c->in.at,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n == -1)
			return errno == EAGAIN || errno == EINTR;
		c->in.at += (size_t)n;
	}
	return true;
}

/* From the service, where nothing of it waits; false at its end. */
static bool
carry_in(struct carrier *c)
{
	int n;

	ERR_clear_error();
	c->in.wants = POLLIN;
	while (!waits(&c->in)) {
		n = SSL_read(c->ssl, c->in.waiting, sizeof(c->in.waiting));
		if (n <= 0)
			return goes_on(c, n, &c->in.wants);
		c->in.at = 0;
		c->in.n = (size_t)n;
		if (!hand_in(c))
			return false;
		/* What has been decrypted nobody would be told of. */
		if (SSL_pending(c->ssl) == 0)
			break;
	}
	return true;
}

/* What waits to go to the service; false where it can be told nothing more. */
static bool
carry_out(struct carrier *c)
{
	int n;

	ERR_clear_error();
	c->out.wants = 0;
	while (waits(&c->out)) {
		n = SSL_write(c->ssl, c->out.waiting + c->out.at, (int)(c->out.n - c->out.at));
		if (n <= 0)
			return goes_on(c, n, &c->out.wants);
		c->out.at += (size_t)n;
	}
	return true;
}

/* False at the end of what is said to the service. */
static bool
take_out(struct carrier *c)
{
	ssize_t n = read(c->inner, c->out.waiting, sizeof(c->out.waiting));

	if (n == -1)
		return errno == EINTR;
	c->out.at = 0;
	c->out.n = (size_t)n;
	if (n == 0)
		SSL_shutdown(c->ssl);
	return n > 0 && carry_out(c);
}

/* A service that hears no more may have said why: that is read still. */
static void
stop_out(struct carrier *c)
{
	c->out.at = c->out.n = 0;
	(void)shutdown(c->inner, SHUT_RD);
}

/* Until both sides have said all, or whoever asked is gone.  Neither direction waits for the other. */
static void
carry(struct carrier *c, int asker)
{
	bool open = true, more = true;

	SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	while (more) {
		bool out = waits(&c->out), in = waits(&c->in), takes = open && !out;
		struct pollfd p[] = {
		    {.fd = c->tcp, .events = (out ? c->out.wants : 0) | (in ? 0 : c->in.wants)},
		    {.fd = takes || in ? c->inner : -1,
			.events = (takes ? POLLIN : 0) | (in ? POLLOUT : 0)},
		    {.fd = asker, .events = POLLRDHUP}};

		/* A connection that has ended is told of without being asked about. */
		if (p[0].events == 0)
			p[0].fd = -1;
		if (poll(p, COUNTOF(p), -1) == -1)
			continue;
		if ((p[0].revents != 0 && out && !carry_out(c)) ||
		    ((p[1].revents & ~POLLOUT) != 0 && takes && !take_out(c))) {
			open = false;
			stop_out(c);
		}
		more = (p[1].revents == 0 || hand_in(c)) && (p[0].revents == 0 || carry_in(c)) &&
		       p[2].revents == 0;
	}
}

static int
on_dial(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_dial *m = MSG_OF(in, dial);
	own_fd int fd = tcp_connect(m->host, m->port, e);
	struct msg_dial_r r = {.connection = fd};
	struct carrier c = {.tcp = fd, .in.wants = POLLIN};
	int ends[2], sent;

	(void)arg;
	if (fd == -1)
		return -1;
	if (!m->tls)
		return peer_send(p, &msg_dial_r_desc, in->seq, &r, e);
	c.ssl = start_tls(m, fd, peer_fd(p), e);
	if (c.ssl == NULL)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) {
		SSL_free(c.ssl);
		return err_sys(e, "making sockets");
	}
	c.inner = ends[0];
	r.connection = ends[1];
	sent = peer_send(p, &msg_dial_r_desc, in->seq, &r, e);
	close(ends[1]);
	if (sent == 0)
		carry(&c, peer_fd(p));
	SSL_free(c.ssl);
	close(c.inner);
	return sent;
}

static int
on_check(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)arg;
	return tls_check(MSG_OF(in, tls_check)->details, e) == -1 ? -1
								  : peer_send_ok(p, in->seq, e);
}

int
main(int argc, char **argv)
{
	static const struct peer_handler handlers[] = {
	    {&msg_dial_desc, 1, PEER_ONCE, on_dial}, {&msg_tls_check_desc, 1, PEER_ONCE, on_check}};
	const struct worker_face face = {
	    .role = ROLE_DIAL, .starter = ROLE_RUN, .handlers = handlers, .n = COUNTOF(handlers)};

	/* The terminal's are for who started us: with the connection to it we end. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	return worker_main(&face, argc, argv);
}
