/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-monitor/logs.h"

#define LOG_FLAGS (O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)
#define JOURNAL "/run/systemd/journal/socket"
#define SHORT_ID 12

/* --- Files -------------------------------------------------------------------------------------
 */

static int
open_dir(const char *path, const char **name, struct err *e)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 1 : (size_t)(slash - path) + 1;

	if (n >= sizeof(dir) || (slash != NULL && slash[1] == '\0'))
		return err_set(e, ERR_INVALID, "log path %s is not a file name", path);
	memcpy(dir, slash == NULL ? "." : path, n);
	dir[n] = '\0';
	*name = slash == NULL ? path : slash + 1;

	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "Failed to open log file %s", path);
}

/*
 * /dev/stdout and its like are links.  Safe to follow because nobody but root can put any there.
 */
static bool
is_device_name(const char *path)
{
	return text_has_prefix(path, "/dev/") && strchr(path + strlen("/dev/"), '/') == NULL;
}

static int
open_file(struct logs *l, const struct rec_log_target *t, const struct logs_owner *o, struct err *e)
{
	own_fd int dir = -1, file = -1;
	const char *name;
	struct stat st;

	(void)o;
	if (t->path == NULL || t->path[0] == '\0')
		return err_set(e, ERR_INVALID, "k8s-file requires a filename");
	if ((dir = open_dir(t->path, &name, e)) < 0)
		return -1;
	file =
	    openat(dir, name, is_device_name(t->path) ? LOG_FLAGS & ~O_NOFOLLOW : LOG_FLAGS, 0640);
	if (file < 0 || fstat(file, &st) != 0)
		return err_sys(e, "Failed to open log file %s", t->path);
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
		return err_set(e, ERR_INVALID, "log %s is not a file", t->path);
	l->v[l->n].name = name;
	l->v[l->n].fixed = !S_ISREG(st.st_mode) || is_device_name(t->path);
	if (l->v[l->n].fixed)
		l->v[l->n].size_max = 0;
	l->v[l->n].size = st.st_size;
	l->v[l->n].fd = fd_take(&file);
	l->v[l->n++].dir = fd_take(&dir);
	return 0;
}

/* --- The journal -------------------------------------------------------------------------------
 */

static int
connect_journal(struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = JOURNAL};
	own_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		return err_sys(e, "connecting to the journal");
	return fd_take(&fd);
}

/*
 * A value must not end its own line: systemd.journal-fields(7) has a second form for such, which
 * nothing here needs.
 */
static int
add_field(struct strbuf *b, const char *name, size_t name_n, const char *value, struct err *e)
{
	if (strchr(value, '\n') != NULL)
		return err_set(e, ERR_INVALID, "a log tag or label may not hold a newline");
	strbuf_addn(b, name, name_n);
	strbuf_addc(b, '=');
	strbuf_add(b, value);
	strbuf_addc(b, '\n');
	return 0;
}

