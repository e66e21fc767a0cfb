/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-image/fetch/request.h"

#define DELAY_MAX_MS 30000
#define RETRY_AFTER_MAX_S 60

/* Checks, once for each answer, that the body begins where the last one broke off. */
static int
begin_body(struct request *r, struct err *e)
{
	char want[64];

	r->begun = true;
	r->skip = 0;
	if (r->wanted != NULL)
		return r->begin(r->sink_arg, &r->x, e);
	if (r->offset == 0 && r->range == NULL)
		return 0;
	if (r->x.status == 200) {
		r->skip = r->offset;
		return 0;
	}
	snprintf(want, sizeof(want), "bytes %" PRIu64 "-", r->offset);
	if (r->x.content_range == NULL || !text_has_prefix(r->x.content_range, want))
		return err_set(e, ERR_FORMAT, "the registry sent another range than was asked for");
	return 0;
}

static enum http_sink_result
on_body(void *arg, const char *p, size_t n)
{
	struct request *r = arg;
	enum http_sink_result result;
	size_t skip;

	if (!r->begun) {
		curl_easy_getinfo(r->x.easy, CURLINFO_RESPONSE_CODE, &r->x.status);
		if (begin_body(r, &r->failure) < 0)
			return HTTP_SINK_FAIL;
	}
	skip = n < r->skip ? n : (size_t)r->skip;
	if (skip < n) {
		result = r->sink(r->sink_arg, p + skip, n - skip, &r->failure);
		if (result != HTTP_SINK_OK)
			return result;
		if (r->wanted == NULL)
			r->offset += n - skip;
	}
	r->skip -= skip;
	return HTTP_SINK_OK;
}

static ssize_t
on_feed(void *arg, char *p, size_t n)
{
	struct request *r = arg;
	ssize_t got = r->feed(r->feed_arg, p, n);

	r->fed |= got >= 0;
	return got;
}

static void
set_method(struct request *r)
{
	r->x.method = r->method;
	r->x.body_type = r->body_type;
	r->x.send = r->send;
	r->x.sends_nothing = r->sends_nothing;
	r->x.feed = r->feed != NULL ? on_feed : NULL;
	r->x.feed_arg = r;
	r->x.feed_size = r->feed_size;
}

static void
begin(struct request *r)
{
	struct registry *reg = r->reg;

	http_stop(reg->http, &r->x);
	if (r->url == NULL) {
		own_mem char *origin = registry_origin(reg);

		r->url = r->at != NULL ? xstrdup(r->at) : xasprintf("%s%s", origin, r->path);
		r->foreign = r->at != NULL && !http_same_origin(r->at, origin);
	}
	free(r->range);
	r->range = r->offset > 0 ? xasprintf("bytes=%" PRIu64 "-", r->offset) : NULL;
	free(r->bearer);
	r->bearer = NULL;
	r->begun = false;
	r->x.url = r->url;
	r->x.accept = r->accept;
	r->x.range = r->wanted != NULL ? r->wanted : r->range;
	r->x.body_max = r->body_max;
	r->x.own_host = !r->foreign;
	set_method(r);
	if (r->sink != NULL) {
		r->x.sink = on_body;
		r->x.sink_arg = r;
	}
	/* Safe because foreign is set whenever the origin changed: credentials go to the registry.
	 */
	if (!r->foreign && reg->auth == CHALLENGE_BASIC) {
		r->x.username = reg->username;
		r->x.password = reg->password;
	}
	if (!r->foreign && reg->auth == CHALLENGE_BEARER) {
		const char *token = registry_token(reg, r->scope);

		r->x.bearer = r->bearer = token != NULL ? xstrdup(token) : NULL;
	}
	http_start(reg->http, &r->x);
	r->state = REQUEST_RUNNING;
}

/* From the beginning: the registry's own URL again. */
static void
restart(struct request *r)
{
	free(r->url);
	r->url = NULL;
	r->redirects = 0;
	begin(r);
}

void
request_start(struct request *r)
{
	err_clear(&r->failure);
	restart(r);
}

static void
fail(struct request *r)
{
	r->state = REQUEST_DONE;
}

/* "Get", "Head", as Go's errors have it. */
static const char *
go_method(const char *method)
{
	static const char *const words[][2] = {{"HEAD", "Head"}, {"POST", "Post"},
	    {"PATCH", "Patch"}, {"PUT", "Put"}, {"DELETE", "Delete"}};

	for (size_t i = 0; method != NULL && i < COUNTOF(words); i++)
		if (strcmp(words[i][0], method) == 0)
			return words[i][1];
	return "Get";
}

