/* SPDX-License-Identifier: ISC */
#include "pod-net/names.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/group.h"
#include "common/fs/lock.h"
#include "common/role/spawn.h"
#include "pod-net/addr.h"
#include "pod-net/helper.h"

#define PID_FILE "aardvark.pid"
#define FILE_MAX (64u << 20)
#define INTERNAL "%int"
#define SHORT_ID 12
#define DNS_PORT 53
#define END_MS 1000 /* for a server that was told to end */

/* Work on the directory, under the lock. */
struct session {
	const struct names *names;
	int lock, dir;
	bool changed;
};

static void
close_session(struct session *s)
{
	fd_close(&s->dir);
	fd_close(&s->lock);
}
#define own_session own(close_session)

/* make: also the directory.  1: open, 0: there is none, -1: e. */
static int
open_session(struct session *s, const struct names *names, bool make, struct err *e)
{
	*s = (struct session){.names = names, .lock = -1, .dir = -1};
	if (!make && access(names->dir, F_OK) == -1 && errno == ENOENT)
		return 0;
	/* The directory only under the lock: whoever takes the last names away removes it. */
	s->lock = lock_acquire(AT_FDCWD, names->lock, LOCK_EXCLUSIVE, LOCK_WAIT, e);
	if (s->lock == -1)
		return -1;
	if (make && mkdir(names->dir, 0755) == -1 && errno != EEXIST)
		return err_sys(e, "making %s", names->dir);
	s->dir = open(names->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->dir == -1 && errno == ENOENT && !make)
		return 0;
	return s->dir == -1 ? err_sys(e, "opening %s", names->dir) : 1;
}

bool
names_answered(const struct rec_net_hold *h)
{
	return h->dns && h->link != NULL;
}

/* --- The files ------------------------------------------------------------------------------------ */

/* A network that is called like the server's own file gets a mark that no name has. */
static char *
file_name(const char *network, bool internal)
{
	return xasprintf(
	    "%s%s%s", strcmp(network, PID_FILE) == 0 ? "%" : "", network, internal ? INTERNAL : "");
}

/* The lines of a network's file; none if there is no file. */
static int
read_lines(struct session *s, const char *file, struct strv *lines, struct err *e)
{
	own_mem char *text = NULL;
	size_t n;

	if (file_read(s->dir, file, FILE_MAX, &text, &n, e) == -1) {
		if (e->no != ENOENT)
			return -1;
		err_clear(e);
		return 0;
	}
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	strv_split(lines, text, '\n');
	return 0;
}

static int
write_lines(struct session *s, const char *file, const struct strv *lines, struct err *e)
{
	own_strbuf struct strbuf text = {0};

	s->changed = true;
	if (lines->n < 2) {
		if (unlinkat(s->dir, file, 0) == -1 && errno != ENOENT)
			return err_sys(e, "removing %s/%s", s->names->dir, file);
		return 0;
	}
	for (size_t i = 0; i < lines->n; i++)
		strbuf_addf(&text, "%s\n", lines->v[i]);
	return file_write(s->dir, file, text.s, text.n, 0644, 0, e);
}

/* True if the line is the container's. */
static bool
is_of(const char *line, const char *id)
{
	size_t n = strlen(id);

	return strncmp(line, id, n) == 0 && line[n] == ' ';
}

static void
drop_lines(struct strv *lines, const char *id)
{
	for (size_t i = lines->n; i > 1; i--)
		if (is_of(lines->v[i - 1], id))
			strv_remove(lines, i - 1);
}

static void
add_comma(struct strbuf *b, const char *s, size_t n)
{
	if (b->n > 0 && b->s[b->n - 1] != ' ')
		strbuf_addc(b, ',');
	strbuf_addn(b, s, n);
}

/* Names that would break the line are left out. */
static void
add_name(struct strbuf *b, const char *name)
{
	if (name != NULL && name[0] != '\0' && strpbrk(name, " ,\n") == NULL)
		add_comma(b, name, strlen(name));
}

