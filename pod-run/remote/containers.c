/* SPDX-License-Identifier: ISC */
/*
 * What a service does with containers.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/sig.h"
#include "common/cli/table.h"
#include "pod-run/cmd/select.h"
#include "pod-run/remote/command.h"
#include "pod-run/remote/containers.h"
#include "pod-run/remote/streams.h"

/* --- Which ones ---------------------------------------------------------------------------------*/

/* What is done with each, and how it ended. */
struct each {
	struct remote *r;
	const struct args *a;
	const char *states; /* of --all, separated by commas; NULL: any */
	bool ignore;	    /* a missing one is no error */
	int (*one)(struct each *w, const char *word, struct err *e);
	int64_t number; /* the act's own */
	size_t missing, in_use, failed;
};

static bool
has(const struct args *a, const char *name)
{
	return args_given(a, name);
}

static int
by_list(struct each *w, struct strv *words, struct err *e)
{
	own_ctr_list struct ctr_list l = {0};
	own_json json_t *told = NULL;
	own_strv struct strv filters = {0}, states = {0};
	bool latest = has(w->a, "latest"), all = has(w->a, "all");
	struct containers_wanted want = {.all = true, .last = latest ? 1 : -1, .filters = &filters};

	if (has(w->a, "filter")) {
		const struct strv *given = args_list(w->a, "filter");

		strv_add_all(&filters, (const char *const *)given->v, given->n);
	} else if (all && !latest && w->states != NULL) {
		strv_split(&states, w->states, ',');
		for (size_t i = 0; i < states.n; i++)
			strv_addf(&filters, "status=%s", states.v[i]);
	}
	if (containers_list(w->r, &want, &l, &told, e) == -1)
		return -1;
	for (size_t i = 0; i < l.n; i++)
		strv_add(words, l.v[i].id);
	if (latest && l.n == 0)
		return err_set(e, ERR_NOTFOUND, "no containers found: no such container");
	return 0;
}

static int
choose(struct each *w, struct strv *words, struct err *e)
{
	const struct args *a = w->a;
	bool listed = has(a, "all") || has(a, "latest") || has(a, "filter");
	const struct strv *files = has(a, "cidfile") ? args_list(a, "cidfile") : NULL;

	if (listed && a->argc > 0)
		return err_set(e, ERR_USAGE,
		    "--all, --latest, --filter and containers cannot be used together");
	if (listed && by_list(w, words, e) == -1)
		return -1;
	for (int i = 0; i < a->argc; i++)
		strv_add(words, a->argv[i]);
	for (size_t i = 0; files != NULL && i < files->n; i++) {
		char *id = select_read_cidfile(files->v[i], e);

		if (id == NULL)
			return -1;
		strv_take(words, id);
	}
	return !listed && words->n == 0 ? select_none(a->cli, e) : 0;
}

static int
exists(struct remote *r, const char *kind, const char *word, struct err *e)
{
	own_question struct question q = {.answer = "none"};
	own_reply struct reply a = {0};

	question_path(&q, "/%s", kind);
	question_path(&q, "s/%s/exists", word);
	return remote_ask(r, &q, &a, e);
}

int
containers_exists(struct remote *r, const char *word, struct err *e)
{
	if (exists(r, "container", word, e) == 0)
		return 0;
	return e->class == ERR_NOTFOUND
		   ? err_set(e, ERR_NOTFOUND,
			 "no container with name or ID \"%s\" found: no such container", word)
		   : -1;
}

static int
check_names(struct each *w, const struct strv *words, struct err *e)
{
	for (size_t i = 0; w->a->argc > 1 && i < words->n; i++) {
		if (exists(w->r, "container", words->v[i], e) == 0)
			continue;
		if (e->class != ERR_NOTFOUND)
			return -1;
		if (!w->ignore) {
			w->missing++;
			return err_set(e, ERR_NOTFOUND,
			    "no container with name or ID \"%s\" found: no such container",
			    words->v[i]);
		}
		err_clear(e);
	}
	return 0;
}

