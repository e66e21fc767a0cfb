/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/reference.h"
#include "pod-image/certs.h"
#include "pod-image/fetcher.h"
#include "pod-image/task.h"
#include "pod-image/web.h"

void
web_free(struct web *w)
{
	peer_free(w->fetch);
	free(w->path);
}

/* scheme://host[:port][/path][?query][#fragment]; no user, who would be seen by everybody. */
static int
split(const char *url, char **host, char **path, bool *plain, struct err *e)
{
	const char *at;
	size_t n;

	*plain = text_has_prefix(url, "http://");
	if (!*plain && !text_has_prefix(url, "https://"))
		return err_set(e, ERR_INVALID, "%.300s is no URL of http or https", url);
	at = strstr(url, "://") + 3;
	n = strcspn(at, "/?#");
	*host = xstrndup(at, n);
	at += n;
	n = strcspn(at, "#");
	*path = xasprintf("%s%.*s", *at == '/' ? "" : "/", (int)n, at);
	if (strchr(*host, '@') != NULL)
		return err_set(e, ERR_UNSUPPORTED, "a URL with a user cannot be fetched");
	if (!reference_domain_valid(*host))
		return err_set(e, ERR_INVALID, "the URL %.300s names no server", url);
	return 0;
}

int
web_prepare(struct task *t, struct msg_url_get *m, struct err *e)
{
	own_mem char *host = NULL;
	own_certs struct certs certs = {0};
	struct msg_fetch_setup setup = {0};
	bool plain;

	t->web.get = m;
	if (split(m->url, &host, &t->web.path, &plain, e) < 0 ||
	    certs_load(&certs, NULL, host, e) < 0)
		return -1;
	setup.registry = host;
	setup.tls = plain ? "plain" : "verify";
	setup.ca = (struct bytes){(const uint8_t *)certs.ca.s, certs.ca.n};
	t->web.fetch = fetcher_start(NULL, &setup, &t->web.setup_seq, e);
	return t->web.fetch != NULL ? 0 : -1;
}

int
web_run(struct task *t, struct err *e)
{
	struct msg_fetch_url m = {.path = t->web.path, .stream = t->web.get->stream};
	own_peer_in struct peer_in in = {0}, got = {0};
	struct peer *p = t->web.fetch;
	uint32_t seq = peer_next_seq(p);

	if (peer_wait(p, &msg_fetch_setup_desc, t->web.setup_seq, &in, NULL, NULL, e) < 0 ||
	    peer_send(p, &msg_fetch_url_desc, seq, &m, e) < 0)
		return -1;
	/* The reader sees the end when the worker has closed the last copy. */
	fd_close(&t->web.get->stream);
	if (peer_wait(p, &msg_fetch_url_desc, seq, &got, NULL, NULL, e) < 0)
		return err_wrap(e, "downloading %s", t->web.get->url);
	return 0;
}
