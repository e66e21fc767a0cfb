/* SPDX-License-Identifier: ISC */
#include "common/oci/monitor.h"
#include "pod-run/oci/config_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "pod-run/oci/config_json.h"
#include "pod-run/oci/spec_cap.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/state/summary.h"

#define DEFAULT_LIMIT 1048576

/* What the process is given, after exec's words were laid over the container's. */
struct process {
	const struct rec_ctr_config *c;
	const struct spec_facts *f;
	const struct spec_exec *x;
	uint32_t uid, gid;
	const struct rec_gid *groups;
	size_t groups_n;
	const char *home;
};

/* The kernel would refuse them all because of one that the user namespace does not know. */
static void
write_group(const struct rec_ctr_config *c, uint64_t gid, struct strbuf *b)
{
	bool known = c->gid_map.n == 0;

	for (size_t i = 0; i < c->gid_map.n; i++)
		known = known || (gid >= c->gid_map.v[i].inside &&
				     gid - c->gid_map.v[i].inside < c->gid_map.v[i].count);
	if (known)
		config_json_uint(b, NULL, gid);
	else
		log_warn(
		    "Additional gid=%llu is not present in the user namespace, skip setting it",
		    (unsigned long long)gid);
}

static void
write_user(const struct process *p, struct strbuf *b)
{
	/*
	 * Safe because a process that gives up its primary group for another one, as by a set-group-ID
	 * program, stays bound by what files forbid that group (CVE-2022-2989).
	 */
	bool own_group = p->x == NULL && p->c->user != NULL && *p->c->user != '\0';
	const struct cdi_edits *cdi = p->x == NULL ? p->f->cdi : NULL;
	size_t more = cdi != NULL ? cdi->gids.n : 0;

	for (size_t i = 0; i < p->groups_n; i++)
		own_group = own_group && p->groups[i].id != p->gid;
	config_json_open(b, "user", '{');
	config_json_uint(b, "uid", p->uid);
	config_json_uint(b, "gid", p->gid);
	if (p->c->umask != NULL)
		config_json_uint(b, "umask", strtoul(p->c->umask, NULL, 8) & 0777);
	if ((p->groups_n + more > 0 || own_group) && !p->c->keep_groups) {
		config_json_open(b, "additionalGids", '[');
		for (size_t i = 0; i < p->groups_n; i++)
			write_group(p->c, p->groups[i].id, b);
		for (size_t i = 0; i < more; i++)
			write_group(p->c, cdi->gids.v[i], b);
		if (own_group)
			config_json_uint(b, NULL, p->gid);
		config_json_close(b, ']');
	}
	config_json_close(b, '}');
}

/* The container's first process is whom they are for. */
static void
add_listen(const struct process *p, struct arena *a, struct strs *env)
{
	const char *names = getenv("LISTEN_FDNAMES");

	spec_list_env_set(
	    a, env, arena_printf(a, "LISTEN_FDS=%llu", (unsigned long long)p->f->listen_fds));
	spec_list_env_set(a, env, "LISTEN_PID=1");
	if (names != NULL)
		spec_list_env_set(a, env, arena_printf(a, "LISTEN_FDNAMES=%s", names));
}

static void
write_env(const struct process *p, struct strbuf *b)
{
	own_arena struct arena a = {0};
	struct strs env = {0};

	for (size_t i = 0; i < p->c->env.n; i++)
		spec_list_add(&a, &env, p->c->env.v[i]);
	if (p->f->notify)
		spec_list_add(&a, &env, "NOTIFY_SOCKET=/run/" MONITOR_NOTIFY);
	if (p->f->listen_fds > 0)
		add_listen(p, &a, &env);
	if (spec_list_env_get(&env, "HOSTNAME", 8) == NULL && p->f->hostname != NULL)
		spec_list_addf(&a, &env, "HOSTNAME=%s", p->f->hostname);
	for (size_t i = 0; p->f->cdi != NULL && i < p->f->cdi->env.n; i++)
		spec_list_env_set(&a, &env, p->f->cdi->env.v[i]);
	for (size_t i = 0; p->f->secret_env != NULL && i < p->f->secret_env->n; i++)
		spec_list_env_set(&a, &env, p->f->secret_env->v[i]);
	if (p->c->systemd && spec_list_env_get(&env, "container_uuid", 14) == NULL)
		spec_list_addf(&a, &env, "container_uuid=%.32s", p->f->id);
	if (p->x != NULL && p->x->tty)
		spec_list_env_set(&a, &env, "TERM=xterm");
	for (size_t i = 0; p->x != NULL && i < p->x->env_n; i++)
		spec_list_env_set(&a, &env, p->x->env[i]);
	if (spec_list_env_get(&env, "HOME", 4) == NULL)
		spec_list_addf(&a, &env, "HOME=%s", p->home != NULL ? p->home : "/");
	config_json_strs(b, "env", env.v, env.n);
}