static int
each(struct each *w, struct err *e)
{
	own_strv struct strv words = {0};
	struct err last = {0};

	if (choose(w, &words, e) == -1 || check_names(w, &words, e) == -1)
		return -1;
	for (size_t i = 0; i < words.n; i++) {
		err_clear(e);
		if (w->one(w, words.v[i], e) == 0)
			continue;
		if (e->class == ERR_NOTFOUND && w->ignore)
			continue;
		*(e->class == ERR_NOTFOUND  ? &w->missing
		    : e->class == ERR_INUSE ? &w->in_use
					    : &w->failed) += 1;
		if (err_is_set(&last))
			err_print(&last, stderr);
		last = *e;
	}
	*e = last;
	return err_is_set(&last) ? -1 : 0;
}

/* --- Acts ---------------------------------------------------------------------------------------*/

static int
post(struct each *w, const char *word, const char *act, struct question *q, struct err *e)
{
	own_reply struct reply a = {0};

	q->method = "POST";
	q->answer = "none";
	question_path(q, "/containers/%s", word);
	question_path(q, "/%s", act);
	if (remote_ask(w->r, q, &a, e) == -1)
		return -1;
	remote_print(stdout, "", word);
	return 0;
}

static int
one_start(struct each *w, const char *word, struct err *e)
{
	own_question struct question q = {0};

	return post(w, word, "start", &q, e);
}

static int
one_stop(struct each *w, const char *word, struct err *e)
{
	own_question struct question q = {0};

	if (has(w->a, "time"))
		question_put_int(&q, "timeout", args_int(w->a, "time"));
	if (w->ignore)
		question_put_bool(&q, "ignore", true);
	return post(w, word, "stop", &q, e);
}

static int
one_restart(struct each *w, const char *word, struct err *e)
{
	own_question struct question q = {0};

	if (has(w->a, "time"))
		question_put_int(&q, "t", args_int(w->a, "time"));
	return post(w, word, "restart", &q, e);
}

static int
one_kill(struct each *w, const char *word, struct err *e)
{
	own_question struct question q = {0};

	question_put_int(&q, "signal", w->number);
	return post(w, word, "kill", &q, e);
}

static int
one_pause(struct each *w, const char *word, struct err *e)
{
	own_question struct question q = {0};

	return post(w, word, "pause", &q, e);
}

static int
one_unpause(struct each *w, const char *word, struct err *e)
{
	own_question struct question q = {0};

	return post(w, word, "unpause", &q, e);
}

static int
one_init(struct each *w, const char *word, struct err *e)
{
	own_question struct question q = {0};

	return post(w, word, "init", &q, e);
}

static int
run_init(struct remote *r, const struct args *a, struct err *e)
{
	struct each w = {
	    .r = r, .a = a, .one = one_init, .states = "configured,created,exited,stopped"};

	return each(&w, e);
}

static int
run_start(struct remote *r, const struct args *a, struct err *e)
{
	struct each w = {
	    .r = r, .a = a, .one = one_start, .states = "created,configured,exited,stopped"};

	if (args_bool(a, "attach") || args_bool(a, "interactive"))
		return streams_start(r, a, e);
	if (has(a, "sig-proxy") && args_bool(a, "sig-proxy"))
		return err_set(
		    e, ERR_USAGE, "you cannot use sig-proxy without --attach: invalid argument");

	return each(&w, e);
}

static int
run_stop(struct remote *r, const struct args *a, struct err *e)
{
	struct each w = {
	    .r = r, .a = a, .one = one_stop, .states = "running", .ignore = args_bool(a, "ignore")};

	return each(&w, e);
}

static int
run_restart(struct remote *r, const struct args *a, struct err *e)
{
	struct each w = {.r = r, .a = a, .one = one_restart};

	return each(&w, e);
}

static int
run_kill(struct remote *r, const struct args *a, struct err *e)
{
	struct each w = {.r = r, .a = a, .one = one_kill, .states = "running"};
	int number;

	if (sig_parse(args_str(a, "signal"), &number, e) == -1)
		return -1;
	w.number = number;
	return each(&w, e);
}

static int
run_pause(struct remote *r, const struct args *a, struct err *e)
{
	struct each w = {.r = r, .a = a, .one = one_pause, .states = "running"};

	return each(&w, e);
}

