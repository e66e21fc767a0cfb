/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/cmd.h"
#include "pod-run/remote/connections.h"

void
dest_free(struct dest *d)
{
	free(d->uri);
	free(d->identity);
	free(d->tls_ca);
	free(d->tls_cert);
	free(d->tls_key);
	*d = (struct dest){0};
}

/* --- The choice ---------------------------------------------------------------------------------*/

static bool
there(const char *s)
{
	return s != NULL && *s != '\0';
}

static void
set(char **out, const char *s)
{
	if (!there(s))
		return;
	free(*out);
	*out = xstrdup(s);
}

static int
by_name(struct ctx *x, const char *name, struct dest *d, struct err *e)
{
	own_json json_t *file = connections_read(e);
	const struct containers_conf *conf = file != NULL ? ctx_conf(x, e) : NULL;

	return conf == NULL ? -1 : connections_find(file, conf, name, d, e);
}

/* Where Podman's service listens unless it is told otherwise. */
static char *
usual_uri(void)
{
	const char *run = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0 || !there(run))
		return xstrdup("unix:///run/podman/podman.sock");
	return xasprintf("unix://%s/podman/podman.sock", run);
}

/* --remote without more: the default connection, if there is one. */
static int
by_default(struct ctx *x, struct dest *d, struct err *e)
{
	own_json json_t *file = connections_read(e);
	const struct containers_conf *conf = file != NULL ? ctx_conf(x, e) : NULL;
	const char *name = conf != NULL ? connections_default(file, conf) : NULL;

	if (conf == NULL)
		return -1;
	if (name != NULL)
		return connections_find(file, conf, name, d, e);
	d->uri = usual_uri();
	return 0;
}

static const char *
context_given(const struct ctx_globals *g)
{
	return there(g->context) && strcmp(g->context, "default") != 0 ? g->context : NULL;
}

int
dest_said(const struct ctx *x)
{
	const struct ctx_globals *g = x->g;

	if (there(g->url) || there(g->host) || there(g->connection) || context_given(g) != NULL)
		return 1;
	if (cmd_given(x->cli, "remote") || g->remote)
		return g->remote;
	if (there(getenv("CONTAINER_HOST")) || there(getenv("CONTAINER_CONNECTION")))
		return 1;
	return -1;
}

static int
is_asked_for(struct ctx *x, struct err *e)
{
	int said = dest_said(x);
	const struct containers_conf *conf = said == -1 ? ctx_conf(x, e) : NULL;

	if (said != -1)
		return said;
	return conf == NULL ? -1 : conf->engine_remote;
}

static int
find(struct ctx *x, struct dest *d, struct err *e)
{
	const struct ctx_globals *g = x->g;
	const char *context = context_given(g);

	if (there(g->connection))
		return by_name(x, g->connection, d, e);
	if (there(g->url) || there(g->host)) {
		set(&d->uri, there(g->url) ? g->url : g->host);
		return 0;
	}
	if (context != NULL)
		return by_name(x, context, d, e);
	if (there(getenv("CONTAINER_CONNECTION")))
		return by_name(x, getenv("CONTAINER_CONNECTION"), d, e);
	if (there(getenv("CONTAINER_HOST"))) {
		set(&d->uri, getenv("CONTAINER_HOST"));
		set(&d->identity, getenv("CONTAINER_SSHKEY"));
		return 0;
	}
	return by_default(x, d, e);
}

int
dest_choose(struct ctx *x, struct dest *d, struct err *e)
{
	const struct ctx_globals *g = x->g;
	int asked = is_asked_for(x, e);

	if (asked != 1)
		return asked;
	if (there(g->ssh) && strcmp(g->ssh, "native") != 0 && strcmp(g->ssh, "golang") != 0)
		return err_set(
		    e, ERR_USAGE, "--ssh %s: the ways of ssh are golang and native", g->ssh);
	if (find(x, d, e) == -1)
		return -1;
	set(&d->identity, g->identity);
	set(&d->tls_ca, g->tls_ca);
	set(&d->tls_cert, g->tls_cert);
	set(&d->tls_key, g->tls_key);
	d->tls_details = x->tls;
	if ((d->tls_cert != NULL) != (d->tls_key != NULL))
		return err_set(e, ERR_USAGE, "--tls-cert and --tls-key are given together");
	return 1;
}