static void
add_addresses(struct strbuf *b, const struct rec_net_hold *h, bool ipv6)
{
	for (size_t i = 0; i < h->addresses.n; i++) {
		const char *text = h->addresses.v[i].ipnet;

		if ((strchr(text, ':') != NULL) == ipv6)
			add_comma(b, text, strcspn(text, "/"));
	}
}

static char *
container_line(const char *id, const struct rec_net_state *st, const struct rec_net_hold *h)
{
	own_strbuf struct strbuf b = {0};
	own_mem char *short_id = xstrndup(id, SHORT_ID);

	strbuf_addf(&b, "%s ", id);
	add_addresses(&b, h, false);
	strbuf_addc(&b, ' ');
	add_addresses(&b, h, true);
	strbuf_addc(&b, ' ');
	add_name(&b, st->name);
	for (size_t i = 0; i < h->aliases.n; i++)
		add_name(&b, h->aliases.v[i]);
	add_name(&b, short_id);
	if (st->dns_servers.n > 0)
		strbuf_addc(&b, ' ');
	for (size_t i = 0; i < st->dns_servers.n; i++)
		add_name(&b, st->dns_servers.v[i]);
	return strbuf_take(&b);
}

/* Where the server listens and the network's resolvers; addresses that stood there stay. */
static char *
first_line(const struct rec_net_hold *h, const char *old)
{
	own_mem char *listen = xstrndup(old, strcspn(old, " "));
	own_strv struct strv have = {0};
	own_strbuf struct strbuf b = {0};

	if (listen[0] != '\0')
		strv_split(&have, listen, ',');
	for (size_t i = 0; i < h->addresses.n; i++) {
		const char *gateway = h->addresses.v[i].gateway;

		if (gateway != NULL && strv_find(&have, gateway) == have.n)
			strv_add(&have, gateway);
	}
	for (size_t i = 0; i < have.n; i++)
		add_name(&b, have.v[i]);
	if (h->dns_servers.n > 0)
		strbuf_addc(&b, ' ');
	for (size_t i = 0; i < h->dns_servers.n; i++)
		add_name(&b, h->dns_servers.v[i]);
	return strbuf_take(&b);
}

static int
enter_one(struct session *s, const char *id, const struct rec_net_state *st,
    const struct rec_net_hold *h, struct err *e)
{
	own_mem char *file = file_name(h->network, h->internal);
	own_strv struct strv lines = {0}, out = {0};

	if (read_lines(s, file, &lines, e) == -1)
		return -1;
	drop_lines(&lines, id);
	strv_take(&out, first_line(h, lines.n > 0 ? lines.v[0] : ""));
	for (size_t i = 1; i < lines.n; i++)
		strv_add(&out, lines.v[i]);
	strv_take(&out, container_line(id, st, h));
	return write_lines(s, file, &out, e);
}

static void
leave_file(struct session *s, const char *file, const char *id)
{
	own_strv struct strv lines = {0};
	struct err e = {0};
	size_t had;

	if (read_lines(s, file, &lines, &e) == 0) {
		had = lines.n;
		drop_lines(&lines, id);
		if (lines.n == had || write_lines(s, file, &lines, &e) == 0)
			return;
	}
	log_warn("taking a container's names out of %s: %s", file, e.text);
}

/* Files of networks; returns how many there are.  id: the container is taken out of them. */
static size_t
each_file(struct session *s, const char *id)
{
	own_dir DIR *d = fdopendir(fcntl(s->dir, F_DUPFD_CLOEXEC, 3));
	own_strv struct strv files = {0};

	if (d == NULL)
		return 0;
	rewinddir(d);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;)
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, PID_FILE) != 0)
			strv_add(&files, entry->d_name);
	for (size_t i = 0; id != NULL && i < files.n; i++)
		leave_file(s, files.v[i], id);
	return files.n;
}

