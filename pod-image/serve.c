/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-image/fetcher.h"
#include "pod-image/serve.h"
#include "pod-image/task.h"

static int
prepare_pull(struct task *t, void *m, struct err *e)
{
	return task_prepare_pull(t, m, e);
}

static int
prepare_load(struct task *t, void *m, struct err *e)
{
	return task_prepare_load(t, m, e);
}

static int
prepare_save(struct task *t, void *m, struct err *e)
{
	return task_prepare_save(t, m, e);
}

static int
prepare_copy(struct task *t, void *m, struct err *e)
{
	return task_prepare_copy(t, m, e);
}

static int
prepare_login(struct task *t, void *m, struct err *e)
{
	return task_prepare_login(t, m, e);
}

static int
prepare_sign(struct task *t, void *m, struct err *e)
{
	return task_prepare_sign(t, m, e);
}

static int
prepare_search(struct task *t, void *m, struct err *e)
{
	return task_prepare_search(t, m, e);
}

static int
prepare_list_edit(struct task *t, void *m, struct err *e)
{
	return list_prepare_edit(t, m, e);
}

static int
prepare_list_show(struct task *t, void *m, struct err *e)
{
	return list_prepare_show(t, m, e);
}

static int
prepare_artifact_edit(struct task *t, void *m, struct err *e)
{
	return artifact_prepare_edit(t, m, e);
}

static int
prepare_artifact_look(struct task *t, void *m, struct err *e)
{
	return artifact_prepare_look(t, m, e);
}

static int
prepare_artifact_extract(struct task *t, void *m, struct err *e)
{
	return artifact_prepare_extract(t, m, e);
}

static int
prepare_web(struct task *t, void *m, struct err *e)
{
	return web_prepare(t, m, e);
}

static int
answer_search(struct task *t, struct err *e)
{
	struct msg_image_search_r m = {0};

	m.results.v = t->search.results;
	m.results.n = t->search.n;
	return peer_send(t->report.run, &msg_image_search_r_desc, t->report.seq, &m, e);
}

static int
answer_images(struct task *t, struct err *e)
{
	struct msg_image_pull_r m = {
	    .ids = {(const char **)t->ids.v, t->ids.n},
	    .names = {(const char **)t->names.v, t->names.n},
	    .alias = t->plan.alias.key != NULL ? &t->plan.alias : NULL,
	};

	return peer_send(t->report.run, &msg_image_pull_r_desc, t->report.seq, &m, e);
}

static int
answer_copy(struct task *t, struct err *e)
{
	struct msg_image_copy_r m = {.digest = t->transfer.digest,
	    .media_type = t->transfer.media_type,
	    .size = t->transfer.size};

	return peer_send(t->report.run, &msg_image_copy_r_desc, t->report.seq, &m, e);
}

static int
answer_list(struct task *t, struct err *e)
{
	struct msg_list_edit_r m = {
	    .id = t->list.id, .digest = t->list.digest[0] != '\0' ? t->list.digest : NULL};

	return peer_send(t->report.run, &msg_list_edit_r_desc, t->report.seq, &m, e);
}

static int
answer_shown(struct task *t, struct err *e)
{
	const struct strbuf *b = &t->list.text;
	struct msg_list_shown m = {
	    .text = {(const uint8_t *)(b->s != NULL ? b->s : ""), b->n}, .single = t->list.single};

	return peer_send(t->report.run, &msg_list_shown_desc, t->report.seq, &m, e);
}

static int
answer_artifacts(struct task *t, struct err *e)
{
	const struct strv *l = &t->artifact.digests;
	struct msg_artifact_edit_r m = {.digests = {(const char **)l->v, l->n}};

	return peer_send(t->report.run, &msg_artifact_edit_r_desc, t->report.seq, &m, e);
}

static int
answer_look(struct task *t, struct err *e)
{
	const struct artifact_job *j = &t->artifact;
	struct msg_artifact_look_r m = {.artifacts = {j->found, j->n},
	    .text = {(const uint8_t *)(j->text.s != NULL ? j->text.s : ""), j->text.n}};

	return peer_send(t->report.run, &msg_artifact_look_r_desc, t->report.seq, &m, e);
}

