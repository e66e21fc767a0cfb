/* SPDX-License-Identifier: ISC */
/*
 * pod-run-names: reads a container's passwd and group files for pod-run, without any privilege.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/wire/peer.h"

#define FILE_MAX ((size_t)4 << 20)
#define NAME_TEXT_MAX 255

struct found {
	struct rec_id_name *v;
	size_t n;
};

static bool
is_wanted(const struct rec_gid *v, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].id == id)
			return true;
	return false;
}

static bool
is_known(const struct found *f, uint64_t id)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].id == id)
			return true;
	return false;
}

/* "name:password:id:…"; the first line of a number counts. */
static void
take_line(char *line, const struct rec_gid *v, size_t n, struct found *f)
{
	char *name = strsep(&line, ":"), *id;
	uint64_t number;

	strsep(&line, ":");
	id = strsep(&line, ":");
	if (id == NULL || *name == '\0' || strlen(name) > NAME_TEXT_MAX ||
	    !text_is_utf8(name, strlen(name)) || text_to_u64(id, UINT32_MAX, &number) == -1 ||
	    !is_wanted(v, n, number) || is_known(f, number))
		return;
	f->v[f->n++] = (struct rec_id_name){.id = number, .name = name};
}

/* text belongs to the caller and holds the names. */
static int
read_names(int fd, const char *what, const struct rec_gid *v, size_t n, char **text,
    struct found *f, struct arena *a, struct err *e)
{
	char *save = NULL;
	size_t size;

	f->v = arena_array(a, n + 1, sizeof(*f->v));
	if (fd <= 0 || n == 0)
		return 0;
	if (file_slurp(fd, FILE_MAX, what, text, &size, e) == -1)
		return -1;
	for (char *line = strtok_r(*text, "\n", &save); line != NULL && f->n < n;
	     line = strtok_r(NULL, "\n", &save))
		take_line(line, v, n, f);
	return 0;
}

static int
on_find(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_names_find *m = MSG_OF(in, names_find);
	own_mem char *passwd = NULL, *group = NULL;
	own_arena struct arena a = {0};
	struct found users = {0}, groups = {0};
	struct msg_names_found answer = {0};

	(void)arg;
	if (read_names((int)m->passwd, "/etc/passwd", m->uids.v, m->uids.n, &passwd, &users, &a,
		e) == -1 ||
	    read_names((int)m->group, "/etc/group", m->gids.v, m->gids.n, &group, &groups, &a, e) ==
		-1)
		return -1;
	answer.users.v = users.v;
	answer.users.n = users.n;
	answer.groups.v = groups.v;
	answer.groups.n = groups.n;
	return peer_send(p, &msg_names_found_desc, in->seq, &answer, e);
}

static const struct peer_handler handlers[] = {
    {&msg_names_find_desc, 1, 0, on_find},
};

int
main(int argc, char **argv)
{
	static const int keep[] = {PEER_FD};
	struct err e = {0};
	struct peer *p;
	uint64_t done = 0;
	int r;

	role_start();
	if (argc != 2 || strcmp(argv[1], "--peer") != 0)
		err_set(&e, ERR_USAGE, "pod-run-names is started by pod-run");
	else
		role_enter(ROLE_NAMES, keep, COUNTOF(keep), &e);
	if (err_is_set(&e)) {
		err_print(&e, stderr);
		return err_exit_status(&e);
	}
	p = peer_new(PEER_FD, ROLE_NAMES, ROLE_RUN);
	do {
		struct pollfd pfd = {.fd = PEER_FD, .events = POLLIN};

		r = peer_serve(p, handlers, COUNTOF(handlers), 1, &done, NULL, &e);
		if (r == PEER_NONE)
			poll(&pfd, 1, -1);
	} while (r == 1 || r == PEER_NONE);
	if (r == -1)
		log_error("pod-run-names: %s", e.text);
	return r == -1;
}
