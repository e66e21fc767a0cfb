/* SPDX-License-Identifier: ISC */
/*
 * What somebody stands before while it runs: run, start -a, attach, exec; and create.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/oci/auth.h"
#include "pod-run/life/image.h"
#include "pod-run/life/session.h"
#include "pod-run/cmd/select.h"
#include "pod-run/remote/containers.h"
#include "pod-run/remote/create.h"
#include "pod-run/remote/streams.h"

/* What is asked beside the streams shall not hold them up where the service never answers. */
#define BESIDE_MS 5000

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
	struct remote *r;      /* carries its streams */
	struct remote *other;  /* starts it, and waits for its end */
	struct remote *third;  /* passes signals on */
	const char *kind, *id; /* "containers" or "exec", which is in one that runs */
	struct question wait;
	uint32_t wait_seq; /* 0: it has not been started */
	int signals;
	bool starts; /* it is started once its streams are carried */
	bool input, output, errors, proxy, tty, raw;
	struct termios before; /* with raw */
};

static void
watched_free(struct watched *w)
{
	remote_free(w->other);
	remote_free(w->third);
	question_free(&w->wait);
	fd_close(&w->signals);
	if (w->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &w->before);
}

static struct remote *
third(struct watched *w)
{
	if (w->third == NULL)
		w->third = remote_again(w->r);
	return w->third;
}

/* What the terminal is like now.  A service that has ended it meanwhile says so, which is no matter. */
static void
resize(struct watched *w)
{
	own_question struct question q = {
	    .method = "POST", .answer = "none", .patience_ms = BESIDE_MS};
	own_reply struct reply a = {0};
	struct err ignored = {0};
	uint64_t rows, columns;

	session_size(&rows, &columns);
	if (!w->tty || rows == 0)
		return;
	question_path(&q, "/%s", w->kind);
	question_path(&q, "/%s/resize", w->id);
	question_put_int(&q, "h", (int64_t)rows);
	question_put_int(&q, "w", (int64_t)columns);
	remote_ask(third(w), &q, &a, &ignored);
}

/* What is typed goes out as it is; watched_free puts it right. */
static void
make_raw(struct watched *w)
{
	struct termios raw;

	if (!w->tty || tcgetattr(STDIN_FILENO, &w->before) == -1)
		return;
	raw = w->before;
	cfmakeraw(&raw);
	w->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
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

	if (strcmp(w->kind, "containers") == 0) {
		w->other = remote_again(w->r);
		if (w->starts && start(w->other, w->id, e) == -1)
			return -1;
		w->wait.method = "POST";
		question_path(&w->wait, "/containers/%s/wait", w->id);
		if (remote_send(w->other, &w->wait, &w->wait_seq, e) == -1)
			return -1;
	}
	make_raw(w);
	resize(w);
	return 0;
}

/* One that has ended meanwhile gets none. */
static int
on_signal(void *arg, struct err *e)
{
	struct watched *w = arg;
	struct signalfd_siginfo s;
	own_question struct question q = {
	    .method = "POST", .answer = "none", .patience_ms = BESIDE_MS};
	own_reply struct reply a = {0};
	struct err ignored = {0};

	if (read(w->signals, &s, sizeof(s)) != sizeof(s))
		return 0;
	if (s.ssi_signo == SIGWINCH) {
		resize(w);
		return 0;
	}
	/* The terminal shall not stay as it is. */
	if (!w->proxy)
		return err_set(e, ERR_CANCELLED, "ended by signal %u", s.ssi_signo);
	if (w->wait_seq == 0)
		return 0;
	question_path(&q, "/containers/%s/kill", w->id);
	question_put_int(&q, "signal", s.ssi_signo);
	remote_ask(third(w), &q, &a, &ignored);
	return 0;
}