/* --- The server ----------------------------------------------------------------------------------- */

static pid_t
server_pid(const struct session *s)
{
	own_mem char *text = NULL;
	struct err e = {0};
	uint64_t pid;
	size_t n;

	if (file_read(s->dir, PID_FILE, 32, &text, &n, &e) == -1)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return text_to_u64(text, INT32_MAX, &pid) == 0 ? (pid_t)pid : 0;
}

/*
 * Ours holds the lock of its file, so its number cannot be another's.  A foreign one has no lock: that it can
 * be signalled is all there is.
 */
static bool
server_runs(const struct session *s, pid_t *pid)
{
	*pid = server_pid(s);
	if (*pid <= 0)
		return false;
	return s->names->program != NULL ? kill(*pid, 0) == 0 : lock_is_held(s->dir, PID_FILE);
}

static int
start_foreign(const struct names *names, struct err *e)
{
	own_strv struct strv argv = {0};

	strv_add(&argv, names->program);
	strv_add(&argv, "--config");
	strv_add(&argv, names->dir);
	strv_addf(&argv, "-p");
	strv_addf(&argv, "%u", names->port != 0 ? names->port : DNS_PORT);
	strv_add(&argv, "run");
	return helper_run(&argv, e);
}

static int
start_ours(struct session *s, struct err *e)
{
	struct spawn spawn = {.role = ROLE_DNS, .mode = "--serve", .discard_stderr = true};
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	char said[1024];
	ssize_t n = -1;
	pid_t pid = -1;

	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1) {
		err_sys(e, "making a pipe");
	} else {
		spawn.fds[0] = in[0];
		spawn.fds[1] = out[1];
		spawn.fds[ROLE_VIEW_FD_NUMBER] = s->dir;
		spawn.nfds = ROLE_VIEW_FD_NUMBER + 1;
		dprintf(in[1], "%u%s%s", s->names->port != 0 ? s->names->port : DNS_PORT,
		    s->names->loopback != NULL ? " " : "",
		    s->names->loopback != NULL ? s->names->loopback : "");
		group_leave_caller();
		pid = spawn_start(&spawn, e);
	}
	fd_close(&in[0]);
	fd_close(&in[1]);
	fd_close(&out[1]);
	if (pid != -1)
		n = file_get(out[0], said, sizeof(said) - 1);
	fd_close(&out[0]);
	if (pid == -1)
		return -1;
	said[n > 0 ? n : 0] = '\0';
	if (strcmp(said, "ok") == 0)
		return 0;
	waitpid(pid, NULL, 0);
	return err_set(e, ERR_NETWORK, "aardvark-dns failed to start: %s", said);
}

static int
start(void *arg, struct err *e)
{
	struct session *s = arg;

	return s->names->program != NULL ? start_foreign(s->names, e) : start_ours(s, e);
}

static int
tell(struct session *s, struct err *e)
{
	const struct names *names = s->names;

	pid_t pid;

	if (server_runs(s, &pid)) {
		if (kill(pid, SIGHUP) == -1)
			return err_sys(e, "telling the DNS server");
		return 0;
	}
	return names->inside != NULL ? names->inside(names->arg, start, s, e) : start(s, e);
}

/* Nobody has names any more.  The place is free when this returns, so that the next can start one. */
static void
end_server(struct session *s)
{
	const struct timespec wait = {.tv_nsec = 1000000};
	pid_t pid;

	if (server_runs(s, &pid)) {
		/* aardvark-dns ends by itself when it finds no file. */
		kill(pid, s->names->program != NULL ? SIGHUP : SIGTERM);
		for (int i = 0;
		     i < END_MS && s->names->program == NULL && lock_is_held(s->dir, PID_FILE); i++)
			nanosleep(&wait, NULL);
	}
	unlinkat(s->dir, PID_FILE, 0);
	rmdir(s->names->dir);
}

