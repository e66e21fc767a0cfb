/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/stream.h"
#include "pod-run/remote/archives.h"
#include "pod-run/remote/command.h"
#include "pod-run/remote/copies.h"
#include "pod-run/remote/images.h"

#define TAR "application/x-tar"

int
archives_export(struct remote *r, const char *container, int out, struct err *e)
{
	own_question struct question q = {.answer = "raw", .out = out};
	own_reply struct reply reply = {0};

	question_path(&q, "/containers/%s/export", container);
	return remote_ask(r, &q, &reply, e);
}

/* A directory is sent as an archive. */
static int
save_directory(struct remote *r, struct question *q, int directory, struct err *e)
{
	own_reply struct reply reply = {0};
	own_fd int source = -1, into = -1;
	struct err here = {0};
	uint32_t seq;
	int ends[2], got;

	if (stream_pair(ends, e) == -1)
		return -1;
	source = ends[0];
	q->out = into = ends[1];
	if (remote_send(r, q, &seq, e) == -1)
		return -1;
	fd_close(&into);
	got = copies_take(&source, directory, NULL, true, &here);
	fd_close(&source);
	if (remote_receive(r, q, seq, &reply, e) == -1 && e->class != ERR_CANCELLED)
		return -1;
	*e = here;
	return got;
}

int
archives_save(struct remote *r, const struct archives_save *s, struct err *e)
{
	own_question struct question q = {.answer = "raw", .out = s->output};
	own_reply struct reply reply = {0};

	/* For several, services know no form but one. */
	question_path(&q, s->n == 1 ? "/images/%s/get" : "/images/export", s->names[0]);
	for (size_t i = 0; s->n > 1 && i < s->n; i++)
		question_put(&q, "references", s->names[i]);
	question_put(&q, "format", s->form);
	question_put_bool(&q, "compress", s->compress);
	if (s->uncompressed)
		question_put_bool(&q, "ociAcceptUncompressedLayers", true);
	return s->directory ? save_directory(r, &q, s->output, e) : remote_ask(r, &q, &reply, e);
}

int
archives_load(struct remote *r, int input, struct err *e)
{
	own_question struct question q = {.method = "POST", .type = TAR, .feed = true, .in = input};
	own_reply struct reply reply = {0};
	const json_t *names, *one;
	size_t i;

	question_path(&q, "/images/load");
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	names = json_object_get(reply.document, "Names");
	if (!json_is_array(names))
		return err_set(e, ERR_FORMAT, "the service does not name what it made");
	json_array_foreach (names, i, one)
		remote_print(
		    stdout, "Loaded image: ", json_is_string(one) ? json_string_value(one) : "");
	return 0;
}

int
archives_import(struct remote *r, const struct archives_import *m, struct err *e)
{
	const struct {
		const char *key, *value;
	} words[] = {{"reference", m->name}, {"message", m->message}, {"OS", m->os},
	    {"Architecture", m->arch}, {"Variant", m->variant}, {"url", m->url}};
	own_question struct question q = {.method = "POST"};
	own_reply struct reply reply = {0};
	const char *id;

	question_path(&q, "/images/import");
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (words[i].value != NULL)
			question_put(&q, words[i].key, words[i].value);
	for (size_t i = 0; i < m->change->n; i++)
		question_put(&q, "changes", m->change->v[i]);
	if (m->url == NULL) {
		q.type = TAR;
		q.feed = true;
		q.in = m->input;
	}
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	id = images_plain_id(json_string_value(json_object_get(reply.document, "Id")));
	if (id == NULL)
		return err_set(e, ERR_FORMAT, "the service does not name what it made");
	printf("sha256:%s\n", id);
	return 0;
}

/* --- What was changed ---------------------------------------------------------------------------*/

static int
run_commit(struct remote *r, const struct args *a, struct err *e)
{
	static const struct {
		const char *option, *key;
	} texts[] = {{"author", "author"}, {"format", "format"}, {"message", "comment"}};
	own_question struct question q = {.method = "POST"};
	own_reply struct reply reply = {0};
	const struct strv *changes = args_list(a, "change");
	const char *id, *file = args_str(a, "iidfile");

	question_path(&q, "/commit");
	question_put(&q, "container", a->argv[0]);
	for (size_t i = 0; i < COUNTOF(texts); i++)
		if (args_given(a, texts[i].option))
			question_put(&q, texts[i].key, args_str(a, texts[i].option));
	for (size_t i = 0; i < changes->n; i++)
		question_put(&q, "changes", changes->v[i]);
	question_put_bool(&q, "pause", args_bool(a, "pause"));
	question_put_bool(&q, "squash", args_bool(a, "squash"));
	if ((a->argc > 1 && images_put_name(&q, a->argv[1], e) == -1) ||
	    file_check_place(file, "iidfile", e) == -1 || remote_ask(r, &q, &reply, e) == -1)
		return -1;
	id = images_plain_id(json_string_value(json_object_get(reply.document, "Id")));
	if (id == NULL)
		return err_set(e, ERR_FORMAT, "the service does not name what it made");
	if (file != NULL && *file != '\0' && file_write_place(file, "iidfile", id, e) == -1)
		return -1;
	remote_print(stdout, "", id);
	return 0;
}

const struct remote_command remote_archives[] = {
    {"export,container export", "output", NULL},
    {"save,image save", "compress,format,multi-image-archive,output,quiet,uncompressed", NULL},
    {"load,image load", "input,quiet", NULL},
    {"import,image import", "arch,change,message,os,quiet,variant", NULL},
    {"commit,container commit", "author,change,format,iidfile,message,pause,quiet,squash",
	run_commit},
    {"diff,container diff,image diff", "format,latest", NULL},
    {0},
};
