/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/oci/auth.h"
#include "common/oci/base64.h"
#include "common/oci/reference.h"

#define FILE_MAX ((size_t)1 << 20)
#define HELPER_ANSWER_MAX 65536
#define LOCK_MS 30000
#define LEGACY_FILE "/.dockercfg"
#define DOCKER_HUB_KEY "https://index.docker.io/v1/"

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
	if (home != NULL)
		strv_addf(files, "%s" LEGACY_FILE, home);
}

const char *
auth_named(const char *named)
{
	const char *env = getenv("REGISTRY_AUTH_FILE");

	return named == NULL && env != NULL && env[0] != '\0' ? env : named;
}

static void
list_files(const char *named, uint64_t uid, struct strv *files)
{
	const char *docker = getenv("DOCKER_CONFIG");

	named = auth_named(named);
	if (named != NULL && named[0] != '\0')
		strv_add(files, named);
	else if (named == NULL && docker != NULL && docker[0] != '\0')
		strv_addf(files, "%s/config.json", docker);
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

/*
 * The document, an empty one if there is no file; NULL on error.  One that may not be read is as good as none to who
 * looks for credentials, but not to who writes them back.
 */
static json_t *
read_file(const char *path, bool to_change, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_mem char *text = NULL;
	json_t *j;
	size_t n;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || (errno == EACCES && !to_change)))
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
	json_object_foreach (obj, key, v) {
		if (key_is(key, want))
			return v;
	}
	return NULL;
}

/* "user:password"; *out stays NULL where there is no colon. */
static int
decode(const char *text, char **out, size_t *n, struct err *e)
{
	own_mem char *plain = base64_decode(text, n);

	if (plain == NULL)
		return err_set(e, ERR_FORMAT, "auth is not the base64 of user:password");
	if (strchr(plain, ':') != NULL)
		*out = ptr_take(&plain);
	else
		explicit_bzero(plain, *n);
	return 0;
}

/* An entry without a colon is as good as none, with a warning; file and key are for that. */
static int
take_entry(const char *file, const char *key, const json_t *entry, struct auth *out, struct err *e)
{
	const char *text = NULL, *token = NULL;
	own_mem char *plain = NULL;
	char *colon;
	size_t n = 0;

	if (entry == NULL || json_is_null(entry))
		return 0;
	if (!json_is_object(entry))
		return err_set(e, ERR_FORMAT, "auths: %s: it is no object", key);
	if (json_want_str(entry, "auth", &text, e) < 0 ||
	    json_want_str(entry, "identitytoken", &token, e) < 0)
		return -1;
	if (text != NULL && *text != '\0' && decode(text, &plain, &n, e) < 0)
		return -1;
	if (text != NULL && *text != '\0' && plain == NULL) {
		log_warn("Error parsing the \"auth\" field of a credential entry \"%s\" in "
			 "\"%s\", missing colon",
		    key, file);
		return 0;
	}
	if (token != NULL && *token != '\0')
		out->identity_token = xstrdup(token);
	if (plain == NULL)
		return out->identity_token != NULL;
	colon = strchr(plain, ':');
	*colon = '\0';
	out->username = xstrdup(plain);
	out->password = xstrdup(colon + 1); /* ends at a NUL: Docker pads with them */
	explicit_bzero(plain, n);
	return 1;
}

/* --- Helper programs -------------------------------------------------------------------------- */

/*
 * The child's half.  Safe to exec a program that only a configuration file names: it keeps the
 * caller's identity, but none of its capabilities, and can gain none.
 */
static void
exec_helper(const char *program, const char *verb, int in, int out)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};
	const char *path = getenv("POD_CALLER_PATH");

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 ||
	    syscall(SYS_capset, &h, none) == -1 || dup2(in, STDIN_FILENO) == -1 ||
	    dup2(out, STDOUT_FILENO) == -1)
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	if (path != NULL)
		setenv("PATH", path, 1);
	unsetenv("POD_CALLER_PATH");
	execlp(program, program, verb, (char *)NULL);
	_exit(127);
}

