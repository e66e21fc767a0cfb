/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/role/spawn.h"
#include "pod-store/layer/result.h"
#include "pod-store/user.h"

#define PASSWD_SLOT 4
#define GROUP_SLOT 5
#define LOOKUP_MS 60000

/* Missing is fine; anything but a regular file counts as missing, as a container could not log in by it. */
static int
open_file(int root, const char *path)
{
	struct err ignored;

	return path_open_regular(root, path, PATH_IN_ROOT, USER_FILE_MAX, NULL, &ignored);
}

/* The user, and the additional groups, a line each. */
static int
make_request(const struct msg_rootfs_open *m, struct strbuf *out, struct err *e)
{
	const char *user = m->user != NULL ? m->user : "";

	/* Line feeds would turn one name into two. */
	if (strchr(user, '\n') != NULL)
		return err_set(e, ERR_INVALID, "the user's name holds a line feed");
	strbuf_addf(out, "%s\n", user);
	for (size_t i = 0; i < m->groups.n; i++) {
		if (strchr(m->groups.v[i], '\n') != NULL)
			return err_set(e, ERR_INVALID, "a group's name holds a line feed");
		strbuf_addf(out, "%s\n", m->groups.v[i]);
	}
	return 0;
}

/* As a file, which cannot block the two of us against each other. */
static int
request_file(const struct strbuf *text, struct err *e)
{
	own_fd int fd = memfd_create("user", MFD_CLOEXEC);

	if (fd == -1 || file_put(fd, text->s, text->n) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		return err_sys(e, "writing the request for a user");
	return fd_take(&fd);
}

static int
ask(int passwd, int group, const struct strbuf *text, struct result *r, struct err *e)
{
	own_fd int request = request_file(text, e);
	struct spawn sp = {.role = ROLE_LOOKUP, .nfds = GROUP_SLOT + 1, .discard_stderr = true};
	int answer[2], rc;
	pid_t pid;

	if (request == -1)
		return -1;
	if (pipe2(answer, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	sp.fds[0] = request;
	sp.fds[1] = answer[1];
	sp.fds[PASSWD_SLOT] = passwd;
	sp.fds[GROUP_SLOT] = group;
	pid = spawn_start(&sp, e);
	fd_close(&answer[1]);
	rc = pid == -1 ? -1 : result_read(answer[0], LOOKUP_MS, r, e);
	fd_close(&answer[0]);
	if (pid > 0)
		spawn_end(pid, rc == -1 ? 0 : SPAWN_GRACE_MS);
	return rc;
}

static int
fill_groups(const char *list, struct rec_user_found *u, struct arena *a, struct err *e)
{
	own_strv struct strv parts = {0};

	if (*list == '\0')
		return 0;
	strv_split(&parts, list, ',');
	u->groups.v = arena_array(a, parts.n, sizeof(*u->groups.v));
	for (size_t i = 0; i < parts.n; i++)
		if (text_to_u64(parts.v[i], UINT32_MAX, &u->groups.v[i].id) == -1)
			return err_set(e, ERR_PEER, "the answer to a user lookup is malformed");
	u->groups.n = parts.n;
	return 0;
}

static const char *
text_of(const struct result *r, const char *key, const char *otherwise)
{
	const char *v = result_get(r, key);

	return v != NULL && *v != '\0' ? v : otherwise;
}

static int
fill(const struct result *r, struct rec_user_found *u, struct arena *a, struct err *e)
{
	if (result_u64(r, "uid", &u->uid, e) == -1 || result_u64(r, "gid", &u->gid, e) == -1)
		return -1;
	if (u->uid > UINT32_MAX || u->gid > UINT32_MAX)
		return err_set(e, ERR_PEER, "the answer to a user lookup is malformed");
	u->name = arena_strdup(a, text_of(r, "name", ""));
	u->home = arena_strdup(a, text_of(r, "home", "/"));
	u->known = strcmp(text_of(r, "known", "0"), "1") == 0;
	u->group_known = strcmp(text_of(r, "group_known", "0"), "1") == 0;
	if (!text_is_utf8(u->name, strlen(u->name)) || !text_is_utf8(u->home, strlen(u->home)))
		return err_set(e, ERR_INVALID, "the image's passwd file is not UTF-8");
	return fill_groups(text_of(r, "groups", ""), u, a, e);
}

/* 1 found, 0 none, -1 failed. */
static int
recall(struct store *s, const char *image, const char *request, struct rec_user_found *u,
    struct arena *a, struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_USER_ROW, e, "tt", image, request);
	int r = db_step(&s->db, q, e);

	if (r != 1)
		return r;
	r = wire_unpack(&rec_user_found_desc, sqlite3_column_blob(q, 0),
	    (size_t)sqlite3_column_bytes(q, 0), u, a, e);
	db_done(q);
	return r == 0 ? 1 : -1;
}

/* A start must not fail, nor wait, because the index cannot take this now. */
static void
remember(struct store *s, const char *image, const char *request, const struct rec_user_found *u)
{
	own_strbuf struct strbuf packed = {0};
	struct err ignored;

	wire_pack(&rec_user_found_desc, u, &packed);
	sqlite3_busy_timeout(s->db.h, 0);
	db_run(&s->db,
	    db_query(&s->db, SQL_USER_PUT, &ignored, "ttb", image, request, packed.s, packed.n),
	    &ignored);
	sqlite3_busy_timeout(s->db.h, DB_BUSY_MS);
}

/* --- Entries for numbers the image does not know --------------------------------------------------- */

/* Name and full name of the host's account, as the peers do.  Only local files: no name service. */
static struct passwd *
host_user(uint64_t uid)
{
	own_file FILE *f = fopen("/etc/passwd", "re");
	struct passwd *pw;

	if (f == NULL)
		return NULL;
	while ((pw = fgetpwent(f)) != NULL && pw->pw_uid != uid)
		;
	return pw;
}

static bool
is_number(const char *s, size_t n)
{
	return n > 0 && strspn(s, "0123456789") >= n;
}

/* The template's variables: $USERNAME $UID $GID $NAME $HOME; of a group $GROUPNAME $GID $USERLIST. */
static void
expand_entry(const char *t, const char *uid, const char *gid, const char *home, struct strbuf *out)
{
	const char *const vars[][2] = {{"$USERNAME", uid}, {"$USERLIST", uid}, {"$UID", uid},
	    {"$GID", gid}, {"$GROUPNAME", gid}, {"$NAME", "container user"}, {"$HOME", home}};

	while (*t != '\0') {
		size_t i = 0;

		while (i < COUNTOF(vars) && !text_has_prefix(t, vars[i][0]))
			i++;
		if (i == COUNTOF(vars)) {
			strbuf_addc(out, *t++);
			continue;
		}
		strbuf_add(out, vars[i][1]);
		t += strlen(vars[i][0]);
	}
}

/* A directory's name comes from the image, and must not make further fields or lines. */
static const char *
home_of(const struct msg_rootfs_open *m, const struct passwd *pw)
{
	for (size_t i = 0; pw != NULL && i < m->homes.n; i++)
		if (strcmp(m->homes.v[i], pw->pw_dir) == 0)
			return pw->pw_dir;
	return m->workdir != NULL && strpbrk(m->workdir, ":\n") == NULL ? m->workdir : "/";
}

/* *at gets the home, which the line names too. */
static void
passwd_line(const struct msg_rootfs_open *m, const struct rec_user_found *u, struct strbuf *out,
    const char **at, struct arena *a)
{
	struct passwd *pw = host_user(u->uid);
	const char *home = *at = arena_strdup(a, home_of(m, pw));
	char uid[24], gid[24];

	snprintf(uid, sizeof(uid), "%llu", (unsigned long long)u->uid);
	snprintf(gid, sizeof(gid), "%llu", (unsigned long long)u->gid);
	if (m->passwd_entry != NULL && m->passwd_entry[0] != '\0') {
		expand_entry(m->passwd_entry, uid, gid, home, out);
		strbuf_addc(out, '\n');
		return;
	}
	strbuf_addf(out, "%s:*:%s:%s:%s:%s:/bin/sh\n", pw != NULL ? pw->pw_name : uid, uid, gid,
	    pw != NULL ? pw->pw_gecos : "container user", home);
}

/* An account of the host, by name or number.  Behind the image's own lines it cannot take their place. */
static void
host_line(const struct msg_rootfs_open *m, const char *who, struct strbuf *out)
{
	own_file FILE *f = fopen("/etc/passwd", "re");
	uint64_t uid = UINT64_MAX;
	const struct passwd *pw;

	if (text_to_u64(who, UINT32_MAX, &uid) == -1)
		uid = UINT64_MAX;
	while (f != NULL && (pw = fgetpwent(f)) != NULL)
		if (uid != UINT64_MAX ? pw->pw_uid == uid : strcmp(pw->pw_name, who) == 0) {
			strbuf_addf(out, "%s:*:%u:%u:%s:%s:/bin/sh\n", pw->pw_name,
			    (unsigned)pw->pw_uid, (unsigned)pw->pw_gid, pw->pw_gecos,
			    home_of(m, pw));
			return;
		}
}

/* original (-1: none) with one more line, into etc_dir. */
static int
write_copy(int etc_dir, const char *name, int original, const struct strbuf *line, struct err *e)
{
	own_strbuf struct strbuf all = {0};
	own_mem char *text = NULL;
	size_t n = 0;

	if (original >= 0) {
		if (lseek(original, 0, SEEK_SET) == -1)
			return err_sys(e, "reading the image's %s", name);
		if (file_slurp(original, USER_FILE_MAX, name, &text, &n, e) == -1)
			return -1;
		strbuf_addn(&all, text, n);
		if (n > 0 && text[n - 1] != '\n')
			strbuf_addc(&all, '\n');
	}
	strbuf_addn(&all, line->s, line->n);
	return file_write(etc_dir, name, all.s, all.n, 0644, 0, e);
}

static int
add_entries(int root, const struct msg_rootfs_open *m, const struct rec_user_found *u,
    struct msg_rootfs_opened *out, struct arena *a, struct err *e)
{
	const char *user = m->user != NULL ? m->user : "";
	const char *colon = strchrnul(user, ':');
	const char *g = *colon != '\0' ? colon + 1 : user;
	own_strbuf struct strbuf line = {0}, gline = {0};

	if (is_number(user, (size_t)(colon - user)) && !u->known)
		passwd_line(m, u, &line, &out->home, a);
	for (size_t i = 0; i < m->host_users.n; i++)
		host_line(m, m->host_users.v[i], &line);
	if (line.n > 0) {
		own_fd int passwd = open_file(root, "etc/passwd");

		if (write_copy(m->etc_dir, "passwd", passwd, &line, e) == -1)
			return -1;
		out->passwd_made = true;
	}
	if (is_number(g, strcspn(g, ":")) && !u->group_known) {
		own_fd int group = open_file(root, "etc/group");

		own_mem char *members = xasprintf("%.*s", (int)(colon - user), user);

		if (m->group_entry != NULL && *m->group_entry != '\0')
			expand_entry(m->group_entry, members, g, "", &gline);
		else
			strbuf_addf(&gline, "%s:x:%s:%s", g, g, members);
		strbuf_addc(&gline, '\n');
		if (write_copy(m->etc_dir, "group", group, &gline, e) == -1)
			return -1;
		out->group_made = true;
	}
	return 0;
}

static int
look_up(int root, const struct strbuf *request, struct rec_user_found *u, struct arena *a,
    struct err *e)
{
	own_fd int passwd = open_file(root, "etc/passwd"), group = open_file(root, "etc/group");
	own_result struct result r = {0};

	/* Nothing to look in, nothing to look for. */
	if (request->n == 1 && passwd == -1 && group == -1) {
		u->home = "/";
		return 0;
	}
	return ask(passwd, group, request, &r, e) == 0 ? fill(&r, u, a, e) : -1;
}

int
user_find(struct store *s, int root, bool fresh, const struct msg_rootfs_open *m,
    struct msg_rootfs_opened *out, struct arena *a, struct err *e)
{
	own_strbuf struct strbuf request = {0};
	struct rec_user_found u = {0};
	int r;

	if (make_request(m, &request, e) == -1)
		return -1;
	r = fresh ? recall(s, m->image, request.s, &u, a, e) : 0;
	if (r == -1)
		return -1;
	if (r == 0) {
		if (look_up(root, &request, &u, a, e) == -1)
			return -1;
		if (fresh)
			remember(s, m->image, request.s, &u);
	}
	out->uid = u.uid;
	out->gid = u.gid;
	out->user_name = u.name;
	out->home = u.home;
	out->groups.v = u.groups.v;
	out->groups.n = u.groups.n;
	if (((m->user != NULL && m->user[0] != '\0') || m->host_users.n > 0) && !m->no_passwd &&
	    m->etc_dir > 0)
		return add_entries(root, m, &u, out, a, e);
	return 0;
}