/* --- URIs ---------------------------------------------------------------------------------------*/

void
dest_uri_free(struct dest_uri *u)
{
	free(u->scheme);
	free(u->user);
	free(u->host);
	free(u->port);
	free(u->path);
	*u = (struct dest_uri){0};
}

/* RFC 3986, section 2.1.  NULL if a % is followed by no two digits, or stands for NUL. */
static char *
decode(const char *s, size_t n)
{
	own_strbuf struct strbuf b = {0};
	uint32_t c;

	for (size_t i = 0; i < n; i++) {
		if (s[i] != '%') {
			strbuf_addc(&b, s[i]);
			continue;
		}
		if (n - i < 3 || text_from_hex(s + i + 1, 2, &c) == -1 || c == 0)
			return NULL;
		strbuf_addc(&b, (char)c);
		i += 2;
	}
	return strbuf_take(&b);
}

static int
bad_uri(const char *text, struct err *e)
{
	return err_set(e, ERR_USAGE, "\"%.300s\" is not a valid url", text);
}

/* [user@]host[:port], where an IPv6 address stands in brackets. */
static int
take_authority(const char *text, const char *s, size_t n, struct dest_uri *u, struct err *e)
{
	const char *at = memchr(s, '@', n), *end = s + n, *colon;
	size_t length;

	if (at != NULL) {
		u->user = decode(s, (size_t)(at - s));
		if (u->user == NULL)
			return bad_uri(text, e);
		if (strchr(u->user, ':') != NULL)
			return err_set(e, ERR_UNSUPPORTED,
			    "a password in the url of a service: not built, ssh asks for it");
		s = at + 1;
	} else {
		u->user = xstrdup("");
	}
	colon = *s == '[' ? memchr(s, ']', (size_t)(end - s)) : s - 1;
	if (colon == NULL || (*s == '[' && colon + 1 != end && colon[1] != ':'))
		return bad_uri(text, e);
	colon = memchr(colon + 1, ':', (size_t)(end - colon - 1));
	length = (size_t)((colon != NULL ? colon : end) - s);
	if (*s == '[') {
		s++;
		length -= 2;
	}
	u->host = decode(s, length);
	u->port = colon != NULL ? xstrndup(colon + 1, (size_t)(end - colon - 1)) : xstrdup("");
	if (u->host == NULL || strspn(u->port, "0123456789") != strlen(u->port))
		return bad_uri(text, e);
	/* What reaches ssh's command line may be no option of it. */
	if (*u->host == '-' || *u->user == '-')
		return bad_uri(text, e);
	return 0;
}

int
dest_uri_parse(const char *text, struct dest_uri *u, struct err *e)
{
	const char *mark = strstr(text, "://"), *rest;
	size_t n;

	if (mark == NULL)
		return bad_uri(text, e);
	u->scheme = xstrndup(text, (size_t)(mark - text));
	rest = mark + 3;
	if (strcmp(u->scheme, "unix") != 0 && strcmp(u->scheme, "tcp") != 0 &&
	    strcmp(u->scheme, "ssh") != 0)
		return err_set(e, ERR_USAGE,
		    "unable to create connection. \"%s\" is not a supported schema", u->scheme);
	/* unix://run/x is /run/x, as Podman has it. */
	n = strcmp(u->scheme, "unix") == 0 ? 0 : strcspn(rest, "/");
	if (n == 0 && strcmp(u->scheme, "unix") != 0)
		return bad_uri(text, e);
	if (take_authority(text, rest, n, u, e) == -1)
		return -1;
	u->path = decode(rest + n, strlen(rest + n));
	if (u->path == NULL)
		return bad_uri(text, e);
	if (strcmp(u->scheme, "unix") == 0 && *u->path != '/') {
		char *whole = xasprintf("/%s", u->path);

		free(u->path);
		u->path = whole;
	}
	if (strcmp(u->scheme, "tcp") == 0 && *u->port == '\0')
		return err_set(e, ERR_USAGE, "tcp URLs should include a port: %.300s", text);
	return 0;
}
