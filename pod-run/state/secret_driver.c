/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"
#include "common/oci/base64.h"
#include "common/role/program.h"
#include "pod-run/state/secret.h"
#include "pod-run/state/secret_driver.h"

#define FILE_MAX ((size_t)512 << 20)
#define LOCK_MS 10000

static const char *
option(const json_t *options, const char *key)
{
	const char *s = json_string_value(json_object_get(options, key));

	return s != NULL ? s : "";
}

/* --- file -------------------------------------------------------------------------------------------*/

struct store {
	int dir, lock;
	json_t *doc;
};

static void
store_close(struct store *s)
{
	fd_close(&s->lock);
	fd_close(&s->dir);
	json_decref(s->doc);
}
#define own_store own(store_close)

static int
store_open(const json_t *options, enum lock_mode mode, struct store *s, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_mem char *text = NULL;
	struct err missing = {0};
	size_t n;

	if (*option(options, "path") != '/')
		return err_set(
		    e, ERR_INVALID, "the option path of a secret's driver must be absolute");
	s->dir = path_mkdirs(root, option(options, "path"), PATH_IN_ROOT, 0700, NULL, e);
	if (s->dir == -1)
		return -1;
	s->lock = lock_acquire(s->dir, "secretsdata.lock", mode, LOCK_MS, e);
	if (s->lock == -1)
		return -1;
	if (file_read(s->dir, "secretsdata.json", FILE_MAX, &text, &n, &missing) == -1) {
		if (missing.no == ENOENT) {
			s->doc = json_obj();
			return 0;
		}
		*e = missing;
		return -1;
	}
	s->doc = json_read_max(text, n, FILE_MAX, JSON_DEPTH_DEFAULT, e);
	secret_wipe(ptr_take(&text), n);
	return json_is_object(s->doc) ? 0 : err_set(e, ERR_FORMAT, "secretsdata.json is no object");
}

static int
store_save(const struct store *s, struct err *e)
{
	char *text = json_text(s->doc);
	size_t n = strlen(text);
	int r = file_write(s->dir, "secretsdata.json", text, n, 0600, FILE_SYNC, e);

	secret_wipe(text, n);
	return r;
}

static int
file_store(const json_t *options, const char *id, const char *data, size_t n, struct err *e)
{
	own_store struct store s = {.dir = -1, .lock = -1};
	char *text;

	if (store_open(options, LOCK_EXCLUSIVE, &s, e) == -1)
		return -1;
	text = base64_encode(data, n);
	json_put_str(s.doc, id, text);
	secret_wipe(text, strlen(text));
	return store_save(&s, e);
}

static int
file_lookup(const json_t *options, const char *id, char **data, size_t *n, struct err *e)
{
	own_store struct store s = {.dir = -1, .lock = -1};
	const char *text;

	if (store_open(options, LOCK_SHARED, &s, e) == -1)
		return -1;
	text = json_string_value(json_object_get(s.doc, id));
	if (text == NULL)
		return err_set(e, ERR_NOTFOUND, "no secret data with ID %s", id);
	*data = base64_decode(text, n);
	return *data != NULL ? 0
			     : err_set(e, ERR_FORMAT, "the data of secret %s is not base64", id);
}

static int
file_remove(const json_t *options, const char *id, struct err *e)
{
	own_store struct store s = {.dir = -1, .lock = -1};

	if (store_open(options, LOCK_EXCLUSIVE, &s, e) == -1)
		return -1;
	json_object_del(s.doc, id);
	return store_save(&s, e);
}

/* --- Commands ---------------------------------------------------------------------------------------*/

/* Runs a program with data on its input; its output in out. */
static int
run_command(const struct strv *argv, const struct strv *env, const char *data, size_t n,
    struct strbuf *out, struct err *e)
{
	const struct strv arguments = {.v = argv->v + 1, .n = argv->n - 1};
	const struct program_run r = {.path = argv->v[0],
	    .arguments = &arguments,
	    .environment = env,
	    .input = data,
	    .input_size = n,
	    .output_max = SECRET_DATA_MAX,
	    .interactive = true};
	struct program_result result;

	if (program_run(&r, &result, e) == -1)
		return -1;
	if (result.status == 0)
		*out = result.out;
	else
		strbuf_free(&result.out);
	return result.status == 0
		   ? 0
		   : err_set(e, ERR_RUNTIME, "%s: exit status %d", argv->v[0], result.status);
}

/* --- shell ------------------------------------------------------------------------------------------*/

static int
shell(const json_t *options, const char *key, const char *id, const char *data, size_t n,
    struct strbuf *out, struct err *e)
{
	const char *line = option(options, key);
	own_strv struct strv argv = {0}, env = {0};

