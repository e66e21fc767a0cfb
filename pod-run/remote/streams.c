/* SPDX-License-Identifier: ISC */
/*
 * What somebody stands before while it runs: run, create, exec, events.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-run/life/session.h"
#include "pod-run/remote/create.h"

/* Ours, as descriptors that can be handed over; the worker's own have other numbers. */
struct streams {
	int in, out, err;
};

static void
streams_close(struct streams *s)
{
	fd_close(&s->in);
	fd_close(&s->out);
	fd_close(&s->err);
}

static int
streams_open(struct streams *s, bool input, struct question *q, struct err *e)
{
	s->in = input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
	s->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	s->err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if ((input && s->in == -1) || s->out == -1 || s->err == -1)
		return err_sys(e, "duplicating descriptors");
	q->in = s->in > 0 ? s->in : 0;
	q->out = s->out;
	q->err = s->err;
	return 0;
}

/* --- run ----------------------------------------------------------------------------------------*/

/* A container that we stand before. */
struct watched {
	struct remote *r;     /* carries its streams */
	struct remote *other; /* starts it, and waits for its end */
	struct remote *third; /* passes signals on */
	const char *id;
	struct question wait;
	uint32_t wait_seq; /* 0: it has not been started */
	int signals;
};

static void
watched_free(struct watched *w)
{
	remote_free(w->other);
	remote_free(w->third);
	question_free(&w->wait);
	fd_close(&w->signals);
}

static int
start(struct remote *r, const char *id, struct err *e)
{
	own_question struct question q = {.method = "POST", .answer = "none"};
	own_reply struct reply a = {0};

	question_path(&q, "/containers/%s/start", id);
	return remote_ask(r, &q, &a, e);
}

/* Its end is waited for from the beginning: with --rm nobody knows of it later. */
static int
on_opened(void *arg, struct err *e)
{
	struct watched *w = arg;

	w->other = remote_again(w->r);
	if (start(w->other, w->id, e) == -1)
		return -1;
	w->wait.method = "POST";
	question_path(&w->wait, "/containers/%s/wait", w->id);
	return remote_send(w->other, &w->wait, &w->wait_seq, e);
}

/* One that has ended meanwhile gets none. */
static int
on_signal(void *arg, struct err *e)
{
	struct watched *w = arg;
	struct signalfd_siginfo s;
	own_question struct question q = {.method = "POST", .answer = "none"};
	own_reply struct reply a = {0};
	struct err ignored = {0};

	(void)e;
	if (read(w->signals, &s, sizeof(s)) != sizeof(s) || w->wait_seq == 0)
		return 0;
	if (w->third == NULL)
		w->third = remote_again(w->r);
	question_path(&q, "/containers/%s/kill", w->id);
	question_put_int(&q, "signal", s.ssi_signo);
	remote_ask(w->third, &q, &a, &ignored);
	return 0;
}

static int
take_signals(struct watched *w, struct err *e)
{
	sigset_t set;

	session_proxied(&set);
	w->signals = sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? signalfd(-1, &set, SFD_CLOEXEC) : -1;
	return w->signals == -1 ? err_sys(e, "taking signals") : 0;
}

static int
end_code(struct watched *w, struct err *e)
{
	own_reply struct reply a = {0};

	if (w->wait_seq == 0)
		return err_set(e, ERR_INTERNAL, "the service has not started the container");
	if (remote_receive(w->other, &w->wait, w->wait_seq, &a, e) == -1)
		return -1;
	if (!json_is_integer(a.document))
		return err_set(e, ERR_FORMAT, "the answer of the service is no number");
	return session_status((int)json_integer_value(a.document));
}

static int
watch(struct remote *r, const struct args *a, const char *id, struct err *e)
{
	own(watched_free) struct watched w = {.r = r, .id = id, .signals = -1};
	own(streams_close) struct streams s = {-1, -1, -1};
	bool input = args_bool(a, "interactive");
	own_question struct question q = {
	    .method = "POST", .answer = "upgrade", .opened = on_opened, .arg = &w};
	own_reply struct reply reply = {0};

	if (streams_open(&s, input, &q, e) == -1)
		return -1;
	if (args_bool(a, "sig-proxy")) {
		if (take_signals(&w, e) == -1)
			return -1;
		q.signals = w.signals;
		q.signalled = on_signal;
	}
	question_path(&q, "/containers/%s/attach", id);
	question_put_bool(&q, "stream", true);
	question_put_bool(&q, "stdin", input);
	question_put_bool(&q, "stdout", true);
	question_put_bool(&q, "stderr", true);
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	return end_code(&w, e);
}