static void
explain(struct request *r)
{
	struct err *e = &r->failure;

	http_explain(&r->x, e);
	if (r->reg->contacted || r->x.status > 0)
		err_wrap(e, "%s \"%.300s\"", go_method(r->method), r->url);
	else
		err_wrap(e, "pinging container registry %s: Get \"%s://%s/v2/\"", r->reg->host,
		    r->reg->plain ? "http" : "https", r->reg->host);
}

/* Tries again later, if there are tries left; otherwise the failure is final. */
static void
wait_or_fail(struct request *r)
{
	const struct registry *reg = r->reg;
	int64_t delay = reg->delay_ms << (r->failures < 16 ? r->failures : 16);

	if (++r->failures >= reg->tries || r->fed) {
		fail(r);
		return;
	}
	if (delay > DELAY_MAX_MS && delay > reg->delay_ms)
		delay = DELAY_MAX_MS > reg->delay_ms ? DELAY_MAX_MS : reg->delay_ms;
	if (r->x.retry_after_s > 0)
		delay = (int64_t)(r->x.retry_after_s < RETRY_AFTER_MAX_S ? r->x.retry_after_s
									 : RETRY_AFTER_MAX_S) *
			1000;
	log_warn("Failed, retrying in %.3gs ... (%u/%u). Error: %s", (double)delay / 1000,
	    r->failures, reg->tries - 1, r->failure.text);
	err_clear(&r->failure);
	r->due_ms = registry_now_ms() + delay;
	r->state = REQUEST_WAITING;
}

/* Others that are under way at the same time may have found it out before, and may have had an answer since. */
static bool
may_be_plain(const struct request *r)
{
	return r->reg->insecure && (r->reg->plain || !r->reg->contacted) && r->at == NULL &&
	       r->redirects == 0 && !r->fed && text_has_prefix(r->url, "https:");
}

static void
no_answer(struct request *r)
{
	struct registry *reg = r->reg;

	if (err_is_set(&r->failure)) { /* the sink's own */
		fail(r);
		return;
	}
	if (may_be_plain(r)) {
		reg->plain = true;
		restart(r);
		return;
	}
	explain(r);
	if (reg->contacted && http_may_pass(&r->x))
		wait_or_fail(r);
	else
		fail(r);
}

static void
redirect(struct request *r)
{
	own_mem char *to = ptr_take(&r->x.redirect), *origin = registry_origin(r->reg);

	if (++r->redirects > REQUEST_REDIRECTS_MAX)
		err_set(
		    &r->failure, ERR_NETWORK, "stopped after %d redirects", REQUEST_REDIRECTS_MAX);
	else if (!http_url_allowed(to, r->reg->insecure))
		err_set(
		    &r->failure, ERR_DENIED, "the registry redirects to a URL that is not https");
	if (err_is_set(&r->failure)) {
		fail(r);
		return;
	}
	if (!http_same_origin(to, origin))
		r->foreign = true;
	free(r->url);
	r->url = ptr_take(&to);
	begin(r);
}

static void
unauthorized(struct request *r)
{
	/* Twice: the first time for want of a token, the second because it had expired. */
	if (r->foreign || r->fed || r->authorized++ >= 2 ||
	    (r->authorized > 1 && r->reg->auth == CHALLENGE_BASIC)) {
		registry_error(&r->x, &r->failure);
		fail(r);
		return;
	}
	if (registry_authorize(r->reg, &r->x.challenges, r->scope, &r->x, &r->failure) < 0)
		fail(r);
	else
		restart(r);
}

static void
answered(struct request *r)
{
	long status = r->x.status;

	r->reg->contacted = true;
	if (r->x.keeps_signatures && !r->foreign)
		r->reg->keeps_signatures = r->reg->pinged = true;
	if (status / 100 == 2 || r->any_answer) {
		r->state = REQUEST_DONE;
	} else if (status / 100 == 3 && r->x.redirect != NULL) {
		redirect(r);
	} else if (status == 401) {
		unauthorized(r);
	} else {
		registry_error(&r->x, &r->failure);
		if (http_may_pass(&r->x))
			wait_or_fail(r);
		else
			fail(r);
	}
}

void
request_step(struct request *r)
{
	if (r->state == REQUEST_WAITING && registry_now_ms() >= r->due_ms)
		restart(r);
	if (r->state != REQUEST_RUNNING || !r->x.done)
		return;
	if (r->x.code != CURLE_OK)
		no_answer(r);
	else
		answered(r);
}

void
request_free(struct request *r)
{
	http_stop(r->reg->http, &r->x);
	free(r->path);
	free(r->at);
	free(r->scope);
	free(r->url);
	free(r->range);
	free(r->bearer);
	r->path = r->at = r->scope = r->url = r->range = r->bearer = NULL;
	r->state = REQUEST_IDLE;
}