	if (*line == '\0')
		return err_set(e, ERR_INVALID,
		    "the shell driver of secrets needs the option %s: missing config value", key);
	strv_add(&argv, "/bin/sh");
	strv_add(&argv, "-c");
	strv_add(&argv, line);
	for (char **v = environ; *v != NULL; v++)
		if (strncmp(*v, "SECRET_ID=", strlen("SECRET_ID=")) != 0)
			strv_add(&env, *v);
	strv_addf(&env, "SECRET_ID=%s", id);
	if (run_command(&argv, &env, data, n, out, e) == -1)
		return err_wrap(e, "running the %s command of a secret", key);
	return 0;
}

static int
shell_store(const json_t *options, const char *id, const char *data, size_t n, struct err *e)
{
	own_strbuf struct strbuf out = {0};

	return shell(options, "store", id, data, n, &out, e);
}

static int
shell_lookup(const json_t *options, const char *id, char **data, size_t *n, struct err *e)
{
	own_strbuf struct strbuf out = {0};

	if (shell(options, "lookup", id, NULL, 0, &out, e) == -1)
		return -1;
	*n = out.n;
	*data = strbuf_take(&out);
	return 0;
}

static int
shell_remove(const json_t *options, const char *id, struct err *e)
{
	own_strbuf struct strbuf out = {0};

	return shell(options, "delete", id, NULL, 0, &out, e);
}

/* --- pass: files encrypted by gpg in a password store ------------------------------------------------*/

static char *
pass_file(const json_t *options, const char *id)
{
	const char *root = option(options, "root"), *home = getenv("HOME");

	return *root != '\0' ? xasprintf("%s/%s.gpg", root, id)
			     : xasprintf("%s/.password-store/%s.gpg", home != NULL ? home : "", id);
}

static int
gpg(const json_t *options, const char *const *words, const char *data, size_t n, struct strbuf *out,
    struct err *e)
{
	own_strv struct strv argv = {0}, env = {0};

	for (char **v = environ; *v != NULL; v++)
		strv_add(&env, *v);
	strv_add(&argv, "gpg");
	if (*option(options, "gpghomedir") != '\0') {
		strv_add(&argv, "--homedir");
		strv_add(&argv, option(options, "gpghomedir"));
	}
	strv_add(&argv, "--batch");
	strv_add(&argv, "--quiet");
	for (; *words != NULL; words++)
		strv_add(&argv, *words);
	return run_command(&argv, &env, data, n, out, e);
}

/* The key that is named, or that of the password store. */
static int
pass_key(const json_t *options, char **key, struct err *e)
{
	own_mem char *file = pass_file(options, "");
	own_mem char *list = xasprintf("%.*s.gpg-id", (int)(strlen(file) - strlen(".gpg")), file);
	size_t n;

	if (*option(options, "key") != '\0') {
		*key = xstrdup(option(options, "key"));
		return 0;
	}
	if (file_read(AT_FDCWD, list, 4096, key, &n, e) == -1)
		return err_wrap(e, "finding the key of the password store");
	(*key)[strcspn(*key, "\n")] = '\0';
	return 0;
}

static int
pass_store(const json_t *options, const char *id, const char *data, size_t n, struct err *e)
{
	own_mem char *file = pass_file(options, id), *key = NULL;
	own_strbuf struct strbuf out = {0};

	if (pass_key(options, &key, e) == -1)
		return -1;
	return gpg(options,
	    (const char *const[]){
		"--trust-model", "always", "--encrypt", "-r", key, "-o", file, NULL},
	    data, n, &out, e);
}

static int
pass_lookup(const json_t *options, const char *id, char **data, size_t *n, struct err *e)
{
	own_mem char *file = pass_file(options, id);
	own_strbuf struct strbuf out = {0};

	if (gpg(options, (const char *const[]){"--decrypt", file, NULL}, NULL, 0, &out, e) == -1)
		return -1;
	*n = out.n;
	*data = strbuf_take(&out);
	return 0;
}

static int
pass_remove(const json_t *options, const char *id, struct err *e)
{
	own_mem char *file = pass_file(options, id);

	return unlink(file) == -1 && errno != ENOENT ? err_sys(e, "removing %s", file) : 0;
}

static const struct secret_driver drivers[] = {
    {"file", file_store, file_lookup, file_remove},
    {"pass", pass_store, pass_lookup, pass_remove},
    {"shell", shell_store, shell_lookup, shell_remove},
};

const struct secret_driver *
secret_driver_find(const char *name, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(drivers); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	err_set(e, ERR_INVALID, "invalid driver");
	return NULL;
}
