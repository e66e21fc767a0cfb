/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/role/program.h"
#include "pod-run/oci/config_json.h"
#include "pod-run/oci/hooks.h"
#include "pod-run/oci/spec_config.h"
#include "pod-run/state/summary.h"

#define FILE_MAX ((size_t)1 << 20)
#define CONFIG_MAX ((size_t)16 << 20)
#define PRECREATE_MS 10000
#define PRECREATE_MAX_S 3600

static const char *const stages[] = {"precreate", "prestart", "createRuntime", "createContainer",
    "startContainer", "poststart", "poststop"};

/* --- The files ----------------------------------------------------------------------------------*/

struct file {
	char *name, *path;
};

struct files {
	struct file *v;
	size_t n, cap;
};

static void
files_free(struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].path);
	}
	free(f->v);
}
#define own_files own(files_free)

static void
add_file(struct files *f, const char *dir, const char *name)
{
	size_t i;

	for (i = 0; i < f->n && strcmp(f->v[i].name, name) != 0; i++)
		;
	if (i == f->n) {
		f->v = mem_grow(f->v, &f->cap, f->n + 1, sizeof(*f->v));
		f->v[f->n++] = (struct file){.name = xstrdup(name)};
	}
	free(f->v[i].path);
	f->v[i].path = xasprintf("%s/%s", dir, name);
}

static int
by_name(const void *va, const void *vb)
{
	const struct file *a = va, *b = vb;

	return strcasecmp(a->name, b->name);
}

static int
list_files(const struct strv *dirs, struct files *f, struct err *e)
{
	for (size_t i = 0; i < dirs->n; i++) {
		own_dir DIR *d = opendir(dirs->v[i]);
		const struct dirent *n;

		if (d == NULL && errno != ENOENT)
			return err_sys(e, "reading hooks directory %s", dirs->v[i]);
		while (d != NULL && (n = readdir(d)) != NULL)
			if (text_has_suffix(n->d_name, ".json"))
				add_file(f, dirs->v[i], n->d_name);
	}
	if (f->n > 0)
		qsort(f->v, f->n, sizeof(*f->v), by_name);
	return 0;
}

/* --- Matching -----------------------------------------------------------------------------------*/

/* 1: the pattern is found in the text. */
static int
found(const char *pattern, const char *text, struct err *e)
{
	regex_t r;
	int rc = regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB);

	if (rc != 0)
		return err_set(e, ERR_FORMAT, "invalid regular expression \"%s\"", pattern);
	rc = regexec(&r, text, 0, NULL, 0);
	regfree(&r);
	return rc == 0;
}

static int
match_commands(const json_t *list, const char *command, struct err *e)
{
	const json_t *v;
	size_t i;
	int r = 0;

	json_array_foreach (list, i, v) {
		const char *pattern = json_string_value(v);

		if (pattern == NULL)
			return err_set(e, ERR_FORMAT, "a command must be a string");
		r = found(pattern, command, e);
		if (r != 0)
			return r;
	}
	return 0;
}

/* key NULL: any key. */
static int
match_annotation(const char *key, const char *value, const struct rec_ctr_config *c, struct err *e)
{
	int r;

	for (size_t i = 0; i < c->annotations.n; i++) {
		r = key != NULL ? found(key, c->annotations.v[i].key, e) : 1;
		if (r == 1)
			r = found(value, c->annotations.v[i].value, e);
		if (r != 0)
			return r;
	}
	return 0;
}

static bool
has_binds(const struct rec_ctr_config *c)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].type, "bind") == 0 ||
		    strcmp(c->mounts.v[i].type, "volume") == 0)
			return true;
	return false;
}

static const char *
command_of(const struct rec_ctr_config *c, struct strv *words)
{
	summary_args(c, words);
	return words->n > 0 ? words->v[0] : "";
}

/* 1.0.0: every condition that is there must hold, and one must be there. */
static int
match_new(const json_t *when, const struct rec_ctr_config *c, struct err *e)
{
	const json_t *always = json_object_get(when, "always"),
		     *binds = json_object_get(when, "hasBindMounts"),
		     *commands = json_object_get(when, "commands");
	json_t *notes = json_object_get(when, "annotations"), *v;
	own_strv struct strv words = {0};
	size_t conditions = 0;
	const char *key;
	int r;

	if (always != NULL) {
		conditions++;
		if (!json_is_true(always))
			return 0;
	}
	if (binds != NULL) {
		conditions++;
		if (json_is_true(binds) != has_binds(c))
			return 0;
	}
	json_object_foreach (notes, key, v) {
		conditions++;
		r = json_is_string(v) ? match_annotation(key, json_string_value(v), c, e)
				      : err_set(e, ERR_FORMAT, "an annotation must be a string");
		if (r != 1)
			return r;
	}
	if (json_array_size(commands) > 0) {
		conditions++;
		r = match_commands(commands, command_of(c, &words), e);
		if (r != 1)
			return r;
	}
	return conditions > 0;
}