static void
write_cap_set(struct strbuf *b, const char *key, const struct strs *l)
{
	config_json_strs(b, key, l->v, l->n);
}

/*
 * Root gets the whole set.  Another user gets only what was added for it, as ambient capabilities;
 * the bounding set, which limits set-user-ID programs, is the same for both.  Nothing is
 * inheritable that is not ambient (CVE-2022-27649).
 */
static void
write_caps(const struct process *p, struct strbuf *b)
{
	own_arena struct arena a = {0};
	struct strs bounding = p->c->caps, effective = {0};
	bool root = p->uid == 0, privileged = p->x != NULL && p->x->privileged;

	if (privileged) {
		bounding = (struct strs){0};
		spec_cap_list(spec_cap_bounding(), &a, &bounding);
	}
	spec_cap_list(
	    spec_cap_effective(&p->c->cap_add, spec_cap_mask(&bounding), root), &a, &effective);
	config_json_open(b, "capabilities", '{');
	write_cap_set(b, "bounding", &bounding);
	write_cap_set(b, "effective", &effective);
	write_cap_set(b, "permitted", &effective);
	if (!root && effective.n > 0) {
		write_cap_set(b, "inheritable", &effective);
		write_cap_set(b, "ambient", &effective);
	}
	config_json_close(b, '}');
}

static const struct {
	const char *type;
	int resource;
} limits[] = {{"RLIMIT_CORE", RLIMIT_CORE}, {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA}, {"RLIMIT_FSIZE", RLIMIT_FSIZE}, {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE}, {"RLIMIT_NOFILE", RLIMIT_NOFILE}, {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS}, {"RLIMIT_RTPRIO", RLIMIT_RTPRIO}, {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING}, {"RLIMIT_STACK", RLIMIT_STACK}};

static void
write_limit(struct strbuf *b, const char *type, uint64_t soft, uint64_t hard)
{
	config_json_open(b, NULL, '{');
	config_json_str(b, "type", type);
	config_json_uint(b, "hard", hard);
	config_json_uint(b, "soft", soft);
	config_json_close(b, '}');
}

/* A limit that was asked for and cannot be had is an error; the runtime's own would not say why. */
static int
check_limit(const struct process *p, const struct rec_ctr_rlimit *r, struct err *e)
{
	struct rlimit own;

	if (p->f->sys_resource)
		return 0;
	for (size_t i = 0; i < COUNTOF(limits); i++) {
		if (strcmp(limits[i].type, r->type) != 0 ||
		    getrlimit((__rlimit_resource_t)limits[i].resource, &own) < 0)
			continue;
		if (own.rlim_max != RLIM_INFINITY && r->hard > own.rlim_max)
			return err_set(e, ERR_DENIED,
			    "setting %s to %lld: the caller's own hard limit is %llu and it has no "
			    "CAP_SYS_RESOURCE",
			    r->type, (long long)r->hard, (unsigned long long)own.rlim_max);
	}
	return 0;
}

void
config_process_default_limit(bool may_raise, int resource, uint64_t *soft, uint64_t *hard)
{
	struct rlimit own;

	*soft = *hard = DEFAULT_LIMIT;
	if (may_raise || getrlimit((__rlimit_resource_t)resource, &own) == -1)
		return;
	if (own.rlim_max != RLIM_INFINITY && own.rlim_max < *hard)
		*hard = own.rlim_max;
	if (own.rlim_cur != RLIM_INFINITY && own.rlim_cur < *soft)
		*soft = own.rlim_cur;
}

