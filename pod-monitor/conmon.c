/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-monitor/conmon.h"
#include "pod-monitor/logs.h"

/* --- Logs --------------------------------------------------------------------------------------
 */

int
conmon_log_target(char *word, struct rec_log_target *t, struct err *e)
{
	static const char *const alone[] = {"journald", "passthrough", "none", "off", "null"};
	char *colon = strchr(word, ':');

	if (word[0] == '\0' || strcmp(word, ":") == 0)
		return err_set(e, ERR_INVALID, "log-path must not be empty");
	t->driver = "k8s-file";
	if (colon == NULL) {
		t->path = word;
		for (size_t i = 0; i < COUNTOF(alone); i++)
			if (strcmp(word, alone[i]) == 0)
				t->driver = alone[i];
		if (strcmp(word, "k8s-file") == 0)
			t->path = NULL;
		return 0;
	}
	*colon = '\0';
	t->path = colon + 1;
	if (colon > word)
		t->driver = word;
	return 0;
}

static bool
has_driver(const struct conmon *c, const char *name)
{
	for (size_t i = 0; i < c->job.logs_n; i++)
		if (strcmp(c->logs[i].driver, name) == 0)
			return true;
	return false;
}

/* A path that is going to be renamed as a whole must not be led astray by others. */
static int
check_rotated_path(const struct conmon_opts *o, const char *path, struct err *e)
{
	own_mem char *dir =
	    path != NULL ? xstrndup(path,
			       (size_t)(strrchr(path, '/') != NULL ? strrchr(path, '/') - path : 0))
			 : NULL;
	own_mem char *real = NULL, *allowed = NULL;
	size_t n;

	if (path == NULL || path[0] != '/' || strstr(path, "../") != NULL)
		return err_set(e, ERR_INVALID, "log path %s must be absolute, without ../",
		    path != NULL ? path : "");
	real = realpath(*dir != '\0' ? dir : "/", NULL);
	if (real == NULL)
		return err_sys(e, "Failed to open log file %s", path);
	if (o->log_allow_dir == NULL)
		return 0;
	allowed = realpath(o->log_allow_dir, NULL);
	n = allowed != NULL ? strlen(allowed) : 0;
	if (allowed == NULL || strncmp(real, allowed, n) != 0 ||
	    (real[n] != '/' && real[n] != '\0'))
		return err_set(
		    e, ERR_INVALID, "log path %s is not below %s", path, o->log_allow_dir);
	return 0;
}

static int
make_logs(const struct conmon_opts *o, struct conmon *c, struct err *e)
{
	if (o->log_paths.n == 0)
		return err_set(e, ERR_INVALID, "Log driver not provided. Use --log-path");
	if (o->log_paths.n > COUNTOF(c->logs))
		return err_set(e, ERR_LIMIT, "more than %zu logs", COUNTOF(c->logs));
	if (o->log_files_max < 0)
		return err_set(e, ERR_INVALID, "log-max-files must be non-negative");
	if (o->log_rotate && o->log_files_max < 1)
		return err_set(
		    e, ERR_INVALID, "log-max-files must be at least 1 when log-rotate is enabled");
	if (o->log_files_max > 1000)
		return err_set(e, ERR_INVALID, "log-max-files is out of range");
	for (size_t i = 0; i < o->log_paths.n; i++) {
		struct rec_log_target *t = &c->logs[i];

		if (conmon_log_target(o->log_paths.v[i], t, e) != 0)
			return -1;
		t->size_max = o->log_size_max;
		t->total_max = o->log_total_max;
		t->files_max = o->log_rotate ? (uint64_t)o->log_files_max : 0;
		t->tag = o->log_tag;
		t->labels = (struct strs){(const char **)o->log_labels.v, o->log_labels.n};
		t->no_partial_mark = o->no_partial_mark;
		t->volatile_ = o->no_sync_log;
		if (o->log_rotate && strcmp(t->driver, "k8s-file") == 0 &&
		    check_rotated_path(o, t->path, e) != 0)
			return -1;
	}
	c->job.logs = c->logs;
	c->job.logs_n = o->log_paths.n;
	if (has_driver(c, "k8s-file") && !has_driver(c, "journald") && o->log_tag != NULL)
		return err_set(e, ERR_INVALID, "k8s-file doesn't support --log-tag");
	if (has_driver(c, "k8s-file") && !has_driver(c, "journald") && o->log_labels.n > 0)
		return err_set(e, ERR_INVALID, "k8s-file doesn't support --log-label");
	return 0;
}