static int
add_label(struct strbuf *b, const char *label, struct err *e)
{
	const char *equal = strchr(label, '=');

	if (equal == NULL || equal == label)
		return err_set(
		    e, ERR_INVALID, "Container labels must be in format LABEL=VALUE (%s)", label);
	for (const char *p = label; p < equal; p++)
		if (!(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9') && *p != '_')
			return err_set(e, ERR_INVALID,
			    "Container label names must contain only uppercase letters, numbers "
			    "and underscore (%s)",
			    label);
	return add_field(b, label, (size_t)(equal - label), equal + 1, e);
}

static int
make_fields(
    const struct rec_log_target *t, const struct logs_owner *o, struct strbuf *b, struct err *e)
{
	own_mem char *cut = xstrndup(o->id, SHORT_ID);
	const char *tag = t->tag != NULL && *t->tag != '\0' ? t->tag : NULL;
	const char *name = o->name != NULL && *o->name != '\0' ? o->name : NULL;
	const char *who = tag != NULL ? tag : name != NULL ? name : cut;
	const struct {
		const char *name, *value;
	} fields[] = {{"CONTAINER_ID_FULL", o->id}, {"CONTAINER_ID", cut}, {"CONTAINER_NAME", name},
	    {"CONTAINER_TAG", tag}, {"SYSLOG_IDENTIFIER", who}};

	if (strlen(o->id) <= SHORT_ID)
		return err_set(
		    e, ERR_INVALID, "Container ID must be longer than %d characters", SHORT_ID);
	for (size_t i = 0; i < COUNTOF(fields); i++)
		if (fields[i].value != NULL &&
		    add_field(b, fields[i].name, strlen(fields[i].name), fields[i].value, e) != 0)
			return -1;
	for (size_t i = 0; i < t->labels.n; i++)
		if (add_label(b, t->labels.v[i], e) != 0)
			return -1;
	return 0;
}

static int
open_journal(
    struct logs *l, const struct rec_log_target *t, const struct logs_owner *o, struct err *e)
{
	own_strbuf struct strbuf b = {0};

	if (make_fields(t, o, &b, e) != 0)
		return -1;
	l->v[l->n].fd = connect_journal(e);
	if (l->v[l->n].fd < 0)
		return -1;
	l->v[l->n].dir = -1;
	l->v[l->n].fields = strbuf_take(&b);
	l->v[l->n++].no_partial_mark = t->no_partial_mark;
	return 0;
}

/* --- All ---------------------------------------------------------------------------------------
 */

typedef int open_fn(
    struct logs *l, const struct rec_log_target *t, const struct logs_owner *o, struct err *e);

static const struct {
	const char *name;
	open_fn *open; /* NULL: nothing is written */
	bool passthrough;
} drivers[] = {
    {"k8s-file", open_file},
    {"json-file", open_file},
    {"journald", open_journal},
    {"passthrough", NULL, true},
    {"passthrough-tty", NULL, true},
    {"none", NULL},
    {"off", NULL},
    {"null", NULL},
};

static int
open_target(
    struct logs *l, const struct rec_log_target *t, const struct logs_owner *o, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(drivers); i++) {
		if (strcmp(t->driver, drivers[i].name) != 0)
			continue;
		l->passthrough |= drivers[i].passthrough;
		if (drivers[i].open == NULL)
			return 0;
		if (l->n == LOGS_MAX)
			return err_set(e, ERR_LIMIT, "more than %d logs", LOGS_MAX);
		l->v[l->n].size_max = t->size_max;
		l->v[l->n].total_max = t->total_max;
		l->v[l->n].is_volatile = t->volatile_;
		l->v[l->n].files_max = (unsigned)t->files_max;
		return drivers[i].open(l, t, o, e);
	}
	return err_set(e, ERR_INVALID, "No such log driver %s", t->driver);
}

int
logs_open(struct logs *l, const struct rec_log_target *targets, size_t n,
    const struct logs_owner *owner, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (open_target(l, &targets[i], owner, e) != 0)
			return -1;
	return 0;
}

int
logs_send(struct logs *l, struct peer *worker, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *fields = l->v[i].fields;
		struct msg_stdio_log m = {.index = i,
		    .size_max = l->v[i].size_max,
		    .size = l->v[i].size,
		    .total_max = l->v[i].total_max,
		    .no_partial_mark = l->v[i].no_partial_mark,
		    .volatile_ = l->v[i].is_volatile,
		    .file = l->v[i].fd};

		if (fields != NULL)
			m.fields =
			    (struct bytes){.p = (const uint8_t *)fields, .n = strlen(fields)};
		if (peer_send(worker, &msg_stdio_log_desc, 0, &m, e) != 0)
			return -1;
		fd_close(&l->v[i].fd);
	}
	return 0;
}

/* path.(N-1) becomes path.N, …, path becomes path.1.  What is missing is passed over. */
static void
shift(const struct logs *l, size_t i)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];

	for (unsigned k = l->v[i].files_max; k > 0; k--) {
		snprintf(to, sizeof(to), "%s.%u", l->v[i].name, k);
		if (k > 1)
			snprintf(from, sizeof(from), "%s.%u", l->v[i].name, k - 1);
		else
			snprintf(from, sizeof(from), "%s", l->v[i].name);
		renameat(l->v[i].dir, from, l->v[i].dir, to);
	}
}

int
logs_renew(struct logs *l, size_t i, struct err *e)
{
	char temp[NAME_MAX + 1];
	own_fd int fd = -1;

	if (i >= l->n)
		return err_set(e, ERR_INVALID, "there is no log %zu", i);
	if (l->v[i].dir < 0)
		return connect_journal(e);
	if (l->v[i].fixed)
		return err_set(e, ERR_UNSUPPORTED, "log %s stays as it is", l->v[i].name);
	snprintf(temp, sizeof(temp), "%.*s.tmp", NAME_MAX - 4, l->v[i].name);
	/* In a directory of others too it must be a new file: not one of theirs, nor a link to one of ours. */
	unlinkat(l->v[i].dir, temp, 0);
	fd = openat(l->v[i].dir, temp, LOG_FLAGS | O_EXCL, 0640);
	if (fd < 0)
		return err_sys(e, "reopening log %s", l->v[i].name);
	shift(l, i);
	if (renameat(l->v[i].dir, temp, l->v[i].dir, l->v[i].name) != 0)
		return err_sys(e, "reopening log %s", l->v[i].name);
	return fd_take(&fd);
}