static int
end_helper(const char *program, pid_t pid, int *status, struct err *e)
{
	while (waitpid(pid, status, 0) == -1 && errno == EINTR)
		continue;
	if (WIFEXITED(*status) && WEXITSTATUS(*status) == 127)
		return err_set(e, ERR_NOTFOUND,
		    "error getting credentials - err: exec: \"%s\": executable file not found in "
		    "$PATH",
		    program);
	return 0;
}

/*
 * docker-credential-NAME VERB with input on its standard input.  Returns 0 and its answer in *text
 * if it succeeded, how it ended, above 0, if it did not, or -1.
 */
static int
run_helper(
    const char *name, const char *verb, const char *input, char **text, size_t *n, struct err *e)
{
	own_mem char *program = NULL;
	own_fd int in = -1, to = -1, from = -1, out = -1;
	int ends[2], status = 0, r;
	pid_t pid;

	if (name[0] == '\0' || strchr(name, '/') != NULL)
		return err_set(e, ERR_INVALID, "invalid name of a credential helper");
	program = xasprintf("docker-credential-%s", name);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	in = ends[0];
	to = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	from = ends[0];
	out = ends[1];
	pid = fork();
	if (pid == -1)
		return err_sys(e, "starting credential helper %s", program);
	if (pid == 0)
		exec_helper(program, verb, in, out);
	fd_close(&in);
	fd_close(&out);
	(void)file_put(to, input, strlen(input));
	fd_close(&to);
	r = file_slurp(from, HELPER_ANSWER_MAX, program, text, n, e);
	fd_close(&from);
	if (end_helper(program, pid, &status, e) < 0 || r < 0)
		return -1;
	return status;
}

static int
take_answer(const char *name, const char *text, size_t n, struct auth *out, struct err *e)
{
	own_json json_t *j = json_read_max(text, n, HELPER_ANSWER_MAX, 8, e);
	const char *user, *secret;

	if (j == NULL)
		return err_wrap(e, "credential helper docker-credential-%s", name);
	user = json_string_value(json_object_get(j, "Username"));
	secret = json_string_value(json_object_get(j, "Secret"));
	if (user == NULL || secret == NULL)
		return err_set(e, ERR_FORMAT,
		    "credential helper docker-credential-%s: unexpected answer", name);
	if (strcmp(user, "<token>") == 0) {
		out->identity_token = xstrdup(secret);
	} else {
		out->username = xstrdup(user);
		out->password = xstrdup(secret);
	}
	return 1;
}

static const char *
server_of(const char *key)
{
	return strcmp(key, "docker.io") == 0 ? DOCKER_HUB_KEY : key;
}

/*
 * A helper that failed: 0 if it only knows nothing, said in the one way that all of them have; else -1.
 */
static int
helper_failed(const char *text, int status, struct err *e)
{
	int n = (int)strcspn(text, "\r\n");

	if (text_has_prefix(text, "credentials not found in native keychain"))
		return 0;
	return WIFSIGNALED(status)
		   ? err_set(e, ERR_AUTH, "error getting credentials - err: signal %d, out: `%.*s`",
			 WTERMSIG(status), n, text)
		   : err_set(e, ERR_AUTH,
			 "error getting credentials - err: exit status %d, out: `%.*s`",
			 WEXITSTATUS(status), n, text);
}

static int
ask_helper(const char *name, const char *key, struct auth *out, struct err *e)
{
	own_mem char *text = NULL;
	size_t n = 0;
	int r = run_helper(name, "get", server_of(key), &text, &n, e);

	if (r == 0)
		r = take_answer(name, text, n, out, e);
	else if (r > 0)
		r = helper_failed(text, r, e);
	if (text != NULL)
		explicit_bzero(text, n);
	return r;
}

