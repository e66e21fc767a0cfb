/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/oci/auth.h"
#include "common/oci/base64.h"
#include "common/oci/reference.h"

#define FILE_MAX ((size_t)1 << 20)
#define HELPER_ANSWER_MAX 65536
#define DOCKER_HUB_KEY "https://index.docker.io/v1/"

extern char **environ;

static void
wipe(char **s)
{
	if (*s != NULL)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void
auth_free(struct auth *a)
{
	wipe(&a->username);
	wipe(&a->password);
	wipe(&a->identity_token);
}

int
auth_from_creds(const char *creds, struct auth *out, struct err *e)
{
	const char *colon = strchr(creds, ':');

	if (creds[0] == '\0' || colon == creds)
		return err_set(e, ERR_INVALID, "credentials can't be empty");
	out->username = xstrndup(creds, colon != NULL ? (size_t)(colon - creds) : strlen(creds));
	out->password = xstrdup(colon != NULL ? colon + 1 : "");
	return 0;
}

/* --- Files ------------------------------------------------------------------------------------ */

static void
add_default_files(struct strv *files, uint64_t uid)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (runtime != NULL && runtime[0] == '/')
		strv_addf(files, "%s/containers/auth.json", runtime);
	else
		strv_addf(files, "/run/containers/%llu/auth.json", (unsigned long long)uid);
	if (config != NULL && config[0] == '/')
		strv_addf(files, "%s/containers/auth.json", config);
	else if (home != NULL)
		strv_addf(files, "%s/.config/containers/auth.json", home);
	if (home != NULL)
		strv_addf(files, "%s/.docker/config.json", home);
}

static void
list_files(const char *named, uint64_t uid, struct strv *files)
{
	const char *env = getenv("REGISTRY_AUTH_FILE");

	if (named == NULL && env != NULL && env[0] != '\0')
		named = env;
	if (named != NULL)
		strv_add(files, named);
	else
		add_default_files(files, uid);
}

char *
auth_file(const char *named, uint64_t uid)
{
	own_strv struct strv files = {0};

	list_files(named, uid, &files);
	return xstrdup(files.v[0]);
}

/* The document, an empty one if there is no file; NULL on error. */
static json_t *
read_file(const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_mem char *text = NULL;
	json_t *j;
	size_t n;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return json_obj();
	if (fd < 0) {
		err_sys(e, "opening %s", path);
		return NULL;
	}
	if (file_slurp(fd, FILE_MAX, path, &text, &n, e) < 0)
		return NULL;
	j = n == 0 ? json_obj() : json_read_max(text, n, FILE_MAX, 16, e);
	explicit_bzero(text, n);
	if (j != NULL && !json_is_object(j)) {
		json_decref(j);
		j = NULL;
		err_set(e, ERR_FORMAT, "it is no JSON object");
	}
	if (j == NULL)
		err_wrap(e, "reading auth file %s", path);
	return j;
}

/* "https://host/v1/" in files of Docker means "host". */
static char *
plain_key(const char *key)
{
	const char *p = strstr(key, "://");
	bool url = p != NULL;
	char *s = xstrdup(url ? p + 3 : key);

	if (url)
		s[strcspn(s, "/")] = '\0';
	for (size_t n = strlen(s); n > 0 && s[n - 1] == '/';)
		s[--n] = '\0';
	if (strcmp(s, "index.docker.io") == 0) {
		free(s);
		return xstrdup("docker.io");
	}
	return s;
}

static bool
key_is(const char *key, const char *want)
{
	own_mem char *plain = plain_key(key);

	return strcmp(plain, want) == 0;
}

/* The member of the object whose key means want. */
static json_t *
find_key(json_t *obj, const char *want)
{
	json_t *v = json_object_get(obj, want);
	const char *key;

	if (v != NULL)
		return v;
	json_object_foreach(obj, key, v)
	{
		if (key_is(key, want))
			return v;
	}
	return NULL;
}