static void
write_default_limit(const struct process *p, const char *type, int resource, struct strbuf *b)
{
	uint64_t soft, hard;

	for (size_t i = 0; i < p->c->rlimits.n; i++)
		if (strcmp(p->c->rlimits.v[i].type, type) == 0)
			return;
	config_process_default_limit(p->f->sys_resource, resource, &soft, &hard);
	write_limit(b, type, soft, hard);
}

static int
write_limits(const struct process *p, struct strbuf *b, struct err *e)
{
	if (p->c->host_rlimits)
		return 0;
	config_json_open(b, "rlimits", '[');
	for (size_t i = 0; i < p->c->rlimits.n; i++) {
		const struct rec_ctr_rlimit *r = &p->c->rlimits.v[i];

		if (check_limit(p, r, e) < 0)
			return -1;
		write_limit(b, r->type, r->soft, r->hard);
	}
	write_default_limit(p, "RLIMIT_NOFILE", RLIMIT_NOFILE, b);
	write_default_limit(p, "RLIMIT_NPROC", RLIMIT_NPROC, b);
	config_json_close(b, ']');
	return 0;
}

/* An ordinary user can only raise its own value. */
static void
write_oom(const struct process *p, struct strbuf *b)
{
	int64_t value = p->c->oom_score_adj;
	own_file FILE *file = NULL;
	long own;

	if (!p->c->oom_score_adj_set)
		return;
	file = p->f->rootless ? fopen("/proc/self/oom_score_adj", "re") : NULL;
	if (file != NULL && fscanf(file, "%ld", &own) == 1 && own > value)
		value = own;
	config_json_int(b, "oomScoreAdj", value);
}

static void
write_args(const struct process *p, struct strbuf *b)
{
	own_strv struct strv args = {0};

	if (p->x != NULL) {
		config_json_strs(b, "args", p->x->args, p->x->args_n);
		return;
	}
	summary_args(p->c, &args);
	config_json_strs(b, "args", (const char *const *)args.v, args.n);
}

/*
 * The monitor sets it too, but the program may look before the monitor has the terminal.
 */
static void
write_size(uint64_t rows, uint64_t columns, struct strbuf *b)
{
	if (rows == 0 || columns == 0)
		return;
	config_json_open(b, "consoleSize", '{');
	config_json_uint(b, "height", rows);
	config_json_uint(b, "width", columns);
	config_json_close(b, '}');
}

int
config_process_write(const struct rec_ctr_config *c, const struct spec_facts *f,
    const struct spec_exec *x, const char *key, struct strbuf *b, struct err *e)
{
	struct process p = {.c = c,
	    .f = f,
	    .x = x,
	    .uid = x != NULL ? x->uid : f->uid,
	    .gid = x != NULL ? x->gid : f->gid,
	    .groups = x != NULL ? x->groups : f->groups,
	    .groups_n = x != NULL ? x->groups_n : f->groups_n,
	    .home = x != NULL ? x->home : f->home};

	config_json_open(b, key, '{');
	if (x != NULL ? x->tty : c->tty) {
		config_json_bool(b, "terminal", true);
		write_size(x != NULL ? x->rows : f->rows, x != NULL ? x->columns : f->columns, b);
	}
	write_user(&p, b);
	write_args(&p, b);
	write_env(&p, b);
	config_json_str(b, "cwd",
	    x != NULL && x->cwd != NULL ? x->cwd : (c->workdir != NULL ? c->workdir : "/"));
	write_caps(&p, b);
	if (write_limits(&p, b, e) < 0)
		return -1;
	if (c->no_new_privs)
		config_json_bool(b, "noNewPrivileges", true);
	if (c->label != NULL && *c->label != '\0' && (x == NULL || !x->privileged))
		config_json_str(b, "selinuxLabel", c->label);
	if (c->apparmor != NULL && *c->apparmor != '\0' && strcmp(c->apparmor, "unconfined") != 0)
		config_json_str(b, "apparmorProfile", c->apparmor);
	if (x == NULL)
		write_oom(&p, b);
	config_json_close(b, '}');
	return 0;
}
