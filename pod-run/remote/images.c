/* SPDX-License-Identifier: ISC */
/*
 * What a service does with images.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/oci/reference.h"
#include "pod-run/remote/command.h"
#include "pod-run/remote/images.h"
#include "pod-run/remote/registry.h"

#define NS INT64_C(1000000000)
#define ID_MAX 64

/* --- Lists --------------------------------------------------------------------------------------*/

static const char *
text_at(const json_t *o, const char *key, struct arena *a)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? arena_strdup(a, s) : NULL;
}

static uint64_t
count_at(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? (uint64_t)v : 0;
}

const char *
images_plain_id(const char *s)
{
	if (s != NULL && text_has_prefix(s, "sha256:"))
		s += strlen("sha256:");
	return s != NULL && text_is_hex(s, ID_MAX) ? s : NULL;
}

static const char *
id_at(const json_t *o, const char *key, struct arena *a)
{
	const char *s = images_plain_id(json_string_value(json_object_get(o, key)));

	return s != NULL ? arena_strdup(a, s) : NULL;
}

static void
take_labels(const json_t *list, struct rec_image_config *c, struct arena *a)
{
	const char *key;
	json_t *value;

	c->labels.v = arena_array(a, json_object_size(list) + 1, sizeof(*c->labels.v));
	json_object_foreach ((json_t *)(uintptr_t)list, key, value)
		if (json_is_string(value))
			c->labels.v[c->labels.n++] = (struct rec_kv){.key = arena_strdup(a, key),
			    .value = arena_strdup(a, json_string_value(value))};
}

static int
take(const json_t *o, struct rec_image *im, struct arena *a, struct err *e)
{
	json_int_t created = json_integer_value(json_object_get(o, "Created"));

	im->id = id_at(o, "Id", a);
	if (im->id == NULL)
		return err_set(e, ERR_FORMAT, "the service lists an image without an ID");
	im->digest = text_at(o, "Digest", a);
	im->names = remote_texts(o, "Names", a);
	im->repo_digests = remote_texts(o, "RepoDigests", a);
	im->past_names = remote_texts(o, "History", a);
	im->size = count_at(o, "Size");
	im->containers = count_at(o, "Containers");
	im->read_only = json_is_true(json_object_get(o, "ReadOnly"));
	im->created_ns = created > INT64_MIN / NS && created < INT64_MAX / NS ? created * NS : 0;
	if (json_is_true(json_object_get(o, "IsManifestList")))
		im->media_type = "application/vnd.oci.image.index.v1+json";
	im->config = arena_alloc(a, sizeof(*im->config));
	take_labels(json_object_get(o, "Labels"), im->config, a);
	return 0;
}

static int
newest_first(const void *a, const void *b)
{
	int64_t x = ((const struct rec_image *)a)->created_ns,
		y = ((const struct rec_image *)b)->created_ns;

	return x > y ? -1 : x < y;
}

int
images_list(struct remote *r, bool all, const struct strv *filters, const char *reference,
    struct peer_in *in, json_t **told, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply a = {0};
	own_strv struct strv words = {0};
	struct msg_image_listed *m;
	const json_t *one;
	size_t i;

	strv_add_all(&words, (const char *const *)filters->v, filters->n);
	if (reference != NULL)
		strv_addf(&words, "reference=%s", reference);
	question_path(&q, "/images/json");
	question_put_bool(&q, "all", all);
	if (question_put_filters(&q, "filters", &words, e) == -1 || remote_ask(r, &q, &a, e) == -1)
		return -1;
	in->desc = &msg_image_listed_desc;
	in->msg = m = arena_alloc(&in->arena, sizeof(*m));
	m->images.v =
	    arena_array(&in->arena, json_array_size(a.document) + 1, sizeof(*m->images.v));
	*told = json_obj();
	json_array_foreach (a.document, i, one) {
		struct rec_image *im = &m->images.v[m->images.n++];

		if (take(one, im, &in->arena, e) == -1)
			return -1;
		json_put_take(*told, im->id, json_incref((json_t *)(uintptr_t)one));
	}
	qsort(m->images.v, m->images.n, sizeof(*m->images.v), newest_first);
	return 0;
}

/* --- History ------------------------------------------------------------------------------------*/