static int
take_entry(const json_t *entry, struct auth *out, struct err *e)
{
	const char *text = json_string_value(json_object_get(entry, "auth"));
	const char *token = json_string_value(json_object_get(entry, "identitytoken"));
	own_mem char *plain = NULL;
	char *colon;
	size_t n = 0;

	if (token != NULL && *token != '\0')
		out->identity_token = xstrdup(token);
	if (text == NULL || *text == '\0')
		return out->identity_token != NULL;
	plain = base64_decode(text, &n);
	colon = plain != NULL ? strchr(plain, ':') : NULL;
	if (colon == NULL)
		return err_set(e, ERR_FORMAT, "auth is not the base64 of user:password");
	*colon = '\0';
	out->username = xstrdup(plain);
	out->password = xstrdup(colon + 1); /* ends at a NUL: Docker pads with them */
	explicit_bzero(plain, n);
	return 1;
}

/* --- Helper programs -------------------------------------------------------------------------- */

static pid_t
start_helper(const char *program, int in, int out, struct err *e)
{
	char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "get", NULL};
	posix_spawn_file_actions_t fa;
	pid_t pid = -1;
	int r;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	r = posix_spawnp(&pid, program, &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	if (r == 0)
		return pid;
	errno = r;
	err_sys(e, "starting credential helper %s", program);
	return -1;
}

static int
take_answer(const char *program, const char *text, size_t n, struct auth *out, struct err *e)
{
	own_json json_t *j = json_read_max(text, n, HELPER_ANSWER_MAX, 8, e);
	const char *user, *secret;

	if (j == NULL)
		return err_wrap(e, "credential helper %s", program);
	user = json_string_value(json_object_get(j, "Username"));
	secret = json_string_value(json_object_get(j, "Secret"));
	if (user == NULL || secret == NULL)
		return err_set(e, ERR_FORMAT, "credential helper %s: unexpected answer", program);
	if (strcmp(user, "<token>") == 0) {
		out->identity_token = xstrdup(secret);
	} else {
		out->username = xstrdup(user);
		out->password = xstrdup(secret);
	}
	return 1;
}

/* docker-credential-NAME get, with the registry on its standard input. */
static int
ask_helper(const char *name, const char *server, struct auth *out, struct err *e)
{
	own_mem char *program = NULL, *text = NULL;
	int to[2] = {-1, -1}, from[2] = {-1, -1};
	size_t n = 0;
	pid_t pid;
	int status = 0, r = -1;

	if (name[0] == '\0' || strchr(name, '/') != NULL)
		return err_set(e, ERR_INVALID, "invalid name of a credential helper");
	program = xasprintf("docker-credential-%s", name);
	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) {
		err_sys(e, "making a pipe");
	} else if ((pid = start_helper(program, to[0], from[1], e)) > 0) {
		fd_close(&from[1]);
		fd_close(&to[0]);
		(void)file_put(to[1], server, strlen(server));
		fd_close(&to[1]);
		r = file_slurp(from[0], HELPER_ANSWER_MAX, program, &text, &n, e);
		fd_close(&from[0]);
		waitpid(pid, &status, 0);
		if (r == 0 && status != 0) /* the protocol's way to say: nothing known */
			r = 0;
		else if (r == 0)
			r = take_answer(program, text, n, out, e);
		if (text != NULL)
			explicit_bzero(text, n);
	}
	for (int i = 0; i < 2; i++) {
		fd_close(&to[i]);
		fd_close(&from[i]);
	}
	return r;
}

/* --- Finding ---------------------------------------------------------------------------------- */

static int
find_in(json_t *j, const char *key, bool host, struct auth *out, struct err *e)
{
	json_t *auths = json_object_get(j, "auths"), *entry;
	const char *helper;
	int r;

	if (host) {
		helper = json_string_value(find_key(json_object_get(j, "credHelpers"), key));
		if (helper == NULL)
			helper = json_string_value(json_object_get(j, "credsStore"));
		r = helper == NULL
			? 0
			: ask_helper(
			      helper, strcmp(key, "docker.io") == 0 ? DOCKER_HUB_KEY : key, out, e);
		if (r != 0)
			return r;
	}
	entry = find_key(auths, key);
	return json_is_object(entry) ? take_entry(entry, out, e) : 0;
}

