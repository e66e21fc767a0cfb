/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/base/warm.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "common/role/spawn.h"
#include "pod-run/life/bundle.h"
#include "pod-run/life/cleanup.h"
#include "pod-run/life/exec.h"
#include "pod-run/life/scope.h"
#include "pod-run/life/secrets.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/cgroup.h"
#include "pod-run/oci/spec_config.h"
#include "pod-run/state/exec.h"
#include "pod-run/state/event.h"

struct exec {
	struct ctx *x;
	struct ctr *c;
	const struct exec_request *q;
	char id[NAMES_ID_LEN + 1];
	char *dir;
	struct runtime runtime;
	struct peer *monitor;
	int attach, preserved;
	uint64_t preserve_fds;
	struct strs preserved_as;
	struct arena arena;
};

static void
exec_free(struct exec *x)
{
	peer_free(x->monitor);
	runtime_free(&x->runtime);
	free(x->dir);
	fd_close(&x->attach);
	fd_close(&x->preserved);
	arena_free(&x->arena);
}
#define own_exec own(exec_free)

static char *
session_dir(struct ctx *x, const char *ctr, const char *session)
{
	own_mem char *bundle = ctx_bundle(x, ctr);

	return xasprintf("%s/exec/%s", bundle, session);
}

/* --- The process --------------------------------------------------------------------------------*/