/* Two spellings, of which one may be used: -1 if both are. */
static int
check_spelling(const json_t *hook, const char *const names[2], struct err *e)
{
	if (json_object_get(hook, names[0]) == NULL || json_object_get(hook, names[1]) == NULL)
		return 0;
	return err_set(e, ERR_FORMAT, "cannot set both '%s' and '%s'", names[0], names[1]);
}

/* 0.1.0: any condition suffices; a word may stand in the place of a list. */
static int
match_old(const json_t *hook, const struct rec_ctr_config *c, struct err *e)
{
	static const char *const commands[] = {"cmd", "cmds"};
	static const char *const notes[] = {"annotation", "annotations"};
	own_strv struct strv words = {0};
	const char *command = command_of(c, &words);
	const json_t *v;
	size_t k;
	int r = 0;

	if (check_spelling(hook, commands, e) == -1 || check_spelling(hook, notes, e) == -1)
		return -1;
	if (json_is_true(json_object_get(hook, "hasbindmounts")) && has_binds(c))
		return 1;
	for (size_t i = 0; i < COUNTOF(commands) && r == 0; i++) {
		const json_t *list = json_object_get(hook, commands[i]);

		r = json_is_string(list) ? found(json_string_value(list), command, e)
					 : match_commands(list, command, e);
	}
	for (size_t i = 0; i < COUNTOF(notes) && r == 0; i++) {
		const json_t *list = json_object_get(hook, notes[i]);

		if (json_is_string(list))
			r = match_annotation(NULL, json_string_value(list), c, e);
		json_array_foreach (list, k, v)
			if (r == 0 && json_is_string(v))
				r = match_annotation(NULL, json_string_value(v), c, e);
	}
	return r;
}

/* --- Taking over --------------------------------------------------------------------------------*/

static int
add_stage(const json_t *hook, const char *stage, json_t *out, struct err *e)
{
	json_t *o;

	for (size_t i = 0; i < COUNTOF(stages); i++) {
		if (strcmp(stages[i], stage) != 0)
			continue;
		o = json_copy((json_t *)(uintptr_t)hook);
		json_put_str(o, "hookName", stage);
		json_add_take(out, o);
		return 0;
	}
	return err_set(e, ERR_FORMAT, "unknown stage \"%s\"", stage);
}

static int
add_stages(const json_t *hook, const json_t *list, json_t *out, struct err *e)
{
	const json_t *v;
	size_t i;

	if (json_is_string(list))
		return add_stage(hook, json_string_value(list), out, e);
	json_array_foreach (list, i, v)
		if (!json_is_string(v) || add_stage(hook, json_string_value(v), out, e) == -1)
			return err_is_set(e) ? -1
					     : err_set(e, ERR_FORMAT, "a stage must be a string");
	return 0;
}

static int
check_hook(const json_t *hook, struct err *e)
{
	const char *path = json_string_value(json_object_get(hook, "path"));

	if (path == NULL || *path != '/')
		return err_set(e, ERR_FORMAT, "path must be an absolute path");
	return access(path, X_OK) == 0 ? 0 : err_sys(e, "stat %s", path);
}

static int
take_new(const json_t *j, const struct rec_ctr_config *c, json_t *out, struct err *e)
{
	const json_t *hook = json_object_get(j, "hook");
	int r;

	if (!json_is_object(hook) || check_hook(hook, e) == -1)
		return err_is_set(e) ? -1
				     : err_set(e, ERR_FORMAT, "missing required property: hook");
	if (!json_is_array(json_object_get(j, "stages")))
		return err_set(e, ERR_FORMAT, "missing required property: stages");
	r = match_new(json_object_get(j, "when"), c, e);
	return r == 1 ? add_stages(hook, json_object_get(j, "stages"), out, e) : r;
}

static int
take_old(const json_t *j, const struct rec_ctr_config *c, json_t *out, struct err *e)
{
	static const char *const names[] = {"stage", "stages"};
	own_json json_t *hook = json_obj();
	const char *path = json_string_value(json_object_get(j, "hook"));
	json_t *args, *given = json_object_get(j, "arguments");
	int r;

	json_put_str(hook, "path", path != NULL ? path : "");
	if (check_hook(hook, e) == -1 || check_spelling(j, names, e) == -1)
		return -1;
	if (json_array_size(given) > 0) {
		args = json_put_arr(hook, "args");
		json_add_str(args, path);
		json_array_extend(args, given);
	}
	r = match_old(j, c, e);
	if (r != 1)
		return r;
	for (size_t i = 0; i < COUNTOF(names); i++)
		if (add_stages(hook, json_object_get(j, names[i]), out, e) == -1)
			return -1;
	return 0;
}