/* --- The job -----------------------------------------------------------------------------------
 */

static int
check(const struct conmon_opts *o, struct err *e)
{
	if (o->cid == NULL)
		return err_set(e, ERR_INVALID, "Container ID not provided. Use --cid");
	if (strchr(o->cid, '/') != NULL || o->cid[0] == '\0')
		return err_set(e, ERR_INVALID, "Container ID %s is not valid", o->cid);
	if (o->restore != NULL && o->exec)
		return err_set(e, ERR_INVALID, "Cannot use 'exec' and 'restore' at the same time");
	if (o->exec_attach && !o->exec)
		return err_set(e, ERR_INVALID, "Attach can only be specified with exec");
	if (o->exec_attach && !o->api_version)
		return err_set(
		    e, ERR_INVALID, "Attach can only be specified for a non-legacy exec session");
	if (o->runtime == NULL)
		return err_set(e, ERR_INVALID, "Runtime path not provided. Use --runtime");
	/* A system call that waits for an answer would wait for ever. */
	if (o->seccomp_socket != NULL || o->seccomp_plugins != NULL)
		return err_set(
		    e, ERR_UNSUPPORTED, "seccomp support not present: --seccomp-notify-socket");
	if (access(o->runtime, X_OK) != 0)
		return err_set(e, ERR_INVALID, "Runtime path %s is not valid", o->runtime);
	if (o->exec && o->process_spec == NULL)
		return err_set(
		    e, ERR_INVALID, "Exec process spec path not provided. Use --exec-process-spec");
	if (o->cuuid == NULL && (!o->exec || o->api_version))
		return err_set(e, ERR_INVALID, "Container UUID not provided. Use --cuuid");
	if (o->timeout_s < 0 || o->timeout_s > INT32_MAX || o->exit_delay_s < 0 ||
	    o->exit_delay_s > INT32_MAX)
		return err_set(e, ERR_INVALID, "a time is out of range");
	return 0;
}

static struct strs
strs_of(const struct strv *l)
{
	return (struct strs){.v = (const char **)l->v, .n = l->n};
}

int
conmon_job(const struct conmon_opts *o, struct conmon *c, struct err *e)
{
	struct job *j = &c->job;

	if (check(o, e) != 0 || make_logs(o, c, e) != 0)
		return -1;
	c->cwd = getcwd(NULL, 0);
	if (c->cwd == NULL)
		return err_sys(e, "Failed to get working directory");
	if (o->container_pid_file == NULL)
		c->pid_file = xasprintf("%s/pidfile-%s", c->cwd, o->cid);
	j->foreign = true;
	j->exec = o->exec;
	j->id = j->exit_name = o->cid;
	j->name = o->name;
	j->bundle = o->bundle != NULL || o->exec ? o->bundle : c->cwd;
	j->runtime = o->runtime;
	j->process_file = o->process_spec;
	j->container_pid_file = c->pid_file != NULL ? c->pid_file : o->container_pid_file;
	j->restore = o->restore;
	j->runtime_args = strs_of(&o->runtime_args);
	j->runtime_opts = strs_of(&o->runtime_opts);
	j->systemd_cgroup = o->systemd_cgroup;
	j->terminal = o->terminal;
	j->stdin_ = o->stdin_;
	j->leave_stdin_open = o->leave_stdin_open;
	j->no_pivot = o->no_pivot;
	j->no_new_keyring = o->no_new_keyring;
	j->exit_dir = o->exit_dir;
	j->persist_dir = o->persist_dir;
	j->notify_socket = o->notify_socket;
	j->timeout_s = (uint64_t)o->timeout_s;
	j->exit_delay_s = (uint64_t)o->exit_delay_s;
	j->root = j->shm = j->mount_queue = j->netns = j->holder = j->attach = j->lock =
	    j->preserved = -1;
	if (o->exit_command != NULL) {
		strv_add(&c->exit_command, o->exit_command);
		strv_add_all(&c->exit_command, (const char *const *)o->exit_args.v, o->exit_args.n);
		j->exit_command = strs_of(&c->exit_command);
	}
	return 0;
}
