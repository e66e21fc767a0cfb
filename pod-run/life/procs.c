/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/role/spawn.h"
#include "pod-run/life/procs.h"
#include "pod-run/life/usage.h"
#include "pod-run/oci/spec_cap.h"

#define TEXT_MAX ((size_t)256 << 10)
#define PASSWD_MAX (4 << 20)
#define GROUPS_MAX 64
#define NS INT64_C(1000000000)

struct proc {
	pid_t pid; /* the host's */
	char state, comm[64], tty[24];
	char *args;
	uint64_t inner_pid, inner_pgid, ppid;
	uint64_t ruid, uid, rgid, gid, groups[GROUPS_MAX];
	size_t ngroups;
	uint64_t caps[5]; /* inherited, permitted, effective, bounding, ambient */
	uint64_t seccomp, cpu_ns, start_ns, vsz, rss;
	int64_t nice;
	const char *label;
};

struct procs {
	const struct ctr *c;
	struct proc *v;
	size_t n, cap;
	int64_t now_ns;
	struct rec_gid *uids, *gids; /* of the container, for its files */
	size_t uids_n, gids_n;
	struct peer_in names;
	struct arena a;
};

/* --- Reading ------------------------------------------------------------------------------------*/

static char *
slurp(struct procs *s, pid_t pid, const char *file, size_t *n)
{
	char path[64];
	own_fd int fd = -1;
	struct err ignored = {0};
	char *text, *copy;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || file_slurp(fd, TEXT_MAX, path, &text, n, &ignored) == -1)
		return NULL;
	copy = arena_strndup(&s->a, text, *n);
	memcpy(copy, text, *n);
	free(text);
	return copy;
}

/* The last number of a line: that of the innermost namespace. */
static uint64_t
last_number(const char *line)
{
	uint64_t n = 0;
	const char *p = strrchr(line, '\t');

	text_to_u64(p != NULL ? p + 1 : line, UINT64_MAX, &n);
	return n;
}

static void
read_ids(const char *line, uint64_t *real, uint64_t *effective)
{
	unsigned long long r = 0, f = 0;

	sscanf(line, "%llu %llu", &r, &f);
	*real = r;
	*effective = f;
}

static void
read_groups(const char *line, struct proc *p)
{
	char *end;

	while (p->ngroups < GROUPS_MAX) {
		unsigned long long g = strtoull(line, &end, 10);

		if (end == line)
			return;
		p->groups[p->ngroups++] = g;
		line = end;
	}
}

static void
status_line(struct proc *p, const char *key, const char *value)
{
	static const char *const caps[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

	for (size_t i = 0; i < COUNTOF(caps); i++)
		if (strcmp(key, caps[i]) == 0)
			p->caps[i] = strtoull(value, NULL, 16);
	if (strcmp(key, "Uid") == 0)
		read_ids(value, &p->ruid, &p->uid);
	else if (strcmp(key, "Gid") == 0)
		read_ids(value, &p->rgid, &p->gid);
	else if (strcmp(key, "Groups") == 0)
		read_groups(value, p);
	else if (strcmp(key, "NSpid") == 0)
		p->inner_pid = last_number(value);
	else if (strcmp(key, "NSpgid") == 0)
		p->inner_pgid = last_number(value);
	else if (strcmp(key, "PPid") == 0)
		text_to_u64(value, UINT64_MAX, &p->ppid);
	else if (strcmp(key, "Seccomp") == 0)
		text_to_u64(value, UINT64_MAX, &p->seccomp);
}

static bool
read_status(struct procs *s, struct proc *p)
{
	size_t n;
	char *text = slurp(s, p->pid, "status", &n), *save = NULL;

	if (text == NULL)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *tab = strstr(line, ":\t");

		if (tab == NULL)
			continue;
		*tab = '\0';
		status_line(p, line, tab + 2);
	}
	return true;
}

static void
name_tty(uint64_t device, char out[24])
{
	unsigned major = (unsigned)(device >> 8 & 0xfff);
	unsigned minor = (unsigned)((device & 0xff) | (device >> 12 & 0xfff00));

	if (major == 136)
		snprintf(out, 24, "pts/%u", minor);
	else if (major == 4)
		snprintf(out, 24, "tty%u", minor);
	else
		snprintf(out, 24, "?");
}

