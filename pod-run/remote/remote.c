/* SPDX-License-Identifier: ISC */
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/role/spawn.h"
#include "common/wire/document.h"
#include "pod-run/remote/dial.h"
#include "pod-run/remote/remote.h"

/* The oldest that services of today still speak. */
#define API "4.0.0"
#define API_MAJOR 4
#define PING_MS 60000

struct remote *
remote_new(struct ctx *x, struct dest *d)
{
	struct remote *r = xcalloc(1, sizeof(*r));

	r->x = x;
	r->dest = *d;
	*d = (struct dest){0};
	return r;
}

void
remote_free(struct remote *r)
{
	if (r == NULL)
		return;
	peer_free(r->worker_);
	peer_free(r->dial_);
	dest_free(&r->dest);
	free(r->api);
	free(r->name);
	free(r);
}

static char *
copy(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

struct remote *
remote_again(const struct remote *r)
{
	struct dest d = {.uri = xstrdup(r->dest.uri),
	    .identity = copy(r->dest.identity),
	    .tls_ca = copy(r->dest.tls_ca),
	    .tls_cert = copy(r->dest.tls_cert),
	    .tls_key = copy(r->dest.tls_key),
	    .tls_details = r->dest.tls_details};
	struct remote *again = remote_new(r->x, &d);

	again->api = copy(r->api);
	again->attended = r->attended;
	return again;
}

/* --- Questions ----------------------------------------------------------------------------------*/

void
question_free(struct question *q)
{
	strbuf_free(&q->path);
	strbuf_free(&q->query);
	if (q->auth != NULL)
		explicit_bzero(q->auth, strlen(q->auth));
	free(q->auth);
}

/* RFC 3986, section 2.3; also what else may stand as it is. */
static void
add_escaped(struct strbuf *b, const char *s, const char *also)
{
	for (; *s != '\0'; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			     (*s >= '0' && *s <= '9') || strchr("-._~", *s) != NULL ||
			     strchr(also, *s) != NULL;

		if (plain)
			strbuf_addc(b, *s);
		else
			strbuf_addf(b, "%%%02X", (unsigned char)*s);
	}
}

void
question_path(struct question *q, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	for (const char *s = format; *s != '\0'; s++) {
		if (text_has_prefix(s, "%s")) {
			add_escaped(&q->path, va_arg(ap, const char *), ":@");
			s++;
		} else {
			strbuf_addc(&q->path, *s);
		}
	}
	va_end(ap);
}

void
question_put(struct question *q, const char *key, const char *value)
{
	strbuf_addf(&q->query, "%s%s=", q->query.n > 0 ? "&" : "?", key);
	add_escaped(&q->query, value, "");
}

void
question_put_bool(struct question *q, const char *key, bool value)
{
	question_put(q, key, value ? "true" : "false");
}

void
question_put_int(struct question *q, const char *key, int64_t value)
{
	own_mem char *text = xasprintf("%lld", (long long)value);

	question_put(q, key, text);
}

int
question_put_filters(struct question *q, const char *key, const struct strv *filters, struct err *e)
{
	own_json json_t *o = json_obj();
	own_mem char *text = NULL;

	if (filters->n == 0)
		return 0;
	for (size_t i = 0; i < filters->n; i++) {
		const char *eq = strchr(filters->v[i], '=');
		own_mem char *name = NULL;
		json_t *list;

		if (eq == NULL)
			return err_set(e, ERR_USAGE, "invalid filter \"%s\": it must be KEY=VALUE",
			    filters->v[i]);
		/* "label!=x" is the key "label!". */
		name = xstrndup(filters->v[i], (size_t)(eq - filters->v[i]));
		list = json_object_get(o, name);
		if (list == NULL)
			list = json_put_arr(o, name);
		json_add_str(list, eq + 1);
	}
	text = json_text(o);
	question_put(q, key, text);
	return 0;
}

/* --- The connection -----------------------------------------------------------------------------*/

static int
not_reached(const struct remote *r, struct err *e)
{
	return err_wrap(e, "unable to connect to Podman socket %s", r->dest.uri);
}

/* A connection is made if there is none. */
static int
tell(struct remote *r, struct msg_remote_ask *m, uint32_t *seq, struct err *e)
{
	own_fd int fd = -1;

	if (r->worker_ == NULL)
		r->worker_ = spawn_peer(ROLE_RUN, ROLE_REMOTE, NULL, e);
	if (r->worker_ == NULL)
		return -1;
	if (!r->connected_) {
		peer_free(r->dial_);
		r->dial_ = NULL;
		fd = dial(&r->dest, r->attended, &r->dial_, e);
		if (fd == -1)
			return not_reached(r, e);
		m->connection = fd;
	}
	r->connected_ = false;
	*seq = peer_next_seq(r->worker_);
	return peer_send(r->worker_, &msg_remote_ask_desc, *seq, m, e);
}

/* Is there a service of Podman, and does it speak what we do? */
static int
ping(struct remote *r, struct err *e)
{
	struct msg_remote_ask m = {.method = "GET",
	    .target = "/_ping",
	    .host = "d",
	    .answer = "none",
	    .patience_ms = PING_MS};
	own_peer_in struct peer_in in = {0};
	const struct msg_remote_r *a;
	uint32_t seq;

	if (r->api != NULL)
		return 0;
	if (tell(r, &m, &seq, e) == -1 ||
	    peer_wait(r->worker_, &msg_remote_ask_desc, seq, &in, NULL, NULL, e) == -1)
		return text_has_prefix(e->text, "unable to connect") ? -1 : not_reached(r, e);
	a = MSG_OF(&in, remote_r);
	r->connected_ = a->again;
	if (a->status != 200 || a->api == NULL) {
		err_set(e, ERR_UNSUPPORTED, "ping response was %d, and no service of Podman's",
		    (int)a->status);
		return not_reached(r, e);
	}
	if (strtol(a->api, NULL, 10) < API_MAJOR)
		return err_set(e, ERR_UNSUPPORTED,
		    "server API version is too old. Client \"" API "\" server \"%s\"", a->api);
	r->api = xstrdup(a->api);
	return 0;
}

int
remote_is_since(struct remote *r, int major, int minor, struct err *e)
{
	char *rest;
	long its_major, its_minor;

	if (ping(r, e) == -1)
		return -1;
	its_major = strtol(r->api, &rest, 10);
	its_minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
	if (its_major > major || (its_major == major && its_minor >= minor))
		return 0;
	return err_set(
	    e, ERR_UNSUPPORTED, "the service is of version %s, which does not know it", r->api);
}

/* --- Answers ------------------------------------------------------------------------------------*/

struct strs
remote_texts(const json_t *o, const char *key, struct arena *a)
{
	const json_t *list = json_object_get(o, key), *one;
	struct strs out = {.v = arena_array(a, json_array_size(list) + 1, sizeof(*out.v))};
	size_t i;

	json_array_foreach (list, i, one)
		if (json_is_string(one))
			out.v[out.n++] = arena_strdup(a, json_string_value(one));
	return out;
}

void
remote_put_strs(json_t *o, const char *key, const struct strs *l)
{
	json_t *list = l->n > 0 ? json_put_arr(o, key) : NULL;

	for (size_t i = 0; i < l->n; i++)
		json_add_str(list, l->v[i]);
}

void
remote_print(FILE *to, const char *title, const char *s)
{
	size_t size = strlen(s) * 4 + 1; /* \xHH */
	own_mem char *safe = xmalloc(size);

	text_escape(s, safe, size);
	fprintf(to, "%s%s\n", title, safe);
}

void
reply_free(struct reply *a)
{
	json_decref(a->document);
	*a = (struct reply){0};
}

/* What handlers of the service say of objects, in all versions. */
static enum err_class
refusal_class(const struct msg_remote_r *a)
{
	switch (a->status) {
	case 404:
		return ERR_NOTFOUND;
	case 409:
		return ERR_STATE;
	case 400:
		return ERR_USAGE;
	case 401:
	case 403:
		return ERR_AUTH;
	default:
		return ERR_INTERNAL;
	}
}

static int
refused(const struct msg_remote_r *a, struct err *e)
{
	/* What libpod ends such errors with. */
	if (a->message != NULL && strstr(a->message, "command that was not found") != NULL)
		return err_set(e, ERR_NOCOMMAND, "%s", a->message);
	if (a->message != NULL && strstr(a->message, "OCI permission denied") != NULL)
		return err_set(e, ERR_NOTEXEC, "%s", a->message);
	if (a->message != NULL)
		return err_set(e, refusal_class(a), "%s", a->message);
	return err_set(
	    e, refusal_class(a), "the service answered with HTTP status %d", (int)a->status);
}

static int
on_event(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct question *q = arg;
	own_json json_t *j = NULL;
	const char *why;

	(void)p;
	if (PEER_IS(in, remote_opened))
		return q->opened != NULL ? q->opened(q->arg, e) : 0;
	if (!PEER_IS(in, remote_item) || q->item == NULL)
		return err_set(e, ERR_PEER, "an unexpected message of a worker");
	j = document_unpack(&MSG_OF(in, remote_item)->document, e);
	if (j == NULL)
		return -1;
	/* A refusal that comes too late for a status of HTTP. */
	why = json_string_value(json_object_get(j, "message"));
	if (why != NULL && json_is_integer(json_object_get(j, "response")))
		return err_set(e, ERR_INTERNAL, "%s", why);
	return q->item(q->arg, j, e);
}

int
remote_send(struct remote *r, const struct question *q, uint32_t *seq, struct err *e)
{
	own_mem char *target = NULL, *body = q->body != NULL ? json_text(q->body) : NULL;
	struct msg_remote_ask m = {.method = q->method != NULL ? q->method : "GET",
	    .host = "d",
	    .answer = q->answer != NULL ? q->answer : "document",
	    .type = body != NULL ? "application/json" : q->type,
	    .auth = q->auth,
	    .feed = q->feed,
	    .tty = q->tty,
	    .patience_ms = (uint64_t)q->patience_ms,
	    .detach_keys = q->detach_keys,
	    .in = q->in,
	    .out = q->out,
	    .err = q->err};

	if (ping(r, e) == -1)
		return -1;
	m.target = target = xasprintf("/v" API "/libpod%s%s", q->path.s != NULL ? q->path.s : "",
	    q->query.s != NULL ? q->query.s : "");
	if (body != NULL)
		m.body = (struct bytes){(const uint8_t *)body, strlen(body)};
	return wire_check_text(&msg_remote_ask_desc, &m, e) == -1 ? -1 : tell(r, &m, seq, e);
}

/* As peer_wait, and signals are heeded meanwhile. */
static int
wait_with_signals(
    struct remote *r, const struct question *q, uint32_t seq, struct peer_in *in, struct err *e)
{
	for (;;) {
		struct pollfd p[] = {{.fd = peer_fd(r->worker_), .events = POLLIN},
		    {.fd = q->signals, .events = POLLIN}};
		int got = peer_recv(r->worker_, in, 0, e);

		if (got == PEER_NONE) {
			if (poll(p, COUNTOF(p), -1) > 0 && p[1].revents != 0 &&
			    q->signalled(q->arg, e) == -1)
				return -1;
			continue;
		}
		if (got == 0)
			return err_set(e, ERR_PEER, "the worker of the service has gone");
		if (got == -1)
			return -1;
		if (PEER_IS(in, error))
			return peer_error(MSG_OF(in, error), e);
		if (in->seq == seq && PEER_IS(in, remote_r))
			return 0;
		if (on_event(r->worker_, in, (void *)(uintptr_t)q, e) == -1)
			return -1;
		peer_in_free(in);
	}
}

int
remote_receive(
    struct remote *r, const struct question *q, uint32_t seq, struct reply *a, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct msg_remote_r *got;
	int done = q->signals > 0 ? wait_with_signals(r, q, seq, &in, e)
				  : peer_wait(r->worker_, &msg_remote_ask_desc, seq, &in, on_event,
					(void *)(uintptr_t)q, e);

	if (done == -1)
		return -1;
	got = MSG_OF(&in, remote_r);
	r->connected_ = got->again;
	a->status = (int)got->status;
	a->detached = got->detached;
	/* A path that is sent elsewhere is none of the service's. */
	if (got->status >= 400 || (got->status >= 300 && got->status != 304))
		return refused(got, e);
	if (got->document.n > 0 && (a->document = document_unpack(&got->document, e)) == NULL)
		return -1;
	return 0;
}

int
remote_ask(struct remote *r, const struct question *q, struct reply *a, struct err *e)
{
	uint32_t seq;

	return remote_send(r, q, &seq, e) == -1 ? -1 : remote_receive(r, q, seq, a, e);
}