json_t *
images_history(struct remote *r, const char *word, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply a = {0};

	question_path(&q, "/images/%s/history", word);
	if (remote_ask(r, &q, &a, e) == -1)
		return NULL;
	if (!json_is_array(a.document)) {
		err_set(e, ERR_FORMAT, "the answer of the service is no list");
		return NULL;
	}
	return json_incref(a.document);
}

bool
images_step(
    const json_t *o, struct rec_history *h, struct rec_image *im, uint64_t *size, struct arena *a)
{
	json_int_t created = json_integer_value(json_object_get(o, "Created"));
	char text[HUMAN_MAX];

	if (created > INT64_MIN / NS && created < INT64_MAX / NS)
		h->created =
		    arena_strdup(a, human_rfc3339nano_utc(created * NS, text, sizeof(text)));
	h->created_by = text_at(o, "CreatedBy", a);
	h->comment = text_at(o, "Comment", a);
	*size = count_at(o, "Size");
	im->id = id_at(o, "Id", a);
	im->names = remote_texts(o, "Tags", a);
	return im->id != NULL;
}

/* --- Names --------------------------------------------------------------------------------------*/

int
images_put_name(struct question *q, const char *word, struct err *e)
{
	own_reference struct reference ref = {0};
	own_mem char *repository = NULL;
	const char *slash = strrchr(word, '/');
	const char *colon = strrchr(slash != NULL ? slash : word, ':');

	if (reference_parse(word, &ref, e) == -1)
		return -1;
	if (ref.digest != NULL)
		return err_set(e, ERR_INVALID, "tag by digest not supported: %s", word);
	repository = xstrndup(word, colon != NULL ? (size_t)(colon - word) : strlen(word));
	question_put(q, "repo", repository);
	question_put(q, "tag", colon != NULL ? colon + 1 : "latest");
	return 0;
}

/* "tag" or "untag" of one name. */
static int
name(struct remote *r, const char *image, const char *act, const char *word, struct err *e)
{
	own_question struct question q = {.method = "POST", .answer = "none"};
	own_reply struct reply a = {0};

	question_path(&q, "/images/%s", image);
	question_path(&q, "/%s", act);
	if (word != NULL && images_put_name(&q, word, e) == -1)
		return -1;
	return remote_ask(r, &q, &a, e);
}

static int
run_tag(struct remote *r, const struct args *a, struct err *e)
{
	for (int i = 1; i < a->argc; i++)
		if (name(r, a->argv[0], "tag", a->argv[i], e) == -1)
			return -1;
	return 0;
}

static int
run_untag(struct remote *r, const struct args *a, struct err *e)
{
	if (a->argc == 1)
		return name(r, a->argv[0], "untag", NULL, e);
	for (int i = 1; i < a->argc; i++)
		if (name(r, a->argv[0], "untag", a->argv[i], e) == -1)
			return -1;
	return 0;
}

/* --- Removal ------------------------------------------------------------------------------------*/

static void
print_all(const char *title, const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (json_is_string(one))
			remote_print(stdout, title, json_string_value(one));
}

static int
run_rmi(struct remote *r, const struct args *a, struct err *e)
{
	own_question struct question q = {.method = "DELETE"};
	own_reply struct reply reply = {0};
	bool all = args_bool(a, "all");
	const json_t *errors;

	if (a->argc == 0 && !all)
		return err_set(e, ERR_USAGE, "image name or ID must be specified");
	if (a->argc > 0 && all)
		return err_set(e, ERR_USAGE,
		    "when using the --all switch, you may not pass any images names or IDs");
	question_path(&q, "/images/remove");
	for (int i = 0; i < a->argc; i++)
		question_put(&q, "images", a->argv[i]);
	question_put_bool(&q, "all", all);
	question_put_bool(&q, "force", args_bool(a, "force"));
	question_put_bool(&q, "ignore", args_bool(a, "ignore"));
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	print_all("Untagged: ", json_object_get(reply.document, "Untagged"));
	print_all("Deleted: ", json_object_get(reply.document, "Deleted"));
	errors = json_object_get(reply.document, "Errors");
	for (size_t i = 0; i < json_array_size(errors); i++) {
		const char *text = json_string_value(json_array_get(errors, i));

		err_set(e, ERR_INTERNAL, "%s", text != NULL ? text : "");
		err_print(e, stderr);
	}
	return (int)(json_integer_value(json_object_get(reply.document, "ExitCode")) & 0xff);
}