static int
take_file(const char *path, const struct rec_ctr_config *c, json_t *out, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	own_json json_t *j = NULL;
	const char *version;

	/* A link to nothing, or a file that has just gone. */
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return err_sys(e, "opening %s", path);
	j = json_read_fd(fd, FILE_MAX, path, e);
	if (j == NULL)
		return -1;
	version = json_string_value(json_object_get(j, "version"));
	if (version != NULL && strcmp(version, "1.0.0") == 0)
		return take_new(j, c, out, e);
	if (version == NULL || strcmp(version, "0.1.0") == 0)
		return take_old(j, c, out, e);
	return err_set(e, ERR_FORMAT, "unrecognized hook version: \"%s\"", version);
}

int
hooks_find(const struct strv *dirs, const struct rec_ctr_config *c, json_t **out, struct err *e)
{
	own_files struct files f = {0};

	if (list_files(dirs, &f, e) == -1)
		return -1;
	for (size_t i = 0; i < f.n; i++) {
		if (*out == NULL)
			*out = json_arr();
		if (take_file(f.v[i].path, c, *out, e) == -1)
			return err_wrap(e, "parsing hook \"%s\"", f.v[i].path);
	}
	return 0;
}

/* --- Writing ------------------------------------------------------------------------------------*/

static void
write_stage(const json_t *hooks, const char *stage, struct strbuf *b)
{
	const json_t *hook;
	bool open = false;
	size_t i;

	json_array_foreach (hooks, i, hook) {
		const char *name = json_string_value(json_object_get(hook, "hookName"));
		own_json json_t *copy = NULL;
		own_mem char *text = NULL;

		if (name == NULL || strcmp(name, stage) != 0)
			continue;
		copy = json_copy((json_t *)(uintptr_t)hook);
		json_object_del(copy, "hookName");
		text = json_text(copy);
		if (!open)
			config_json_open(b, stage, '[');
		open = true;
		config_json_raw(b, NULL, text);
	}
	if (open)
		config_json_close(b, ']');
}

void
hooks_write(const json_t *hooks, struct strbuf *b)
{
	if (json_array_size(hooks) == 0)
		return;
	config_json_open(b, "hooks", '{');
	for (size_t i = 1; i < COUNTOF(stages); i++)
		write_stage(hooks, stages[i], b);
	config_json_close(b, '}');
}

/* --- precreate ----------------------------------------------------------------------------------*/

static void
add_words(const json_t *list, struct strv *out)
{
	const json_t *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (json_is_string(v))
			strv_add(out, json_string_value(v));
}

/* The time that the hook has, whatever number stands there. */
static int
time_of(const json_t *hook)
{
	json_int_t seconds = json_integer_value(json_object_get(hook, "timeout"));

	if (seconds <= 0)
		return PRECREATE_MS;
	return seconds < PRECREATE_MAX_S ? (int)seconds * 1000 : PRECREATE_MAX_S * 1000;
}

static int
run_one(const json_t *hook, struct strbuf *config, struct err *e)
{
	const char *path = json_string_value(json_object_get(hook, "path"));
	own_strv struct strv words = {0}, env = {0};
	own(program_free) struct program_result result = {0};
	own_json json_t *j = NULL;
	struct program_run run = {.path = path,
	    .arguments = &words,
	    .environment = &env,
	    .input = config->s,
	    .input_size = config->n,
	    .output_max = CONFIG_MAX,
	    .time_ms = time_of(hook),
	    .same_stderr = true};
	own_mem char *name = NULL;

	add_words(json_object_get(hook, "args"), &words);
	add_words(json_object_get(hook, "env"), &env);
	if (words.n > 0) {
		run.name = name = xstrdup(words.v[0]);
		strv_remove(&words, 0);
	}
	if (program_run(&run, &result, e) == -1)
		return err_wrap(e, "executing precreate hook %s failed", path);
	if (result.status != 0)
		return err_set(e, ERR_RUNTIME, "executing precreate hook %s failed: exit status %d",
		    path, result.status);
	j = json_read_max(result.out.s != NULL ? result.out.s : "", result.out.n, CONFIG_MAX,
	    JSON_DEPTH_DEFAULT, e);
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT,
		    "executing precreate hook %s failed: its output is no configuration", path);
	strbuf_free(config);
	*config = result.out;
	result.out = (struct strbuf){0};
	return 0;
}

int
hooks_precreate(const json_t *hooks, struct strbuf *config, struct err *e)
{
	for (size_t i = 0; i < json_array_size(hooks); i++) {
		const json_t *hook = json_array_get(hooks, i);
		const char *stage = json_string_value(json_object_get(hook, "hookName"));

		if (stage != NULL && strcmp(stage, "precreate") == 0 &&
		    run_one(hook, config, e) == -1)
			return -1;
	}
	return 0;
}