static int
tell_helper(
    const char *name, const char *key, const char *username, const char *password, struct err *e)
{
	own_json json_t *j = json_obj();
	own_mem char *input = NULL, *text = NULL;
	size_t n = 0;
	int r;

	json_put_str(j, "ServerURL", server_of(key));
	json_put_str(j, "Username", username);
	json_put_str(j, "Secret", password);
	input = json_text(j);
	r = run_helper(name, "store", input, &text, &n, e);
	explicit_bzero(input, strlen(input));
	return r > 0 ? err_set(e, ERR_INTERNAL,
			   "error storing credentials - docker-credential-%s failed", name)
		     : r;
}

/* Above 0: it had none. */
static int
erase_in_helper(const char *name, const char *key, struct err *e)
{
	own_mem char *text = NULL;
	size_t n = 0;

	return run_helper(name, "erase", server_of(key), &text, &n, e);
}

/* --- Finding ---------------------------------------------------------------------------------- */

/*
 * Docker's default helper for all registries, which other engines do not know: one that fails, as that of a Docker
 * Desktop which is not here, must not be in the way.
 */
static int
ask_default(const json_t *j, const char *key, struct auth *out)
{
	const char *helper = json_string_value(json_object_get(j, "credsStore"));
	struct err failure = {0};
	int r = helper == NULL ? 0 : ask_helper(helper, key, out, &failure);

	if (r >= 0)
		return r;
	log_info("credsStore of the auth file: %s", failure.text);
	return 0;
}

static int
find_in(const char *file, json_t *j, const char *key, bool host, struct auth *out, struct err *e)
{
	const char *helper;
	int r;

	helper = host ? json_string_value(find_key(json_object_get(j, "credHelpers"), key)) : NULL;
	if (helper != NULL) {
		r = ask_helper(helper, key, out, e);
		if (r != 0)
			return r;
	} else if (host && (r = ask_default(j, key, out)) != 0) {
		return r;
	}
	return take_entry(file, key, find_key(json_object_get(j, "auths"), key), out, e);
}

/* Docker's first form has no more than the entries. */
static void
read_legacy(json_t **j)
{
	json_t *whole = json_obj();

	json_put_take(whole, "auths", *j);
	*j = whole;
}

static int
find_in_files(const char *file, const char *key, struct auth *out, struct err *e)
{
	own_strv struct strv files = {0};

	list_files(file, geteuid(), &files);
	for (size_t i = 0; i < files.n; i++) {
		own_json json_t *j = read_file(files.v[i], false, e);
		own_mem char *part = xstrdup(key);

		if (j == NULL)
			return -1;
		if (files.n > 1 && text_has_suffix(files.v[i], LEGACY_FILE))
			read_legacy(&j);
		for (;;) {
			char *slash = strrchr(part, '/');
			int r = find_in(files.v[i], j, part, slash == NULL, out, e);

			if (r < 0)
				return err_wrap(e, "reading auth file %s", files.v[i]);
			if (r > 0)
				return 1;
			/* An entry that says nothing is the one that counts all the same. */
			if (slash == NULL || find_key(json_object_get(j, "auths"), part) != NULL)
				break;
			*slash = '\0';
		}
	}
	return 0;
}