/* One that could not be started does not stay with --rm. */
static void
forget(struct remote *r, const struct args *a, const char *id)
{
	own_question struct question q = {.method = "DELETE", .answer = "none"};
	own_reply struct reply reply = {0};
	struct remote *again;
	struct err ignored = {0};

	if (!args_bool(a, "rm"))
		return;
	again = remote_again(r);
	question_path(&q, "/containers/%s", id);
	question_put_bool(&q, "force", true);
	question_put_bool(&q, "v", true);
	remote_ask(again, &q, &reply, &ignored);
	remote_free(again);
}

static int
run_create(struct remote *r, const struct args *a, struct err *e)
{
	own_mem char *id = NULL;

	if (create_container(r, a, &id, e) == -1)
		return -1;
	puts(id);
	return 0;
}

static int
run_run(struct remote *r, const struct args *a, struct err *e)
{
	own_mem char *id = NULL;
	int got;

	r->attended = !args_bool(a, "detach");
	if (create_container(r, a, &id, e) == -1)
		return -1;
	got = args_bool(a, "detach") ? start(r, id, e) : watch(r, a, id, e);
	if (got == -1)
		forget(r, a, id);
	else if (args_bool(a, "detach"))
		puts(id);
	return got;
}

/* --- exec ---------------------------------------------------------------------------------------*/

static int
make_session(struct remote *r, const struct args *a, char **session, struct err *e)
{
	own_question struct question q = {.method = "POST"};
	own_reply struct reply reply = {0};
	own_json json_t *body = json_obj();
	const struct strv *env = args_list(a, "env");
	json_t *words = json_put_arr(body, "Cmd"), *value;
	const char *name, *id;

	for (int i = 1; i < a->argc; i++)
		json_add_str(words, a->argv[i]);
	json_put_bool(body, "AttachStdin", args_bool(a, "interactive"));
	json_put_bool(body, "AttachStdout", true);
	json_put_bool(body, "AttachStderr", true);
	json_put_bool(body, "Privileged", args_bool(a, "privileged"));
	if (args_given(a, "user"))
		json_put_str(body, "User", args_str(a, "user"));
	if (args_given(a, "workdir"))
		json_put_str(body, "WorkingDir", args_str(a, "workdir"));
	if (env->n > 0) {
		own_json json_t *o = create_env(env);
		json_t *list = json_put_arr(body, "Env");

		json_object_foreach (o, name, value) {
			own_mem char *pair = xasprintf("%s=%s", name, json_string_value(value));

			json_add_str(list, pair);
		}
	}
	question_path(&q, "/containers/%s/exec", a->argv[0]);
	q.body = body;
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	id = json_string_value(json_object_get(reply.document, "Id"));
	if (id == NULL)
		return err_set(e, ERR_FORMAT, "the service does not name what it made");
	*session = xstrdup(id);
	return 0;
}

static int
session_code(struct remote *r, const char *session, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply a = {0};
	const json_t *code;

	question_path(&q, "/exec/%s/json", session);
	if (remote_ask(r, &q, &a, e) == -1)
		return -1;
	code = json_object_get(a.document, "ExitCode");
	if (!json_is_integer(code))
		return err_set(e, ERR_FORMAT, "the answer of the service is no number");
	return session_status((int)json_integer_value(code));
}

static int
run_exec(struct remote *r, const struct args *a, struct err *e)
{
	own(streams_close) struct streams s = {-1, -1, -1};
	own_question struct question q = {.method = "POST", .answer = "upgrade"};
	own_reply struct reply reply = {0};
	own_json json_t *body = json_obj();
	own_mem char *session = NULL;
	bool detach = args_bool(a, "detach");

	if (a->argc < 2)
		return err_set(e, ERR_USAGE,
		    a->argc == 0
			? "exec requires the name or ID of a container or the --latest flag"
			: "must provide a non-empty command to start an exec session: "
			  "invalid argument");
	if (make_session(r, a, &session, e) == -1)
		return -1;
	json_put_bool(body, "Detach", detach);
	json_put_bool(body, "Tty", false);
	q.body = body;
	if (detach)
		q.answer = "none";
	else if (streams_open(&s, args_bool(a, "interactive"), &q, e) == -1)
		return -1;
	question_path(&q, "/exec/%s/start", session);
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	if (!detach)
		return session_code(r, session, e);
	puts(session);
	return 0;
}

const struct remote_command remote_streams[] = {
    {"create,container create", CREATE_OPTIONS ",sig-proxy", run_create},
    {"run,container run", CREATE_OPTIONS ",detach,sig-proxy", run_run},
    {"exec,container exec", "detach,env,interactive,privileged,user,workdir", run_exec},
    {0},
};