static int
answer_ok(struct task *t, struct err *e)
{
	return peer_send_ok(t->report.run, t->report.seq, e);
}

static const struct request {
	const struct wire_desc *desc;
	int (*prepare)(struct task *t, void *m, struct err *e);
	int (*run)(struct task *t, struct err *e);
	int (*answer)(struct task *t, struct err *e);
} requests[] = {
    {&msg_image_pull_desc, prepare_pull, task_run_pull, answer_images},
    {&msg_image_load_desc, prepare_load, task_run_load, answer_images},
    {&msg_image_save_desc, prepare_save, task_run_save, answer_ok},
    {&msg_image_copy_desc, prepare_copy, task_run_copy, answer_copy},
    {&msg_list_edit_desc, prepare_list_edit, list_run_edit, answer_list},
    {&msg_list_show_desc, prepare_list_show, list_run_show, answer_shown},
    {&msg_artifact_edit_desc, prepare_artifact_edit, artifact_run_edit, answer_artifacts},
    {&msg_artifact_look_desc, prepare_artifact_look, artifact_run_look, answer_look},
    {&msg_artifact_extract_desc, prepare_artifact_extract, artifact_run_extract, answer_ok},
    {&msg_url_get_desc, prepare_web, web_run, answer_ok},
    {&msg_image_sign_desc, prepare_sign, task_run_sign, answer_ok},
    {&msg_image_search_desc, prepare_search, task_run_search, answer_search},
    {&msg_registry_login_desc, prepare_login, task_run_login, answer_ok},
};

static const struct request *
find_request(const struct peer_in *in, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(requests); i++) {
		if (requests[i].desc == in->desc)
			return &requests[i];
	}
	err_set(e, ERR_PEER, "%s is not served here", in->desc->name);
	return NULL;
}

static void
take_hello(const struct msg_hello *m, struct task *t)
{
	enum log_level level;
	struct err ignored = {0};

	if (m->log_level != NULL && log_level_parse(m->log_level, &level, &ignored) == 0)
		log_set_level(level);
	if (m->graph_root != NULL)
		t->graph_root = xstrdup(m->graph_root); /* for the life of this process */
	if (m->tls != NULL)
		fetcher_limit(m->tls);
	for (size_t i = 0; i < m->options.n; i++) {
		uint64_t n;

		if (strcmp(m->options.v[i].key, "parallel_copies") == 0 &&
		    text_to_u64(m->options.v[i].value, UINT32_MAX, &n) == 0)
			t->parallel = n;
		/* The caller's own TMPDIR wins. */
		if (strcmp(m->options.v[i].key, "copy_tmp_dir") == 0)
			(void)setenv("TMPDIR", m->options.v[i].value, 0);
	}
}

/* The request proper; 0 if there was none before the connection ended. */
static int
next_request(struct peer *run, struct task *t, struct peer_in *in, struct err *e)
{
	for (;;) {
		int r = peer_recv(run, in, -1, e);

		if (r != 1)
			return r;
		if (!PEER_IS(in, hello))
			return 1;
		take_hello(MSG_OF(in, hello), t);
		peer_in_free(in);
	}
}

static int
carry_out(const struct request *q, struct task *t, struct peer_in *in, struct err *e)
{
	if (q->prepare(t, in->msg, e) < 0 || task_confine(t, e) < 0)
		return -1;
	return q->run(t, e);
}

int
serve(struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct task t = {0};
	struct peer *run = peer_new(PEER_FD, ROLE_IMAGE, ROLE_RUN);
	const struct request *q;
	int r = next_request(run, &t, &in, e);

	if (r != 1)
		return r;
	t.report = (struct report){.run = run, .seq = in.seq};
	q = find_request(&in, e);
	if (q == NULL)
		return -1;
	if (carry_out(q, &t, &in, e) < 0) {
		struct err failure = *e;

		err_clear(e);
		return peer_send_error(run, in.seq, &failure, e);
	}
	r = q->answer(&t, e);
	task_free(&t);
	return r;
}