int
auth_find(
    const struct strv *helpers, const char *file, const char *key, struct auth *out, struct err *e)
{
	own_mem char *host = xstrndup(key, strcspn(key, "/"));

	if (helpers == NULL || helpers->n == 0)
		return find_in_files(file, key, out, e);
	/* One that fails keeps nobody from asking the others. */
	for (size_t i = 0; i < helpers->n; i++) {
		struct err failure = {0};
		int r = strcmp(helpers->v[i], AUTH_FILES) == 0
			    ? find_in_files(file, key, out, &failure)
			    : ask_helper(helpers->v[i], host, out, &failure);

		if (r > 0) {
			err_clear(e);
			return r;
		}
		if (r < 0 && !err_is_set(e))
			*e = failure;
	}
	return err_is_set(e) ? -1 : 0;
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

/*
 * A file that is being changed: between reading and writing it no other of us may change it, or one of two logins
 * at once is lost.  The lock is a file beside it, which is there only meanwhile; other engines know none.
 */
struct changed {
	const char *path, *name; /* name: in dir */
	char *lock_name;
	int dir, lock;
};

static void
end_change(struct changed *c)
{
	if (c->lock >= 0)
		unlinkat(c->dir, c->lock_name, 0);
	fd_close(&c->lock);
	fd_close(&c->dir);
	free(c->lock_name);
	c->lock_name = NULL;
}
#define own_changed own(end_change)

static int
begin_change(struct changed *c, const char *file, struct err *e)
{
	const char *slash = strrchr(file, '/');
	own_mem char *dir = slash == NULL   ? xstrdup(".")
			    : slash == file ? xstrdup("/")
					    : xstrndup(file, (size_t)(slash - file));

	c->path = file;
	c->name = slash != NULL ? slash + 1 : file;
	if (make_parents(file, e) < 0)
		return -1;
	c->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->dir < 0)
		return err_sys(e, "opening the directory of %s", file);
	c->lock_name = xasprintf(".%s.pod-lock", c->name);
	c->lock = lock_acquire(c->dir, c->lock_name, LOCK_EXCLUSIVE, LOCK_MS, e);
	if (c->lock >= 0)
		return 0;
	/* Nor can the file be written then, which is the error to tell; a helper's entry can be. */
	if (e->no != EACCES && e->no != EPERM && e->no != EROFS)
		return err_wrap(e, "changing auth file %s", file);
	err_clear(e);
	return 0;
}

static int
write_file(const struct changed *c, const json_t *j, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	int r;

	json_go(j, "\t", &b);
	r = file_write(c->dir, c->name, b.s, b.n, 0600, 0, e);
	explicit_bzero(b.s, b.n);
	return r < 0 ? err_wrap(e, "writing auth file") : 0;
}

/* The name under which Docker's own files know a registry. */
static const char *
stored_key(const char *key, bool docker)
{
	return docker ? server_of(key) : key;
}

static const char *
helper_for(const json_t *j, const char *key)
{
	return json_string_value(
	    find_key(json_object_get((json_t *)(uintptr_t)j, "credHelpers"), key));
}

static int
put_in_file(const struct auth_place *at, const char *key, const char *username,
    const char *password, struct err *e)
{
	own_changed struct changed c = {.dir = -1, .lock = -1};
	own_json json_t *j = NULL;
	json_t *auths, *entry;
	own_mem char *plain = NULL, *text = NULL;

	if (begin_change(&c, at->file, e) < 0 || (j = read_file(at->file, true, e)) == NULL)
		return -1;
	if (helper_for(j, key) != NULL) {
		end_change(&c);
		return tell_helper(helper_for(j, key), key, username, password, e);
	}
	auths = json_object_get(j, "auths");
	if (!json_is_object(auths))
		auths = json_put_obj(j, "auths");
	plain = xasprintf("%s:%s", username, password);
	text = base64_encode(plain, strlen(plain));
	entry = json_put_obj(auths, stored_key(key, at->docker));
	json_put_str(entry, "auth", text);
	explicit_bzero(plain, strlen(plain));
	explicit_bzero(text, strlen(text));
	return write_file(&c, j, e);
}