static int
run_unpause(struct remote *r, const struct args *a, struct err *e)
{
	struct each w = {.r = r, .a = a, .one = one_unpause, .states = "paused"};

	return each(&w, e);
}

/* What the service removed, and what it could not: its words are one's that is missing or that something needs. */
static int
tell_removed(const json_t *list, const char *word, struct err *e)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		const char *id = json_string_value(json_object_get(one, "Id"));
		const char *why = json_string_value(json_object_get(one, "Err"));
		bool own = json_array_size(list) == 1;

		if (why != NULL && *why != '\0')
			return err_set(e, ERR_STATE, "%s", why);
		remote_print(stdout, "", own || id == NULL ? word : id);
	}
	if (!json_is_array(list))
		remote_print(stdout, "", word);
	return 0;
}

static int
one_rm(struct each *w, const char *word, struct err *e)
{
	own_question struct question q = {.method = "DELETE"};
	own_reply struct reply a = {0};

	question_path(&q, "/containers/%s", word);
	question_put_bool(&q, "force", args_bool(w->a, "force"));
	question_put_bool(&q, "v", args_bool(w->a, "volumes"));
	question_put_bool(&q, "depend", args_bool(w->a, "depend") || args_bool(w->a, "all"));
	if (has(w->a, "time"))
		question_put_int(&q, "timeout", args_int(w->a, "time"));
	if (remote_ask(w->r, &q, &a, e) == 0 && tell_removed(a.document, word, e) == 0)
		return 0;
	if (strstr(e->text, "container state improper") != NULL ||
	    strstr(e->text, "dependent containers") != NULL)
		e->class = ERR_INUSE;
	if (strstr(e->text, "no such container") != NULL)
		e->class = ERR_NOTFOUND;
	return -1;
}

static int
run_rm(struct remote *r, const struct args *a, struct err *e)
{
	bool force = args_bool(a, "force");
	struct each w = {.r = r, .a = a, .one = one_rm, .ignore = args_bool(a, "ignore") || force};
	int got;

	if (has(a, "time") && !force)
		return err_set(
		    e, ERR_USAGE, "--force option must be specified to use the --time option");
	got = each(&w, e);
	if (got == 0 || w.failed > 0 || (w.missing == 0 && w.in_use == 0))
		return got;
	err_print(e, stderr);
	return w.in_use > 0 ? 2 : 1;
}

/* --- Questions ----------------------------------------------------------------------------------*/

static int
run_exists(struct remote *r, const struct args *a, struct err *e)
{
	const char *group = a->cli->path + strlen(a->cli->prog) + 1;
	own_mem char *kind = xstrndup(group, strcspn(group, " "));

	if (exists(r, kind, a->argv[0], e) == 0)
		return 0;
	return e->class == ERR_NOTFOUND ? 1 : -1;
}

static int
run_rename(struct remote *r, const struct args *a, struct err *e)
{
	own_question struct question q = {.method = "POST", .answer = "none"};
	own_reply struct reply reply = {0};

	question_path(&q, "/containers/%s/rename", a->argv[0]);
	question_put(&q, "name", a->argv[1]);
	return remote_ask(r, &q, &reply, e);
}

static int
one_wait(struct each *w, const char *word, struct err *e)
{
	own_question struct question q = {.method = "POST"};
	own_reply struct reply a = {0};
	const struct strv *conditions = args_list(w->a, "condition");

	question_path(&q, "/containers/%s/wait", word);
	for (size_t i = 0; i < conditions->n; i++)
		question_put(&q, "condition", conditions->v[i]);
	if (remote_ask(w->r, &q, &a, e) == -1)
		return -1;
	if (!json_is_integer(a.document))
		return err_set(e, ERR_FORMAT, "the answer of the service is no number");
	printf("%d\n", (int)json_integer_value(a.document));
	fflush(stdout);
	return 0;
}

static int
run_wait(struct remote *r, const struct args *a, struct err *e)
{
	struct each w = {.r = r, .a = a, .one = one_wait};

	return each(&w, e);
}