/* user[:group] of the container's own files, or the user the container was started with. */
static int
find_user(struct exec *s, struct spec_exec *p, struct err *e)
{
	const struct rec_ctr_run *r = &s->c->run;
	const char *user = s->q->user;
	own_peer_in struct peer_in in = {0};
	struct msg_user_find m = {.user = user};
	own_fd int root = -1;
	struct peer *store;
	char path[64];

	if (user == NULL || *user == '\0') {
		p->uid = (uint32_t)r->uid;
		p->gid = (uint32_t)r->gid;
		p->groups = r->groups.v;
		p->groups_n = r->groups.n;
		p->home = r->home;
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/root", (int)s->c->pid);
	root = m.root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	store = root == -1 ? NULL : ctx_store(s->x, e);
	if (root == -1)
		return err_sys(e, "opening the root of container %s", s->c->id);
	if (store == NULL || peer_call(store, &msg_user_find_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	p->uid = (uint32_t)MSG_OF(&in, user_found)->uid;
	p->gid = (uint32_t)MSG_OF(&in, user_found)->gid;
	p->groups_n = MSG_OF(&in, user_found)->groups.n;
	p->groups = arena_array(&s->arena, p->groups_n + 1, sizeof(*p->groups));
	if (p->groups_n > 0)
		memcpy((struct rec_gid *)(uintptr_t)p->groups, MSG_OF(&in, user_found)->groups.v,
		    p->groups_n * sizeof(*p->groups));
	p->home = MSG_OF(&in, user_found)->home != NULL
		      ? arena_strdup(&s->arena, MSG_OF(&in, user_found)->home)
		      : NULL;
	return 0;
}

static int
write_process(struct exec *s, struct err *e)
{
	const struct exec_request *q = s->q;
	own_mem char *bundle = ctx_bundle(s->x, s->c->id);
	own_strbuf struct strbuf json = {0};
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), dir = -1;
	struct spec_exec p = {.args = q->args.v,
	    .args_n = q->args.n,
	    .env = q->env.v,
	    .env_n = q->env.n,
	    .cwd = q->workdir,
	    .tty = q->tty,
	    .privileged = q->privileged};
	own_strv struct strv secret_env = {0};
	struct spec_facts f;

	if (q->tty)
		session_size(&p.rows, &p.columns);

	bundle_facts(s->x, s->c, &s->runtime, bundle, &s->arena, &f);
	if (secrets_env(s->x, s->c->config, &secret_env, e) == -1)
		return -1;
	f.secret_env = &secret_env;
	if (find_user(s, &p, e) == -1 ||
	    spec_config_exec_json(s->c->config, &f, &p, &json, e) == -1)
		return -1;
	dir = path_mkdirs(root, s->dir, PATH_IN_ROOT, 0700, NULL, e);
	if (dir == -1)
		return err_wrap(e, "making the directory of exec session %s", s->id);
	return file_write(dir, "process.json", json.s, json.n, 0600, 0, e);
}

/* --- Running ------------------------------------------------------------------------------------*/

static int
start(struct exec *s, struct msg_monitor_started *started, struct err *e)
{
	const struct exec_request *q = s->q;
	own_strv struct strv environment = {0}, cleanup = {0};
	own_peer_in struct peer_in in = {0};
	own_mem char *own_cgroup = cgroup_monitor_path(s->c->config, s->runtime.cgroup_usable);
	struct msg_monitor_exec m = {.id = s->c->id,
	    .session = s->id,
	    .bundle = s->dir,
	    .runtime = s->runtime.path,
	    .runtime_args = {.v = (const char **)s->runtime.args.v, .n = s->runtime.args.n},
	    .process_file = arena_printf(&s->arena, "%s/process.json", s->dir),
	    .own_cgroup = own_cgroup,
	    .terminal = q->tty,
	    .stdin_ = q->interactive,
	    .exit_dir = s->x->exit_dir,
	    .preserve_fds = s->preserve_fds,
	    .preserved_as = s->preserved_as,
	    .attach = s->attach,
	    .preserved = s->preserved};
	uint32_t seq = peer_next_seq(s->monitor);

	cleanup_environment(&environment);
	cleanup_exec_command(s->x, s->c->id, s->id, &cleanup);
	m.environment = (struct strs){.v = (const char **)environment.v, .n = environment.n};
	m.exit_command = (struct strs){.v = (const char **)cleanup.v, .n = cleanup.n};
	if (q->tty)
		session_size(&m.rows, &m.columns);
	/* Once asked for, the process runs, whether it can be recorded or not. */
	if (!q->no_session && db_may_grow(ctx_db(s->x, e), "recording the exec session", e) == -1)
		return -1;
	if (!q->detach && peer_send(s->monitor, &msg_monitor_adopt_desc, 0,
			      &(struct msg_monitor_adopt){0}, e) == -1)
		return -1;
	if (peer_send(s->monitor, &msg_monitor_exec_desc, seq, &m, e) == -1 ||
	    (!q->no_session &&
		exec_insert(ctx_db(s->x, e), s->id, s->c->id, ctx_now_ns(), e) == -1) ||
	    peer_wait(s->monitor, &msg_monitor_exec_desc, seq, &in, NULL, NULL, e) == -1)
		return -1;
	warm_end();
	*started = *MSG_OF(&in, monitor_started);
	if (q->capture == NULL)
		event_ctr(s->x, s->c, EVENT_EXEC);
	if (q->no_session)
		return 0;
	return exec_started(ctx_db(s->x, e), s->id, (pid_t)started->pid, started->start_time, e);
}

static int
attend(struct exec *s, int sock, const struct msg_monitor_started *started, struct err *e)
{
	const struct exec_request *q = s->q;
	struct session session = {.sock = sock,
	    .monitor = s->monitor,
	    .dir = s->dir,
	    .tty = q->tty,
	    .in = q->interactive,
	    .out = true,
	    .err = !q->tty,
	    .detach_keys = q->detach_keys,
	    .sig_proxy = !q->tty,
	    .pid = (pid_t)started->pid,
	    .pid_start = started->start_time};
	int64_t when;

	if (q->capture != NULL) {
		capture_run(q->capture, sock, s->monitor, session.pid, session.pid_start);
		session.exited = q->capture->exited;
		session.code = q->capture->code;
	} else if (session_run(s->x, &session, e) == -1)
		return -1;
	if (session.detached) {
		peer_send(
		    s->monitor, &msg_monitor_release_desc, 0, &(struct msg_monitor_release){0}, e);
		return session.unread == EPIPE ? 128 + SIGPIPE
					       : session_left(&session, s->c->id, e);
	}
	if (!session.exited && sync_exit_file(s->x, s->id, &session.code, &when) == -1)
		session.code = SYNC_NO_EXIT_FILE;
	return session_status(session.code);
}

static void
forget(struct exec *s, const int *code)
{
	struct err e = {0};

	if (exec_remove(ctx_db(s->x, &e), s->id, code, ctx_now_ns(), &e) == -1 ||
	    tree_remove(AT_FDCWD, s->dir, &e) == -1)
		log_warn("%s", e.text);
	unlinkat(s->x->exit_fd, s->id, 0);
	if (code != NULL && s->q->capture == NULL)
		event_exec_died(s->x, s->c, *code);
}

static void
outlive_caller(struct exec *s, const struct msg_monitor_started *started)
{
	struct scope scope = {0};

	scope_ask(&scope, s->x, s->c, (pid_t)started->monitor_pid, (pid_t)started->worker_pid);
	scope_await(&scope);
}

/* What a runtime says of a container that ended under its hands would pass for the command's fault. */
static int
refused(const struct exec *s, struct err *e)
{
	return sync_process_lives(s->c->pid, s->c->pid_start) ? -1 : exec_improper(e);
}

static int
run_session(struct exec *s, struct err *e)
{
	struct msg_monitor_started started;
	own_fd int sock = -1;
	pid_t pid;
	int r;

	scope_enter(s->x, s->c->config->cgroup_manager);
	warm_start();
	s->monitor = spawn_peer(ROLE_RUN, ROLE_MONITOR, &pid, e);
	if (s->monitor == NULL || (!s->q->detach && session_pair(&sock, &s->attach, e) == -1))
		return -1;
	if (runtime_find(s->x, s->c->config, &s->runtime, e) == -1 || write_process(s, e) == -1 ||
	    start(s, &started, e) == -1) {
		forget(s, NULL);
		return refused(s, e);
	}
	fd_close(&s->attach);
	if (s->q->detach) {
		outlive_caller(s, &started);
		return 0;
	}
	r = attend(s, sock, &started, e);
	if (r >= 0) {
		forget(s, &r);
		peer_send(
		    s->monitor, &msg_monitor_cleaned_desc, 0, &(struct msg_monitor_cleaned){0}, e);
	}
	return r;
}

int
exec_improper(struct err *e)
{
	return err_set(e, ERR_STATE,
	    "can only create exec sessions on running containers: container state improper");
}

int
exec_run(struct ctx *x, struct ctr *c, const struct exec_request *q, char session[NAMES_ID_LEN + 1],
    struct err *e)
{
	own_exec struct exec s = {.x = x, .c = c, .q = q, .attach = -1, .preserved = -1};

	if (ctr_config(c, e) == -1)
		return -1;
	names_id(s.id);
	s.dir = session_dir(x, c->id, s.id);
	s.preserve_fds = q->preserve_fds;
	if (q->preserve_fd != NULL && q->preserve_fd->n > 0)
		s.preserved = session_preserved_numbers(
		    q->preserve_fd, &s.arena, &s.preserved_as, &s.preserve_fds, e);
	else if (q->preserve_fds > 0)
		s.preserved = session_preserved(q->preserve_fds, NULL, e);
	if (s.preserved == -1 &&
	    (q->preserve_fds > 0 || (q->preserve_fd != NULL && q->preserve_fd->n > 0)))
		return -1;
	memcpy(session, s.id, NAMES_ID_LEN + 1);
	return run_session(&s, e);
}

int
exec_finish(struct ctx *x, const char *ctr, const char *session, struct err *e)
{
	own_mem char *dir = session_dir(x, ctr, session);
	struct db *db = ctx_db(x, e);
	own_ctr struct ctr c = {0};
	struct err gone = {0};
	int64_t when;
	int code = SYNC_NO_EXIT_FILE;

	if (!names_is_id(session))
		return err_set(e, ERR_INVALID, "%s is no exec session", session);
	sync_exit_file(x, session, &code, &when);
	if (db == NULL || exec_remove(db, session, &code, ctx_now_ns(), e) == -1)
		return -1;
	unlinkat(x->exit_fd, session, 0);
	if (ctr_load(db, ctr, &c, &gone) == 0)
		event_exec_died(x, &c, code);
	return tree_remove(AT_FDCWD, dir, e);
}