int
auth_put(const struct auth_place *at, const char *key, const char *username, const char *password,
    char **where, struct err *e)
{
	const char *helper = at->helpers != NULL && at->helpers->n > 0 ? at->helpers->v[0] : NULL;

	if (strchr(username, ':') != NULL)
		return err_set(e, ERR_INVALID, "a user name cannot hold a colon");
	if (at->docker && strchr(key, '/') != NULL)
		return err_set(e, ERR_INVALID,
		    "credentials for %s cannot be stored in Docker's form: it has no namespaces",
		    key);
	if (helper == NULL || strcmp(helper, AUTH_FILES) == 0) {
		*where = xstrdup(at->file);
		return put_in_file(at, key, username, password, e);
	}
	if (strchr(key, '/') != NULL)
		return err_set(e, ERR_INVALID,
		    "namespaced key is not supported for credential helper %s", helper);
	*where = xasprintf("credential helper: %s", helper);
	return tell_helper(helper, key, username, password, e);
}

/* 1: there were none. */
static int
remove_from_file(const struct auth_place *at, const char *key, struct err *e)
{
	own_changed struct changed c = {.dir = -1, .lock = -1};
	own_json json_t *j = NULL;
	const char *k, *found = NULL;
	json_t *auths, *v;

	if (access(at->file, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 1;
	if (begin_change(&c, at->file, e) < 0 || (j = read_file(at->file, true, e)) == NULL)
		return -1;
	if (helper_for(j, key) != NULL) {
		end_change(&c);
		return erase_in_helper(helper_for(j, key), key, e);
	}
	auths = json_object_get(j, "auths");
	json_object_foreach (auths, k, v) {
		if (strcmp(k, key) == 0 || key_is(k, key))
			found = k;
	}
	if (found == NULL)
		return 1;
	json_object_del(auths, found);
	return write_file(&c, j, e);
}

int
auth_remove(const struct auth_place *at, const char *key, struct err *e)
{
	size_t n = at->helpers != NULL ? at->helpers->n : 0;
	bool removed = false;

	for (size_t i = 0; i < n || (n == 0 && i == 0); i++) {
		int r = n == 0 || strcmp(at->helpers->v[i], AUTH_FILES) == 0
			    ? remove_from_file(at, key, e)
			    : erase_in_helper(at->helpers->v[i], key, e);

		if (r < 0)
			return -1;
		removed |= r == 0;
	}
	return removed ? 0 : err_set(e, ERR_NOTFOUND, "not logged into %s", key);
}

/* What a helper knows is an object from servers to users. */
static int
erase_all_in_helper(const char *name, struct err *e)
{
	own_mem char *text = NULL;
	own_json json_t *j = NULL;
	const char *server;
	json_t *user;
	size_t n = 0;
	int r = run_helper(name, "list", "", &text, &n, e);

	if (r != 0)
		return r > 0 ? 0 : -1;
	j = json_read_max(text, n, HELPER_ANSWER_MAX, 8, e);
	if (j == NULL)
		return err_wrap(e, "credential helper docker-credential-%s", name);
	json_object_foreach (j, server, user) {
		(void)user;
		if (erase_in_helper(name, server, e) < 0)
			return -1;
	}
	return 0;
}

static int
remove_all_from_file(const struct auth_place *at, struct err *e)
{
	own_changed struct changed c = {.dir = -1, .lock = -1};
	own_json json_t *j = NULL;
	const char *key;
	json_t *helper;

	if (begin_change(&c, at->file, e) < 0 || (j = read_file(at->file, true, e)) == NULL)
		return -1;
	json_object_foreach (json_object_get(j, "credHelpers"), key, helper) {
		if (json_is_string(helper) &&
		    erase_in_helper(json_string_value(helper), key, e) < 0)
			return -1;
	}
	json_put_obj(j, "auths");
	return write_file(&c, j, e);
}

int
auth_remove_all(const struct auth_place *at, struct err *e)
{
	size_t n = at->helpers != NULL ? at->helpers->n : 0;

	if (n == 0)
		return remove_all_from_file(at, e);
	for (size_t i = 0; i < n; i++) {
		if ((strcmp(at->helpers->v[i], AUTH_FILES) == 0
			    ? remove_all_from_file(at, e)
			    : erase_all_in_helper(at->helpers->v[i], e)) < 0)
			return -1;
	}
	return 0;
}
