/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/auth.h"
#include "pod-image/task.h"

#define KEEP_MAX 160 /* workers of registries, and of the signatures for each of their names */

static void
wipe(const char *s)
{
	if (s != NULL)
		explicit_bzero((char *)(uintptr_t)s, strlen(s));
}

/* --- Pull ------------------------------------------------------------------------------------- */

static int
prepare_registry(
    struct task *t, const char *text, bool normal, const struct msg_image_pull *m, struct err *e)
{
	t->pull = (struct pull){.plan = &t->plan,
	    .store = t->store,
	    .report = t->report,
	    .platform = {m->os, m->architecture, m->variant},
	    .all_tags = m->all_tags,
	    .newer = m->newer};
	return plan_pull(&t->plan, text, normal, m->access, e);
}

int
task_prepare_pull(struct task *t, struct msg_image_pull *m, struct err *e)
{
	const char *rest = m->reference;
	const char *transport = reference_transport(m->reference, &rest);
	int r;

	if (t->store == NULL && m->store > 0)
		t->store = peer_new(fd_take(&m->store), ROLE_IMAGE, ROLE_STORE);
	if (transport == NULL || strcmp(transport, "docker") == 0) {
		r = prepare_registry(t, rest, transport != NULL, m, e);
	} else {
		t->from_archive = true;
		t->load = (struct load){.store = t->store,
		    .report = t->report,
		    .graph_root = t->graph_root,
		    .platform = {m->os, m->architecture, m->variant},
		    .policy_file = m->access != NULL ? m->access->policy_file : NULL};
		r = load_prepare_path(&t->load, transport, rest, e);
	}
	if (m->access != NULL)
		wipe(m->access->creds);
	return r;
}

int
task_run_pull(struct task *t, struct err *e)
{
	if (t->from_archive)
		return load_run(&t->load, &t->ids, &t->names, e);
	return pull_run(&t->pull, &t->ids, &t->names, e);
}

/* --- Load ------------------------------------------------------------------------------------- */

int
task_prepare_load(struct task *t, struct msg_image_load *m, struct err *e)
{
	if (t->store == NULL)
		t->store = peer_new(fd_take(&m->store), ROLE_IMAGE, ROLE_STORE);
	t->load = (struct load){.store = t->store,
	    .report = t->report,
	    .graph_root = t->graph_root,
	    .form = m->form,
	    .reference = m->reference,
	    .name = m->name,
	    .policy_file = m->access != NULL ? m->access->policy_file : NULL};
	return load_prepare_fd(&t->load, fd_take(&m->input), e);
}

int
task_run_load(struct task *t, struct err *e)
{
	return load_run(&t->load, &t->ids, &t->names, e);
}

/* --- Save ------------------------------------------------------------------------------------- */

int
task_prepare_save(struct task *t, struct msg_image_save *m, struct err *e)
{
	if (t->store == NULL)
		t->store = peer_new(fd_take(&m->store), ROLE_IMAGE, ROLE_STORE);
	t->save = (struct save){.store = t->store,
	    .report = t->report,
	    .graph_root = t->graph_root,
	    .form = m->form,
	    .compress = m->compress,
	    .images = m->images,
	    .names = m->names.v,
	    .nnames = m->names.n};
	return save_prepare(&t->save, fd_take(&m->output), e);
}

int
task_run_save(struct task *t, struct err *e)
{
	return save_run(&t->save, e);
}

/* --- Login ------------------------------------------------------------------------------------ */

int
task_prepare_login(struct task *t, struct msg_registry_login *m, struct err *e)
{
	int r = plan_login(&t->plan, m->registry, m->username, m->password, m->access, e);

	wipe(m->password);
	return r;
}

int
task_run_login(struct task *t, struct err *e)
{
	struct peer *fetch = plan_worker_peer(&t->plan, 0, e);
	struct msg_fetch_login m = {0};
	own_peer_in struct peer_in in = {0};

	if (fetch == NULL)
		return -1;
	if (peer_call(fetch, &msg_fetch_login_desc, &m, &in, NULL, NULL, e) == 0)
		return 0;
	if (e->class == ERR_AUTH || e->class == ERR_DENIED) {
		err_set(e, ERR_AUTH, "invalid username/password");
		return err_wrap(e, "logging into \"%s\"", t->plan.workers[0].registry);
	}
	return err_wrap(e, "authenticating creds for \"%s\"", t->plan.workers[0].registry);
}

/* --- Both halves ------------------------------------------------------------------------------ */

static int
compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int
task_confine(struct task *t, struct err *e)
{
	int keep[KEEP_MAX];
	size_t n = 0;

	if (t->report.run != NULL)
		keep[n++] = peer_fd(t->report.run);
	if (t->store != NULL)
		keep[n++] = peer_fd(t->store);
	for (size_t i = 0; i < t->plan.nworkers; i++)
		keep[n++] = peer_fd(t->plan.workers[i].peer);
	for (size_t i = 0; i < t->plan.nsources; i++)
		n += trust_fds(&t->plan.sources[i].trust, keep + n, KEEP_MAX - 16 - n);
	if (t->control_fd > 0)
		keep[n++] = t->control_fd;
	n += load_fds(&t->load, keep + n);
	n += save_fds(&t->save, keep + n);
	qsort(keep, n, sizeof(*keep), compare_ints);
	return role_enter(ROLE_IMAGE, keep, n, e);
}

void
task_free(struct task *t)
{
	plan_free(&t->plan);
	load_free(&t->load);
	save_free(&t->save);
	strv_free(&t->ids);
	strv_free(&t->names);
	peer_free(t->store);
}
