/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/auth.h"
#include "common/oci/base64.h"
#include "common/oci/reference.h"
#include "pod-run/life/image.h"
#include "pod-run/remote/registry.h"

/* RFC 4648, section 5, with padding, of what Podman reads in X-Registry-Auth; registry NULL: any that it asks. */
static char *
header(const struct auth *auth, const char *registry)
{
	own_json json_t *all = json_obj();
	json_t *o = registry != NULL ? json_put_obj(all, registry) : all;
	own_mem char *text = NULL;
	char *out;

	json_put_str(o, "username", auth->username != NULL ? auth->username : "");
	json_put_str(o, "password", auth->password != NULL ? auth->password : "");
	if (auth->identity_token != NULL)
		json_put_str(o, "identitytoken", auth->identity_token);
	text = json_text(all);
	out = base64_encode(text, strlen(text));
	explicit_bzero(text, strlen(text));
	for (char *p = out; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	return out;
}

int
registry_put_auth(struct question *q, const struct args *a, const char *word, struct err *e)
{
	own_auth struct auth auth = {0};
	own_reference struct reference ref = {0};
	own_mem char *key = NULL;
	const char *creds = args_str(a, "creds"), *file = args_str(a, "authfile");
	int got;

	if (image_stat_authfile(auth_named(file), e) == -1)
		return -1;
	word += text_has_prefix(word, "docker://") ? strlen("docker://") : 0;
	/* Which registry a short name means is the service's to say. */
	if (reference_parse(word, &ref, e) == -1)
		err_clear(e);
	if (creds != NULL) {
		if (auth_from_creds(creds, &auth, e) == -1)
			return -1;
		q->auth = header(&auth, ref.domain);
		return 0;
	}
	if (ref.domain == NULL)
		return 0;
	key = xasprintf("%s/%s", ref.domain, ref.path);
	got = auth_find(NULL, file, key, &auth, e);
	if (got == 1)
		q->auth = header(&auth, ref.domain);
	return got == -1 ? -1 : 0;
}

/* --- Push ---------------------------------------------------------------------------------------*/

static int
take_news(void *arg, const json_t *j, struct err *e)
{
	const bool *quiet = arg;
	const char *error = json_string_value(json_object_get(j, "error"));
	const char *stream = json_string_value(json_object_get(j, "stream"));

	if (error != NULL && *error != '\0')
		return err_set(e, ERR_INTERNAL, "%s", error);
	if (stream != NULL && !*quiet) {
		own_mem char *line = xstrndup(stream, strcspn(stream, "\n"));

		remote_print(stderr, "", line);
	}
	return 0;
}

static int
run_push(struct remote *r, const struct args *a, struct err *e)
{
	own_question struct question q = {.method = "POST", .answer = "lines", .item = take_news};
	own_reply struct reply reply = {0};
	bool quiet = args_bool(a, "quiet");
	const char *destination = a->argv[a->argc > 1 ? 1 : 0];

	q.arg = &quiet;
	question_path(&q, "/images/%s/push", a->argv[0]);
	question_put(&q, "destination", destination);
	question_put_bool(&q, "all", true);
	question_put_bool(&q, "quiet", quiet);
	question_put_bool(&q, "removeSignatures", args_bool(a, "remove-signatures"));
	if (args_given(a, "format"))
		question_put(&q, "format", args_str(a, "format"));
	if (args_given(a, "compression-format"))
		question_put(&q, "compressionFormat", args_str(a, "compression-format"));
	if (args_given(a, "tls-verify"))
		question_put_bool(&q, "tlsVerify", args_int(a, "tls-verify") != 0);
	return registry_put_auth(&q, a, destination, e) == -1 ? -1 : remote_ask(r, &q, &reply, e);
}

/* --- Search -------------------------------------------------------------------------------------*/

json_t *
registry_search(struct remote *r, const struct args *a, const char *term, uint64_t limit,
    bool list_tags, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply reply = {0};

	question_path(&q, "/images/search");
	question_put(&q, "term", term);
	question_put_int(&q, "limit", (int64_t)limit);
	if (list_tags)
		question_put_bool(&q, "listTags", true);
	if (args_given(a, "tls-verify"))
		question_put_bool(&q, "tlsVerify", args_int(a, "tls-verify") != 0);
	if (registry_put_auth(&q, a, term, e) == -1 || remote_ask(r, &q, &reply, e) == -1)
		return NULL;
	return json_is_array(reply.document) ? json_incref(reply.document) : json_arr();
}

const struct remote_command remote_registry[] = {
    {"push,image push",
	"authfile,compression-format,creds,format,quiet,remove-signatures,tls-verify", run_push},
    {"search,image search",
	"authfile,compatible,creds,filter,format,limit,list-tags,no-trunc,tls-verify", NULL},
    {0},
};