/* --- Pull ---------------------------------------------------------------------------------------*/

struct pulled {
	bool quiet;
	struct strv ids;
};

static int
take_news(void *arg, const json_t *j, struct err *e)
{
	struct pulled *p = arg;
	const char *error = json_string_value(json_object_get(j, "error"));
	const char *stream = json_string_value(json_object_get(j, "stream"));
	const json_t *list = json_object_get(j, "images"), *one;
	size_t i;

	if (error != NULL && *error != '\0')
		return err_set(e, ERR_INTERNAL, "%s", error);
	if (stream != NULL && !p->quiet) {
		own_mem char *line = xstrndup(stream, strcspn(stream, "\n"));

		remote_print(stderr, "", line);
	}
	json_array_foreach (list, i, one)
		if (json_is_string(one))
			strv_add(&p->ids, json_string_value(one));
	return 0;
}

int
images_exists(struct remote *r, const char *word, struct err *e)
{
	own_question struct question q = {.answer = "none"};
	own_reply struct reply a = {0};

	question_path(&q, "/images/%s/exists", word);
	return remote_ask(r, &q, &a, e);
}

static int
pull(struct remote *r, const struct args *a, struct question *q, struct pulled *p, const char *word,
    struct err *e)
{
	own_reply struct reply reply = {0};

	p->quiet = args_bool(a, "quiet");
	q->method = "POST";
	q->answer = "lines";
	q->item = take_news;
	q->arg = p;
	question_path(q, "/images/pull");
	question_put(q, "reference", word);
	question_put_bool(q, "quiet", p->quiet);
	if (registry_put_auth(q, a, word, e) == -1)
		return -1;
	if (args_given(a, "tls-verify"))
		question_put_bool(q, "tlsVerify", args_int(a, "tls-verify") != 0);
	if (remote_ask(r, q, &reply, e) == -1)
		return -1;
	return p->ids.n > 0 ? 0 : err_set(e, ERR_INTERNAL, "the service has not pulled %s", word);
}

int
images_pull(
    struct remote *r, const struct args *a, struct question *q, const char *word, struct err *e)
{
	struct pulled p = {0};
	int got = pull(r, a, q, &p, word, e);

	strv_free(&p.ids);
	return got;
}

static int
pull_one(struct remote *r, const struct args *a, const char *word, struct err *e)
{
	static const struct {
		const char *option, *key;
	} texts[] = {{"arch", "Arch"}, {"os", "OS"}, {"variant", "Variant"}, {"policy", "policy"}};
	own_question struct question q = {0};
	struct pulled p = {0};
	int got;

	question_put_bool(&q, "allTags", args_bool(a, "all-tags"));
	for (size_t i = 0; i < COUNTOF(texts); i++)
		if (args_given(a, texts[i].option))
			question_put(&q, texts[i].key, args_str(a, texts[i].option));
	got = pull(r, a, &q, &p, word, e);
	for (size_t i = 0; got == 0 && i < p.ids.n; i++)
		remote_print(stdout, "", p.ids.v[i]);
	strv_free(&p.ids);
	return got;
}

static int
run_pull(struct remote *r, const struct args *a, struct err *e)
{
	struct err last = {0};

	for (int i = 0; i < a->argc; i++) {
		if (pull_one(r, a, a->argv[i], e) == 0)
			continue;
		if (err_is_set(&last))
			err_print(&last, stderr);
		last = *e;
		err_clear(e);
	}
	*e = last;
	return err_is_set(e) ? -1 : 0;
}

const struct remote_command remote_images[] = {
    {"images,image list,image ls",
	"all,digests,filter,format,history,no-trunc,noheading,quiet,sort", NULL},
    {"history,image history", "format,human,no-trunc,quiet", NULL},
    {"image inspect,network inspect", "format", NULL},
    {"tag,image tag", "", run_tag},
    {"untag,image untag", "", run_untag},
    {"rmi,image rm", "all,force,ignore", run_rmi},
    {"pull,image pull", "all-tags,arch,authfile,creds,os,policy,quiet,tls-verify,variant",
	run_pull},
    {0},
};