/* --- What others call ----------------------------------------------------------------------------- */

int
names_enter(const struct names *names, const char *id, const struct rec_net_state *st, size_t first,
    struct err *e)
{
	own_session struct session s = {.lock = -1, .dir = -1};
	size_t i = first;

	while (i < st->networks.n && !names_answered(&st->networks.v[i]))
		i++;
	if (i >= st->networks.n)
		return 0;
	if (open_session(&s, names, true, e) == -1)
		return -1;
	for (; i < st->networks.n; i++)
		if (names_answered(&st->networks.v[i]) &&
		    enter_one(&s, id, st, &st->networks.v[i], e) == -1)
			break;
	if (i == st->networks.n && tell(&s, e) == 0)
		return 0;
	for (i = first; i < st->networks.n; i++)
		if (names_answered(&st->networks.v[i])) {
			own_mem char *file =
			    file_name(st->networks.v[i].network, st->networks.v[i].internal);

			leave_file(&s, file, id);
		}
	if (each_file(&s, NULL) == 0)
		end_server(&s);
	return -1;
}

int
names_again(
    const struct names *names, const char *id, const struct rec_net_state *st, struct err *e)
{
	own_session struct session s = {.lock = -1, .dir = -1};

	if (open_session(&s, names, true, e) == -1)
		return -1;
	for (size_t i = 0; i < st->networks.n; i++) {
		const struct rec_net_hold *h = &st->networks.v[i];
		own_mem char *file = file_name(h->network, h->internal);

		if (!names_answered(h))
			continue;
		leave_file(&s, file, id);
		if (enter_one(&s, id, st, h, e) == -1)
			return -1;
	}
	return tell(&s, e);
}

void
names_leave(const struct names *names, const char *id, const char *network)
{
	own_session struct session s = {.lock = -1, .dir = -1};
	struct err e = {0};
	int rc = open_session(&s, names, false, &e);

	if (rc == 0)
		return;
	if (rc == 1 && network != NULL) {
		own_mem char *plain = file_name(network, false),
			     *internal = file_name(network, true);

		leave_file(&s, plain, id);
		leave_file(&s, internal, id);
	} else if (rc == 1) {
		each_file(&s, id);
	}
	if (rc == 1 && s.changed) {
		if (each_file(&s, NULL) == 0)
			end_server(&s);
		else
			rc = tell(&s, &e);
	}
	if (rc == -1)
		log_warn("%s", e.text);
}

void
names_sweep(const struct names *names)
{
	own_session struct session s = {.lock = -1, .dir = -1};
	struct err e = {0};

	if (open_session(&s, names, false, &e) == 1 && each_file(&s, NULL) == 0)
		end_server(&s);
}

int
names_servers(
    const struct names *names, const char *network, const struct strs *servers, struct err *e)
{
	own_session struct session s = {.lock = -1, .dir = -1};
	int rc = open_session(&s, names, false, e);

	for (int internal = 0; rc == 1 && internal < 2; internal++) {
		own_mem char *file = file_name(network, internal);
		own_strv struct strv lines = {0};
		own_strbuf struct strbuf b = {0};

		if (read_lines(&s, file, &lines, e) == -1)
			return -1;
		if (lines.n < 2)
			continue;
		strbuf_addn(&b, lines.v[0], strcspn(lines.v[0], " "));
		if (servers->n > 0)
			strbuf_addc(&b, ' ');
		for (size_t i = 0; i < servers->n; i++)
			add_name(&b, servers->v[i]);
		free(lines.v[0]);
		lines.v[0] = strbuf_take(&b);
		if (write_lines(&s, file, &lines, e) == -1)
			return -1;
	}
	return rc == 1 && s.changed ? tell(&s, e) : rc == -1 ? -1 : 0;
}

void
names_close(struct names *names)
{
	free(names->dir);
	free(names->lock);
	names->dir = names->lock = NULL;
}