static int
take_signals(struct watched *w, struct question *q, struct err *e)
{
	sigset_t set;

	if (!w->proxy && !w->tty)
		return 0;
	sigemptyset(&set);
	if (w->proxy) {
		session_proxied(&set);
	} else {
		sigaddset(&set, SIGHUP);
		sigaddset(&set, SIGTERM);
	}
	if (w->tty)
		sigaddset(&set, SIGWINCH);
	w->signals = sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? signalfd(-1, &set, SFD_CLOEXEC) : -1;
	if (w->signals == -1)
		return err_sys(e, "taking signals");
	q->signals = w->signals;
	q->signalled = on_signal;
	return 0;
}

/* Carries the streams until either side ends it.  1: the user has left it to itself. */
static int
attend(struct watched *w, struct question *q, const struct args *a, struct err *e)
{
	own(streams_close) struct streams s = {-1, -1, -1};
	own_reply struct reply reply = {0};
	const struct containers_conf *conf = ctx_conf(w->r->x, e);

	if (conf == NULL || streams_open(&s, w->input, q, e) == -1 || take_signals(w, q, e) == -1)
		return -1;
	q->method = "POST";
	q->answer = "upgrade";
	q->opened = on_opened;
	q->arg = w;
	q->tty = w->tty;
	if (w->tty)
		q->detach_keys = args_given(a, "detach-keys") ? args_str(a, "detach-keys")
							      : conf->engine_detach_keys;
	return remote_ask(w->r, q, &reply, e) == -1 ? -1 : reply.detached;
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
watch(struct watched *w, const struct args *a, struct err *e)
{
	own_question struct question q = {0};
	int got;

	question_path(&q, "/containers/%s/attach", w->id);
	question_put_bool(&q, "stream", true);
	question_put_bool(&q, "stdin", w->input);
	question_put_bool(&q, "stdout", w->output);
	question_put_bool(&q, "stderr", w->errors);
	got = attend(w, &q, a, e);
	return got == -1 ? -1 : got == 1 ? 0 : end_code(w, e);
}

/* One that could not be started does not stay with --rm. */
static void
forget(struct remote *r, const struct args *a, const char *id)
{
	own_question struct question q = {.method = "DELETE", .answer = "none"};
	own_reply struct reply reply = {0};
	struct remote *again;
	struct err ignored = {0};

	if (!args_bool(a, "rm") && !args_bool(a, "rmi"))
		return;
	again = remote_again(r);
	question_path(&q, "/containers/%s", id);
	question_put_bool(&q, "force", true);
	question_put_bool(&q, "v", true);
	remote_ask(again, &q, &reply, &ignored);
	remote_free(again);
}

/* Services before version 5 leave it to who asks.  One that something else needs stays. */
static void
forget_image(struct remote *r, const char *word)
{
	own_question struct question q = {.method = "DELETE", .answer = "none"};
	own_reply struct reply reply = {0};
	struct remote *again = remote_again(r);
	struct err ignored = {0};

	question_path(&q, "/images/remove");
	question_put(&q, "images", word);
	question_put_bool(&q, "ignore", true);
	remote_ask(again, &q, &reply, &ignored);
	remote_free(again);
}

/* Those of --attach, else output and, with -i, input. */
static int
choose_streams(struct watched *w, const struct args *a, struct err *e)
{
	const struct strv *names = args_list(a, "attach");
	struct session s = {.in = names->n == 0 && args_bool(a, "interactive"),
	    .out = names->n == 0,
	    .err = names->n == 0};

	if (session_choose(names, &s, e) == -1)
		return -1;
	w->input = s.in;
	w->output = s.out;
	w->errors = s.err;
	return 0;
}

static int
run_create(struct remote *r, const struct args *a, struct err *e)
{
	own_mem char *id = NULL;

	if (create_container(r, a, &id, e) == -1)
		return -1;
	remote_print(stdout, "", id);
	return 0;
}

static int
run_run(struct remote *r, const struct args *a, struct err *e)
{
	own_mem char *id = NULL;
	own(watched_free) struct watched w = {.r = r,
	    .kind = "containers",
	    .signals = -1,
	    .starts = true,
	    .tty = args_bool(a, "tty"),
	    .proxy = args_bool(a, "sig-proxy") && !args_bool(a, "tty")};
	int got;

	if (image_stat_authfile(auth_named(args_str(a, "authfile")), e) == -1 ||
	    choose_streams(&w, a, e) == -1)
		return -1;
	r->attended = !args_bool(a, "detach");
	if (create_container(r, a, &id, e) == -1)
		return -1;
	w.id = id;
	got = args_bool(a, "detach") ? start(r, id, e) : watch(&w, a, e);
	if (got == -1)
		forget(r, a, id);
	else if (args_bool(a, "detach"))
		remote_print(stdout, "", id);
	else if (args_bool(a, "rmi"))
		forget_image(r, a->argv[0]);
	return got;
}

/* --- attach, start -a ---------------------------------------------------------------------------*/

/* One that is there: what it is like, the service says. */
static int
join(struct remote *r, const struct args *a, bool starts, bool input, bool proxy, struct err *e)
{
	own_json json_t *o = containers_inspect(r, "container", a->argv[0], false, e);
	const json_t *config = json_object_get(o, "Config");
	bool tty = json_is_true(json_object_get(config, "Tty"));
	bool runs = json_is_true(json_object_get(json_object_get(o, "State"), "Running"));
	own(watched_free) struct watched w = {.r = r,
	    .kind = "containers",
	    .id = a->argv[0],
	    .signals = -1,
	    .starts = starts && !runs,
	    .input = input && json_is_true(json_object_get(config, "OpenStdin")),
	    .output = true,
	    .errors = true,
	    .tty = tty,
	    .proxy = proxy && !tty};

	if (o == NULL)
		return -1;
	if (!starts && !runs)
		return err_set(e, ERR_STATE, "you can only attach to running containers");
	r->attended = true;
	return watch(&w, a, e);
}

static int
run_attach(struct remote *r, const struct args *a, struct err *e)
{
	if (a->argc == 0)
		return select_none(a->cli, e);
	return join(r, a, false, !args_bool(a, "no-stdin"), args_bool(a, "sig-proxy"), e);
}

int
streams_start(struct remote *r, const struct args *a, struct err *e)
{
	bool proxy = !args_given(a, "sig-proxy") || args_bool(a, "sig-proxy");

	if (a->argc != 1 || args_given(a, "all") || args_given(a, "latest") ||
	    args_given(a, "filter"))
		return err_set(
		    e, ERR_USAGE, "you cannot start and attach multiple containers at once");
	return join(r, a, true, args_bool(a, "interactive"), proxy, e);
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
	json_put_bool(body, "Tty", args_bool(a, "tty"));
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
	own_question struct question q = {.method = "POST", .answer = "none"};
	own_reply struct reply reply = {0};
	own_json json_t *body = json_obj();
	own_mem char *session = NULL;
	bool detach = args_bool(a, "detach"), tty = args_bool(a, "tty");
	int got;

	if (a->argc < 2)
		return err_set(e, ERR_USAGE,
		    a->argc == 0
			? "exec requires the name or ID of a container or the --latest flag"
			: "must provide a non-empty command to start an exec session: "
			  "invalid argument");
	if (make_session(r, a, &session, e) == -1)
		return -1;
	json_put_bool(body, "Detach", detach);
	json_put_bool(body, "Tty", tty);
	q.body = body;
	question_path(&q, "/exec/%s/start", session);
	if (!detach) {
		own(watched_free) struct watched w = {.r = r,
		    .kind = "exec",
		    .id = session,
		    .signals = -1,
		    .input = args_bool(a, "interactive"),
		    .tty = tty};

		got = attend(&w, &q, a, e);
		return got == -1 ? -1 : got == 1 ? 0 : session_code(r, session, e);
	}
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	remote_print(stdout, "", session);
	return 0;
}

const struct remote_command remote_streams[] = {
    {"create,container create", CREATE_OPTIONS ",sig-proxy", run_create},
    {"run,container run", CREATE_OPTIONS ",detach,detach-keys,sig-proxy", run_run},
    {"attach,container attach", "detach-keys,no-stdin,sig-proxy", run_attach},
    {"exec,container exec", "detach,detach-keys,env,interactive,privileged,tty,user,workdir",
	run_exec},
    {0},
};