static void
add_cells(struct strbuf *b, const json_t *cells)
{
	const json_t *cell;
	size_t i;

	json_array_foreach (cells, i, cell) {
		strbuf_add(b, i > 0 ? "\t" : "");
		strbuf_add(b, json_is_string(cell) ? json_string_value(cell) : "");
	}
	strbuf_addc(b, '\n');
}

static int
run_top(struct remote *r, const struct args *a, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply reply = {0};
	own_strbuf struct strbuf columns = {0}, table = {0}, aligned = {0};
	const json_t *line;
	size_t i;

	if (a->argc == 0)
		return err_set(
		    e, ERR_USAGE, "you must provide the name or id of a running container");
	question_path(&q, "/containers/%s/top", a->argv[0]);
	question_put_bool(&q, "stream", false);
	for (int k = 1; k < a->argc; k++)
		strbuf_addf(&columns, "%s%s", k > 1 ? "," : "", a->argv[k]);
	if (columns.n > 0)
		question_put(&q, "ps_args", columns.s);
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	/* Services of version 4 have begun to agree when they find out. */
	if (json_array_size(json_object_get(reply.document, "Titles")) == 0)
		return err_set(e, ERR_STATE, "top can only be used on running containers");
	add_cells(&table, json_object_get(reply.document, "Titles"));
	json_array_foreach (json_object_get(reply.document, "Processes"), i, line)
		add_cells(&table, line);
	table_align(table.s, &aligned);
	fputs(aligned.s, stdout);
	return 0;
}

/* --- Logs ---------------------------------------------------------------------------------------*/

static int
run_logs(struct remote *r, const struct args *a, struct err *e)
{
	own_question struct question q = {.answer = "frames"};
	own_reply struct reply reply = {0};
	own_fd int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	own_fd int err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	if (a->argc != 1)
		return err_set(e, ERR_USAGE,
		    a->argc == 0 ? "specify at least one container name or ID to log"
				 : "logs does not support multiple containers when run remotely");
	if (out == -1 || err == -1)
		return err_sys(e, "duplicating descriptors");
	q.out = out;
	q.err = err;
	question_path(&q, "/containers/%s/logs", a->argv[0]);
	question_put_bool(&q, "stdout", true);
	question_put_bool(&q, "stderr", true);
	question_put_bool(&q, "follow", args_bool(a, "follow"));
	question_put_bool(&q, "timestamps", args_bool(a, "timestamps"));
	if (has(a, "since"))
		question_put(&q, "since", args_str(a, "since"));
	if (has(a, "until"))
		question_put(&q, "until", args_str(a, "until"));
	if (has(a, "tail"))
		question_put_int(&q, "tail", args_int(a, "tail"));
	return remote_ask(r, &q, &reply, e);
}

const struct remote_command remote_containers[] = {
    {"ps,container ps,container list",
	"all,external,filter,format,last,latest,no-trunc,noheading,pod,quiet,size,sort,sync,watch",
	NULL},
    {"inspect,container inspect", "format,size,type", NULL},
    {"start,container start", "all,attach,detach-keys,filter,interactive,latest,sig-proxy",
	run_start},
    {"init,container init", "all,latest", run_init},
    {"stop,container stop", "all,cidfile,filter,ignore,latest,time", run_stop},
    {"restart,container restart", "all,cidfile,filter,latest,time", run_restart},
    {"kill,container kill", "all,cidfile,latest,signal", run_kill},
    {"pause,container pause", "all,cidfile,filter,latest", run_pause},
    {"unpause,container unpause", "all,cidfile,filter,latest", run_unpause},
    {"rm,container rm", "all,cidfile,depend,filter,force,ignore,latest,time,volumes", run_rm},
    {"rename,container rename", "", run_rename},
    {"wait,container wait", "condition,latest", run_wait},
    {"top,container top", "", run_top},
    {"port,container port", "all", NULL},
    {"stats,container stats", "format,interval,no-reset,no-stream,no-trunc", NULL},
    {"cp,container cp", "archive,overwrite", NULL},
    {"logs,container logs", "follow,since,tail,timestamps,until", run_logs},
    {"container exists,image exists,volume exists,network exists", "", run_exists},
    {0},
};
