/* SPDX-License-Identifier: ISC */
/*
 * pod-store-lookup: finds a user in the passwd (descriptor 4) and group (5) files of an image;
 * either may be missing.  Standard input: the user as in --user on the first line, additional
 * groups on the lines after it, to the end of the file.  The result (result.h) goes to standard
 * output.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/role/role.h"
#include "pod-store/layer/passwd.h"
#include "pod-store/layer/result.h"

#define PASSWD_FD 4
#define GROUP_FD 5
#define REQUEST_MAX 65536u

static int
read_request(struct strv *lines, struct err *e)
{
	own_mem char *text = NULL;
	size_t n;

	if (file_slurp(STDIN_FILENO, REQUEST_MAX, "the request", &text, &n, e) == -1)
		return -1;
	if (strlen(text) != n)
		return err_set(e, ERR_INVALID, "a user name holds a NUL");
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	strv_split(lines, text, '\n');
	return 0;
}

static void
describe(const struct passwd_user *u, struct strbuf *out)
{
	own_strbuf struct strbuf groups = {0};

	result_add_u64(out, "uid", u->uid);
	result_add_u64(out, "gid", u->gid);
	for (size_t i = 0; i < u->ngroups; i++)
		strbuf_addf(&groups, "%s%u", i > 0 ? "," : "", u->groups[i]);
	result_add(out, "groups", groups.s != NULL ? groups.s : "");
	result_add_u64(out, "known", u->known);
	result_add_u64(out, "group_known", u->group_known);
	result_add(out, "name", u->name);
	result_add(out, "home", u->home);
	result_add(out, "shell", u->shell);
}

static int
answer(const struct passwd_files *f, struct strbuf *out, struct err *e)
{
	own_strv struct strv lines = {0};
	own_arena struct arena a = {0};
	struct strv more;
	struct passwd_user u;
	int got;

	if (read_request(&lines, e) == -1)
		return -1;
	more = (struct strv){.v = lines.v + 1, .n = lines.n - 1};
	got = passwd_lookup(f, lines.v[0], &more, &u, &a, e);
	if (got == 0)
		describe(&u, out);
	passwd_free(&u);
	return got;
}

static int
run(int argc, char **argv, struct strbuf *out, struct err *e)
{
	own_mem char *passwd = NULL, *group = NULL;
	struct passwd_files f = {0};
	int keep[2];
	size_t n = 0;
	const bool have_passwd = fcntl(PASSWD_FD, F_GETFD) != -1;
	const bool have_group = fcntl(GROUP_FD, F_GETFD) != -1;

	(void)argc;
	(void)argv;
	if (have_passwd)
		keep[n++] = PASSWD_FD;
	if (have_group)
		keep[n++] = GROUP_FD;
	if (role_enter(ROLE_LOOKUP, keep, n, e) == -1)
		return -1;
	if (have_passwd &&
	    file_slurp(PASSWD_FD, PASSWD_FILE_MAX, "/etc/passwd", &passwd, &f.passwd_n, e) == -1)
		return -1;
	if (have_group &&
	    file_slurp(GROUP_FD, PASSWD_FILE_MAX, "/etc/group", &group, &f.group_n, e) == -1)
		return -1;
	f.passwd = passwd;
	f.group = group;
	return answer(&f, out, e);
}

int
main(int argc, char **argv)
{
	return result_main(run, argc, argv, STDOUT_FILENO);
}