int
auth_find(const char *file, const char *key, struct auth *out, struct err *e)
{
	own_strv struct strv files = {0};

	list_files(file, geteuid(), &files);
	for (size_t i = 0; i < files.n; i++) {
		own_json json_t *j = read_file(files.v[i], e);
		own_mem char *part = xstrdup(key);

		if (j == NULL)
			return -1;
		for (;;) {
			char *slash = strrchr(part, '/');
			int r = find_in(j, part, slash == NULL, out, e);

			if (r < 0)
				return err_wrap(e, "reading auth file %s", files.v[i]);
			if (r > 0)
				return 1;
			if (slash == NULL)
				break;
			*slash = '\0';
		}
	}
	return 0;
}

/* --- Changing --------------------------------------------------------------------------------- */

char *
auth_key(const char *registry, struct err *e)
{
	own_mem char *key = xstrdup(registry), *host = NULL;
	size_t n = strlen(key);

	if (text_has_prefix(key, "https://") || text_has_prefix(key, "http://")) {
		char *plain = plain_key(key);

		free(ptr_take(&key));
		key = plain;
		n = strlen(key);
	}
	while (n > 0 && key[n - 1] == '/')
		key[--n] = '\0';
	host = xstrndup(key, strcspn(key, "/"));
	if (!reference_domain_valid(host)) {
		err_set(e, ERR_INVALID, "invalid registry %.200s", registry);
		return NULL;
	}
	return ptr_take(&key);
}

static int
make_parents(const char *file, struct err *e)
{
	own_mem char *path = xstrdup(file);

	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "making %s", path);
		*slash = '/';
	}
	return 0;
}

static int
write_file(const char *file, const json_t *j, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	own_mem char *dir = xstrdup(file);
	own_fd int fd = -1;
	char *slash = strrchr(dir, '/');
	const char *name = slash != NULL ? file + (slash - dir) + 1 : file;
	int r;

	if (make_parents(file, e) < 0)
		return -1;
	if (slash != NULL)
		slash[slash == dir ? 1 : 0] = '\0';
	fd = open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "opening the directory of %s", file);
	json_go(j, "\t", &b);
	r = file_write(fd, name, b.s, b.n, 0600, 0, e);
	explicit_bzero(b.s, b.n);
	return r;
}

int
auth_put(
    const char *file, const char *key, const char *username, const char *password, struct err *e)
{
	own_json json_t *j = read_file(file, e);
	json_t *auths, *entry;
	own_mem char *plain = NULL, *text = NULL;

	if (j == NULL)
		return -1;
	if (strchr(username, ':') != NULL)
		return err_set(e, ERR_INVALID, "a user name cannot hold a colon");
	auths = json_object_get(j, "auths");
	if (!json_is_object(auths))
		auths = json_put_obj(j, "auths");
	plain = xasprintf("%s:%s", username, password);
	text = base64_encode(plain, strlen(plain));
	entry = json_put_obj(auths, key);
	json_put_str(entry, "auth", text);
	explicit_bzero(plain, strlen(plain));
	explicit_bzero(text, strlen(text));
	return write_file(file, j, e);
}

int
auth_remove(const char *file, const char *key, struct err *e)
{
	own_json json_t *j = read_file(file, e);
	json_t *auths, *v;
	const char *k, *found = NULL;

	if (j == NULL)
		return -1;
	auths = json_object_get(j, "auths");
	json_object_foreach(auths, k, v)
	{
		if (strcmp(k, key) == 0 || key_is(k, key))
			found = k;
	}
	if (found == NULL)
		return err_set(e, ERR_NOTFOUND, "not logged into %s", key);
	json_object_del(auths, found);
	return write_file(file, j, e);
}

int
auth_remove_all(const char *file, struct err *e)
{
	own_json json_t *j = read_file(file, e);

	if (j == NULL)
		return -1;
	json_put_obj(j, "auths");
	return write_file(file, j, e);
}