/* proc_pid_stat(5); the name in parentheses may hold anything. */
static bool
read_stat(struct procs *s, struct proc *p)
{
	size_t n;
	char *text = slurp(s, p->pid, "stat", &n), *open_, *close_;
	unsigned long long user, system, start, vsz;
	long nice, rss;
	unsigned tty;
	uint64_t tick = (uint64_t)NS / (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec up;

	open_ = text != NULL ? strchr(text, '(') : NULL;
	close_ = text != NULL ? strrchr(text, ')') : NULL;
	if (open_ == NULL || close_ == NULL ||
	    sscanf(close_ + 1,
		" %c %*d %*d %*d %u %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %ld %*d %*d %llu "
		"%llu %ld",
		&p->state, &tty, &user, &system, &nice, &start, &vsz, &rss) != 8)
		return false;
	*close_ = '\0';
	text_escape(open_ + 1, p->comm, sizeof(p->comm));
	p->cpu_ns = (user + system) * tick;
	p->nice = nice;
	p->vsz = vsz / 1024;
	p->rss = (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
	clock_gettime(CLOCK_BOOTTIME, &up);
	p->start_ns = (uint64_t)(s->now_ns - ((int64_t)up.tv_sec * NS + up.tv_nsec)) + start * tick;
	name_tty(tty, p->tty);
	return true;
}

static void
read_args(struct procs *s, struct proc *p)
{
	size_t n = 0;
	char *text = slurp(s, p->pid, "cmdline", &n);
	size_t room;

	if (text == NULL || n == 0) {
		p->args = arena_printf(&s->a, "[%s]", p->comm);
		return;
	}
	for (size_t i = 0; i + 1 < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	room = 4 * n + 1;
	p->args = arena_alloc(&s->a, room);
	text_escape(text, p->args, room);
}

static void
read_label(struct procs *s, struct proc *p)
{
	size_t n;
	char *text = slurp(s, p->pid, "attr/current", &n), *safe;

	p->label = "?";
	if (text == NULL || *text == '\0')
		return;
	text[strcspn(text, "\n")] = '\0';
	safe = arena_alloc(&s->a, 4 * n + 1);
	text_escape(text, safe, 4 * n + 1);
	p->label = safe;
}

static void
read_all(struct procs *s)
{
	own_usage_pids struct usage_pids pids = {0};

	usage_pids_list(s->c, &pids);
	s->now_ns = ctx_now_ns();
	s->v = arena_array(&s->a, pids.n + 1, sizeof(*s->v));
	for (size_t i = 0; i < pids.n; i++) {
		struct proc *p = &s->v[s->n];

		*p = (struct proc){.pid = pids.v[i]};
		if (!read_status(s, p) || !read_stat(s, p))
			continue;
		read_args(s, p);
		read_label(s, p);
		s->n++;
	}
}

/* --- Names --------------------------------------------------------------------------------------*/

/* The number inside, by the map of the container's first process, which is told in our own numbers. */
static uint64_t
inside(struct procs *s, const char *map, uint64_t id)
{
	char *text, *save = NULL;
	size_t n;

	text = slurp(s, s->c->pid, map, &n);
	for (char *line = text != NULL ? strtok_r(text, "\n", &save) : NULL; line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned long long in, out, count;

		if (sscanf(line, "%llu %llu %llu", &in, &out, &count) == 3 && id >= out &&
		    id - out < count)
			return in + (id - out);
	}
	return id;
}

static void
want(struct rec_gid *v, size_t *n, size_t max, uint64_t id)
{
	for (size_t i = 0; i < *n; i++)
		if (v[i].id == id)
			return;
	if (*n < max)
		v[(*n)++].id = id;
}

/*
 * Asks the worker for all names at once.  The files are regular ones, found below the container's root.
 * Without them numbers are shown.
 */
static void
find_names(struct procs *s)
{
	size_t max = s->n * (GROUPS_MAX + 2) + 1;
	struct msg_names_find m = {0};
	struct err e = {0};
	char path[64];
	own_fd int root = -1, passwd = -1, group = -1;
	struct peer *worker;
	pid_t pid;

	s->uids = arena_array(&s->a, max, sizeof(*s->uids));
	s->gids = arena_array(&s->a, max, sizeof(*s->gids));
	for (size_t i = 0; i < s->n; i++) {
		const struct proc *p = &s->v[i];

		want(s->uids, &s->uids_n, max, inside(s, "uid_map", p->uid));
		want(s->uids, &s->uids_n, max, inside(s, "uid_map", p->ruid));
		want(s->gids, &s->gids_n, max, inside(s, "gid_map", p->gid));
		want(s->gids, &s->gids_n, max, inside(s, "gid_map", p->rgid));
		for (size_t k = 0; k < p->ngroups; k++)
			want(s->gids, &s->gids_n, max, inside(s, "gid_map", p->groups[k]));
	}
	snprintf(path, sizeof(path), "/proc/%d/root", (int)s->c->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return;
	passwd = path_open_regular(root, "/etc/passwd", PATH_IN_ROOT, PASSWD_MAX, NULL, &e);
	group = path_open_regular(root, "/etc/group", PATH_IN_ROOT, PASSWD_MAX, NULL, &e);
	m.uids.v = s->uids;
	m.uids.n = s->uids_n;
	m.gids.v = s->gids;
	m.gids.n = s->gids_n;
	m.passwd = passwd;
	m.group = group;
	worker = spawn_peer(ROLE_RUN, ROLE_NAMES, &pid, &e);
	if (worker != NULL)
		peer_call(worker, &msg_names_find_desc, &m, &s->names, NULL, NULL, &e);
	peer_free(worker);
}

static void
add_name(struct procs *s, bool user, uint64_t id, struct strbuf *b)
{
	const struct msg_names_found *f =
	    s->names.msg != NULL ? MSG_OF(&s->names, names_found) : NULL;
	uint64_t in = inside(s, user ? "uid_map" : "gid_map", id);
	size_t n = f == NULL ? 0 : user ? f->users.n : f->groups.n;
	const struct rec_id_name *v = f == NULL ? NULL : user ? f->users.v : f->groups.v;

	for (size_t i = 0; i < n; i++)
		if (v[i].id == in) {
			char safe[300];

			text_escape(v[i].name, safe, sizeof(safe));
			strbuf_add(b, safe);
			return;
		}
	strbuf_addf(b, "%llu", (unsigned long long)in);
}

/* --- Columns ------------------------------------------------------------------------------------*/

/* The number outside our own user namespace, and its name in the host's own files. */
static uint64_t
outside(struct procs *s, const char *map, uint64_t id)
{
	char *save = NULL, *text;
	size_t n;

	text = slurp(s, getpid(), map, &n);
	for (char *line = text != NULL ? strtok_r(text, "\n", &save) : NULL; line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned long long in, out, count;

		if (sscanf(line, "%llu %llu %llu", &in, &out, &count) == 3 && id >= in &&
		    id - in < count)
			return out + (id - in);
	}
	return id;
}

static void
add_host_user(struct procs *s, uint64_t id, struct strbuf *b)
{
	own_file FILE *f = fopen("/etc/passwd", "re");
	uint64_t out = outside(s, "uid_map", id);
	const struct passwd *p;

	while (f != NULL && (p = fgetpwent(f)) != NULL)
		if (p->pw_uid == out) {
			strbuf_add(b, p->pw_name);
			return;
		}
	strbuf_addf(b, "%llu", (unsigned long long)out);
}

static void
add_host_group(struct procs *s, uint64_t id, struct strbuf *b)
{
	own_file FILE *f = fopen("/etc/group", "re");
	uint64_t out = outside(s, "gid_map", id);
	const struct group *g;

	while (f != NULL && (g = fgetgrent(f)) != NULL)
		if (g->gr_gid == out) {
			strbuf_add(b, g->gr_name);
			return;
		}
	strbuf_addf(b, "%llu", (unsigned long long)out);
}

typedef void cell_fn(struct procs *s, const struct proc *p, struct strbuf *b);

static void
add_caps(uint64_t caps, struct strbuf *b)
{
	own_strv struct strv names = {0};
	const char *name;

	for (unsigned i = 0; (name = spec_cap_name(i)) != NULL; i++)
		if (caps >> i & 1)
			strv_add(&names, name + strlen("CAP_"));
	strv_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		strbuf_addf(b, "%s%s", i > 0 ? "," : "", names.v[i]);
}

static void
cell_caps(uint64_t caps, struct strbuf *b)
{
	uint64_t all = 0;

	for (unsigned i = 0; spec_cap_name(i) != NULL; i++)
		all |= 1ull << i;
	if (caps == 0)
		strbuf_add(b, "none");
	else if ((caps & all) == all)
		strbuf_add(b, "full");
	else
		add_caps(caps, b);
}

#define CELL(name)               \
	static void cell_##name( \
	    struct procs *s __attribute__((unused)), const struct proc *p, struct strbuf *b)

CELL(args)
{
	strbuf_add(b, p->args);
}
CELL(comm)
{
	strbuf_add(b, p->comm);
}
CELL(capinh)
{
	cell_caps(p->caps[0], b);
}
CELL(capprm)
{
	cell_caps(p->caps[1], b);
}
CELL(capeff)
{
	cell_caps(p->caps[2], b);
}
CELL(capbnd)
{
	cell_caps(p->caps[3], b);
}
CELL(capamb)
{
	cell_caps(p->caps[4], b);
}
CELL(etime)
{
	char text[HUMAN_MAX];

	strbuf_add(b, human_go_duration(s->now_ns - (int64_t)p->start_ns, text, sizeof(text)));
}
CELL(group)
{
	add_name(s, false, p->gid, b);
}
CELL(rgroup)
{
	add_name(s, false, p->rgid, b);
}
CELL(groups)
{
	for (size_t i = 0; i < p->ngroups; i++) {
		strbuf_add(b, i > 0 ? "," : "");
		add_name(s, false, p->groups[i], b);
	}
}
CELL(hgroup)
{
	add_host_group(s, p->gid, b);
}
CELL(hgroups)
{
	for (size_t i = 0; i < p->ngroups; i++)
		strbuf_addf(b, "%s%llu", i > 0 ? "," : "", (unsigned long long)p->groups[i]);
}
CELL(hpid)
{
	strbuf_addf(b, "%d", (int)p->pid);
}
CELL(huser)
{
	add_host_user(s, p->uid, b);
}
CELL(label)
{
	strbuf_add(b, p->label);
}
CELL(nice)
{
	strbuf_addf(b, "%lld", (long long)p->nice);
}
CELL(pcpu)
{
	int64_t lived = s->now_ns - (int64_t)p->start_ns;

	strbuf_addf(b, "%.3f", lived > 0 ? (double)p->cpu_ns * 100 / (double)lived : 0);
}
CELL(pgid)
{
	strbuf_addf(b, "%llu", (unsigned long long)p->inner_pgid);
}
CELL(pid)
{
	strbuf_addf(b, "%llu", (unsigned long long)p->inner_pid);
}
/* A parent outside the container is 0, as the container sees it. */
CELL(ppid)
{
	uint64_t ppid = 0;

	for (size_t i = 0; i < s->n; i++)
		if ((uint64_t)s->v[i].pid == p->ppid)
			ppid = s->v[i].inner_pid;
	strbuf_addf(b, "%llu", (unsigned long long)ppid);
}
CELL(rss)
{
	strbuf_addf(b, "%llu", (unsigned long long)p->rss);
}
CELL(ruser)
{
	add_name(s, true, p->ruid, b);
}
CELL(user)
{
	add_name(s, true, p->uid, b);
}
CELL(seccomp)
{
	static const char *const modes[] = {"disabled", "strict", "filter"};

	strbuf_add(b, p->seccomp < COUNTOF(modes) ? modes[p->seccomp] : "?");
}
CELL(state)
{
	strbuf_addc(b, p->state);
}
CELL(stime)
{
	char text[HUMAN_MAX];

	strbuf_add(b, human_go_time((int64_t)p->start_ns / NS * NS, text, sizeof(text)));
}
CELL(time)
{
	char text[HUMAN_MAX];

	strbuf_add(b, human_go_duration((int64_t)p->cpu_ns / NS * NS, text, sizeof(text)));
}
CELL(tty)
{
	strbuf_add(b, p->tty);
}
CELL(vsz)
{
	strbuf_addf(b, "%llu", (unsigned long long)p->vsz);
}

static const struct column {
	const char *name, *code, *heading;
	cell_fn *cell;
} columns[] = {
    {"args", "%a", "COMMAND", cell_args},
    {"capamb", NULL, "AMBIENT CAPS", cell_capamb},
    {"capbnd", NULL, "BOUNDING CAPS", cell_capbnd},
    {"capeff", NULL, "EFFECTIVE CAPS", cell_capeff},
    {"capinh", NULL, "INHERITED CAPS", cell_capinh},
    {"capprm", NULL, "PERMITTED CAPS", cell_capprm},
    {"comm", "%c", "COMMAND", cell_comm},
    {"etime", "%t", "ELAPSED", cell_etime},
    {"group", "%G", "GROUP", cell_group},
    {"groups", NULL, "GROUPS", cell_groups},
    {"hgroup", NULL, "HGROUP", cell_hgroup},
    {"hgroups", NULL, "HGROUPS", cell_hgroups},
    {"hpid", NULL, "HPID", cell_hpid},
    {"huser", NULL, "HUSER", cell_huser},
    {"label", NULL, "LABEL", cell_label},
    {"nice", "%n", "NI", cell_nice},
    {"pcpu", "%C", "%CPU", cell_pcpu},
    {"pgid", "%r", "PGID", cell_pgid},
    {"pid", "%p", "PID", cell_pid},
    {"ppid", "%P", "PPID", cell_ppid},
    {"rgroup", "%g", "RGROUP", cell_rgroup},
    {"rss", NULL, "RSS", cell_rss},
    {"ruser", "%u", "RUSER", cell_ruser},
    {"seccomp", NULL, "SECCOMP", cell_seccomp},
    {"state", NULL, "STATE", cell_state},
    {"stime", NULL, "STIME", cell_stime},
    {"time", "%x", "TIME", cell_time},
    {"tty", "%y", "TTY", cell_tty},
    {"user", "%U", "USER", cell_user},
    {"vsz", "%z", "VSZ", cell_vsz},
};

static const struct column *
find_column(const char *word)
{
	for (size_t i = 0; i < COUNTOF(columns); i++)
		if (strcmp(columns[i].name, word) == 0 ||
		    (columns[i].code != NULL && strcmp(columns[i].code, word) == 0))
			return &columns[i];
	return NULL;
}

bool
procs_is_column(const char *word)
{
	return find_column(word) != NULL;
}

const char *
procs_columns(void)
{
	return "args,capamb,capbnd,capeff,capinh,capprm,comm,etime,group,groups,hgroup,hgroups,"
	       "hpid,"
	       "huser,label,nice,pcpu,pgid,pid,ppid,rgroup,rss,ruser,seccomp,state,stime,time,tty,"
	       "user,vsz";
}

int
procs_table(
    struct ctx *x, const struct ctr *c, const struct strv *names, struct strbuf *out, struct err *e)
{
	struct procs s = {.c = c};

	(void)x;
	read_all(&s);
	find_names(&s);
	for (size_t i = 0; i < names->n; i++)
		strbuf_addf(out, "%s%s", i > 0 ? "\t" : "", find_column(names->v[i])->heading);
	strbuf_addc(out, '\n');
	for (size_t k = 0; k < s.n; k++) {
		for (size_t i = 0; i < names->n; i++) {
			strbuf_add(out, i > 0 ? "\t" : "");
			find_column(names->v[i])->cell(&s, &s.v[k], out);
		}
		strbuf_addc(out, '\n');
	}
	peer_in_free(&s.names);
	arena_free(&s.a);
	return s.n > 0 ? 0 : err_set(e, ERR_STATE, "top can only be used on running containers");
}
