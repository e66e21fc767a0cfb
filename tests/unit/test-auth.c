/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/tree.h"
#include "common/oci/auth.h"
#include "common/oci/base64.h"

static struct err e;
static char dir[64], file[128];

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test-auth-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/a/b/auth.json", dir);
	unsetenv("REGISTRY_AUTH_FILE");
}

static void
teardown(void)
{
	tree_remove(AT_FDCWD, dir, &e);
}

static int
login(const char *key, const char *username, const char *password)
{
	own_mem char *where = NULL;

	return auth_put(&(struct auth_place){.file = file}, key, username, password, &where, &e);
}

static const char *
user_of(const char *key)
{
	static char user[100];
	own_auth struct auth a = {0};
	int r = auth_find(NULL, file, key, &a, &e);

	cr_assert(r >= 0, "%s", e.text);
	snprintf(user, sizeof(user), "%s", r == 1 && a.username != NULL ? a.username : "none");
	return user;
}

TestSuite(auth, .init = setup, .fini = teardown);

Test(auth, put_find_remove)
{
	struct stat st;
	own_auth struct auth a = {0};

	cr_assert_eq(login("q.io", "u", "p:w"), 0, "%s", e.text);
	cr_assert_eq(stat(file, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(auth_find(NULL, file, "q.io/ns/app", &a, &e), 1);
	cr_assert_str_eq(a.username, "u");
	cr_assert_str_eq(a.password, "p:w");
	cr_assert_eq(auth_remove(&(struct auth_place){.file = file}, "x.io", &e), -1);
	cr_assert_eq(auth_remove(&(struct auth_place){.file = file}, "q.io", &e), 0);
	cr_assert_str_eq(user_of("q.io"), "none");
}

Test(auth, what_cannot_be_read_is_not_replaced)
{
	cr_assert_eq(login("q.io", "u", "p"), 0, "%s", e.text);
	cr_assert_eq(chmod(file, 0), 0);
	if (geteuid() == 0) {
		*strrchr(file, '/') = '\0';
		cr_assert_eq(chown(file, 65534, 65534), 0);
		*strrchr(file, '/') = '\0';
		cr_assert_eq(chmod(file, 0755) | chmod(dir, 0755), 0);
		snprintf(file, sizeof(file), "%s/a/b/auth.json", dir);
		cr_assert_eq(seteuid(65534), 0);
	}
	cr_assert_eq(login("r.io", "v", "p"), -1);
	cr_assert_eq(e.no, EACCES, "%s", e.text);
	err_clear(&e);
	cr_assert_str_eq(user_of("q.io"), "none");
	cr_assert_eq(getuid() == 0 ? seteuid(0) : chmod(file, 0600), 0);
	cr_assert_str_eq(user_of("q.io"), "u");
}

Test(auth, a_namespace_is_used_for_itself_alone)
{
	cr_assert_eq(login("q.io/ns", "ns", "p"), 0);
	cr_assert_str_eq(user_of("q.io/ns/app"), "ns");
	cr_assert_str_eq(user_of("q.io/nsx/app"), "none");
	cr_assert_str_eq(user_of("q.io/other"), "none");
	cr_assert_eq(login("q.io", "all", "p"), 0);
	cr_assert_str_eq(user_of("q.io/other"), "all");
	cr_assert_str_eq(user_of("q.io/ns"), "ns");
	cr_assert_str_eq(user_of("q.io.evil.org"), "none");
}

static void
put(const char *text)
{
	FILE *f;

	mkdir(dir, 0700);
	snprintf(file, sizeof(file), "%s/auth.json", dir);
	f = fopen(file, "w");
	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

Test(auth, keys_of_docker)
{
	put("{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"dTpw\"},"
	    "\"https://q.io/v2/\":{\"auth\":\"dTpw\"}}}");
	cr_assert_str_eq(user_of("docker.io/library/x"), "u");
	cr_assert_str_eq(user_of("q.io/x"), "u");
}

Test(auth, identity_token)
{
	own_auth struct auth a = {0};

	put("{\"auths\":{\"q.io\":{\"auth\":\"\",\"identitytoken\":\"tok\"}}}");
	cr_assert_eq(auth_find(NULL, file, "q.io", &a, &e), 1);
	cr_assert_str_eq(a.identity_token, "tok");
}

/* Such an entry, which somebody else wrote, is as good as none; what stands for a shorter name counts no more. */
Test(auth, without_a_colon)
{
	own_auth struct auth a = {0};

	put("{\"auths\":{\"q.io\":{\"auth\":\"dTpw\"},\"q.io/n\":{\"auth\":\"YWxpY2VzZWNyZXQ=\","
	    "\"identitytoken\":\"t\"},\"q.io/e\":{},\"q.io/z\":null}}");
	cr_assert_eq(auth_find(NULL, file, "q.io/n/x", &a, &e), 0, "%s", e.text);
	cr_assert_eq(auth_find(NULL, file, "q.io/e", &a, &e), 0, "%s", e.text);
	cr_assert_null(a.identity_token);
	cr_assert_null(a.username);
	cr_assert_eq(auth_find(NULL, file, "q.io/m", &a, &e), 1);
	cr_assert_str_eq(a.username, "u");
}

Test(auth, faults)
{
	own_auth struct auth a = {0};

	put("{\"auths\":{\"q.io\":{\"auth\":\"%%\"}}}");
	cr_assert_eq(auth_find(NULL, file, "q.io", &a, &e), -1);
	put("[]");
	cr_assert_eq(auth_find(NULL, file, "q.io", &a, &e), -1);
	put("{\"auths\":{\"q.io\":{\"auth\":3}}}");
	cr_assert_eq(auth_find(NULL, file, "q.io", &a, &e), -1);
	put("{\"auths\":{\"q.io\":[]}}");
	cr_assert_eq(auth_find(NULL, file, "q.io", &a, &e), -1);
	put("{\"credHelpers\":{\"q.io\":\"../../bin/sh\"}}");
	cr_assert_eq(auth_find(NULL, file, "q.io", &a, &e), -1);
}

Test(auth, other_members_survive)
{
	own_mem char *text = NULL;
	FILE *f;

	put("{\"keep\":1,\"auths\":{\"a.io\":{\"auth\":\"dTpw\"}}}");
	cr_assert_eq(login("b.io", "x", "y"), 0);
	f = fopen(file, "r");
	text = xcalloc(1, 4096);
	cr_assert(fread(text, 1, 4095, f) > 0);
	fclose(f);
	cr_assert_not_null(strstr(text, "\"keep\": 1"));
	cr_assert_not_null(strstr(text, "a.io"));
	cr_assert_not_null(strstr(text, "\"auth\": \"eDp5\""));
}

Test(auth, creds)
{
	own_auth struct auth a = {0};

	cr_assert_eq(auth_from_creds("u:p:q", &a, &e), 0);
	cr_assert_str_eq(a.password, "p:q");
	auth_free(&a);
	cr_assert_eq(auth_from_creds("u", &a, &e), 0);
	cr_assert_str_eq(a.password, "");
	cr_assert_eq(auth_from_creds(":p", &a, &e), -1);
}

Test(base64, both_ways)
{
	static const char *const pairs[][2] = {
	    {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {
	    "Z", "Zg", "Zg=", "Zg==Zg==", "Zm9v\n", "Z=g=", "====", "-_==", "Zg==x"};

	for (size_t i = 0; i < COUNTOF(pairs); i++) {
		own_mem char *text = base64_encode(pairs[i][0], strlen(pairs[i][0])), *back = NULL;
		size_t n = 99;

		cr_expect_str_eq(text, pairs[i][1]);
		back = base64_decode(pairs[i][1], &n);
		cr_expect_str_eq(back, pairs[i][0]);
		cr_expect_eq(n, strlen(pairs[i][0]));
	}
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		size_t n;
		own_mem char *out = base64_decode(bad[i], &n);

		cr_expect_null(out, "accepted: %s", bad[i]);
	}
}

/* --- Many at once ----------------------------------------------------------------------------- */

#define WRITERS 8
#define KEYS 10

/* Each in a process of its own: key 0 to KEYS - 1 of writer w. */
static int
change_all(int w, bool put)
{
	for (int i = 0; i < KEYS; i++) {
		own_mem char *key = xasprintf("r%d.io/n%d", w, i);

		if ((put ? login(key, key, "p")
			 : auth_remove(&(struct auth_place){.file = file}, key, &e)) != 0)
			return 1;
	}
	return 0;
}

static int
files_beside(void)
{
	own_mem char *parent = xstrndup(file, (size_t)(strrchr(file, '/') - file));
	own_dir DIR *d = opendir(parent);
	const struct dirent *x;
	int n = 0;

	while ((x = readdir(d)) != NULL)
		n += strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0;
	return n;
}

static void
at_once(bool put)
{
	pid_t pids[WRITERS];
	int status;

	for (int w = 0; w < WRITERS; w++) {
		pids[w] = fork();
		if (pids[w] == 0)
			_exit(change_all(w, put));
	}
	for (int w = 0; w < WRITERS; w++) {
		cr_assert_eq(waitpid(pids[w], &status, 0), pids[w]);
		cr_assert_eq(status, 0, "writer %d: %d", w, status);
	}
}

Test(auth, logins_and_logouts_at_once)
{
	cr_assert_eq(login("stays.io", "u", "p"), 0, "%s", e.text);
	at_once(true);
	for (int w = 0; w < WRITERS; w++)
		for (int i = 0; i < KEYS; i++) {
			own_mem char *key = xasprintf("r%d.io/n%d", w, i);

			cr_assert_str_eq(user_of(key), key);
		}
	at_once(false);
	cr_assert_str_eq(user_of("r0.io/n0"), "none");
	cr_assert_str_eq(user_of("stays.io"), "u");
	/* The lock is gone with who held it. */
	cr_assert_eq(files_beside(), 1);
}
