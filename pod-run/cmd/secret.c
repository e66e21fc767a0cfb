/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/output.h"
#include "common/fs/file.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/terms.h"
#include "pod-run/remote/upkeep.h"
#include "pod-run/state/secret.h"

#define NS INT64_C(1000000000)

static const char *
text_of(const json_t *record, const char *key)
{
	const char *s = json_string_value(json_object_get(record, key));

	return s != NULL ? s : "";
}

/* --- create -------------------------------------------------------------------------------------*/

struct create_opts {
	const char *driver;
	struct strv driver_opts, label;
	bool env, ignore, replace;
};

static const struct opt create_rows[] = {
    {"driver", 'd', OPT_STRING(struct create_opts, driver), .arg = "driver", .show = "file",
	.complete = COMPLETE_CHOICE, .choices = "file,pass,shell", .help = "Specify secret driver"},
    {"driver-opts", 0, OPT_COMMA(struct create_opts, driver_opts), .arg = "key=value",
	.help = "Specify driver specific options"},
    {"env", 0, OPT_BOOL(struct create_opts, env),
	.help = "Read secret data from environment variable"},
    {"ignore", 0, OPT_BOOL(struct create_opts, ignore),
	.help = "If a secret with the same name exists, ignore and do not create a new secret"},
    {"label", 'l', OPT_LIST(struct create_opts, label), .arg = "label",
	.help = "Specify labels on the secret"},
    {"replace", 0, OPT_BOOL(struct create_opts, replace),
	.help = "If a secret with the same name exists, replace it"},
    OPT_END,
};

static int
read_file(const char *path, char **data, size_t *n, struct err *e)
{
	own_fd int fd = -1;

	if (strcmp(path, "-") == 0) {
		if (isatty(STDIN_FILENO))
			return err_set(
			    e, ERR_USAGE, "if `-` is used, data must be passed into stdin");
		return file_slurp(STDIN_FILENO, SECRET_DATA_MAX, "standard input", data, n, e);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1)
		return err_sys(e, "open %s", path);
	return file_slurp(fd, SECRET_DATA_MAX, path, data, n, e);
}

static int
read_data(const struct create_opts *o, const char *word, char **data, size_t *n, struct err *e)
{
	const char *value;

	if (!o->env) {
		if (read_file(word, data, n, e) == 0)
			return 0;
		return e->class != ERR_LIMIT
			   ? -1
			   : err_set(e, ERR_INVALID,
				 "secret data must be larger than 0 and less than 512000 bytes");
	}
	value = getenv(word);
	if (value == NULL)
		return err_set(e, ERR_INVALID,
		    "cannot create store secret data: environment variable %s is not set", word);
	*data = xstrdup(value);
	*n = strlen(value);
	return 0;
}

static int
check_pairs(const struct strv *l, const char *what, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (*l->v[i] == '\0' || *l->v[i] == '=')
			return err_set(e, ERR_INVALID, "invalid %s \"%s\"", what, l->v[i]);
	return 0;
}

static int
check_driver_options(const struct strv *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (strchr(l->v[i], '=') == NULL)
			return err_set(e, ERR_USAGE,
			    "invalid argument \"%s\" for \"--driver-opts\" flag: %s must be "
			    "formatted as key=value",
			    l->v[i], l->v[i]);
	return check_pairs(l, "driver option", e);
}

/* Those of containers.conf, below those of the command line. */
static void
conf_options(const struct containers_conf *conf, const char *driver, const struct create_opts *o,
    struct strv *out)
{
	const char *key;
	json_t *v;

	if (conf->secrets_opts != NULL && strcmp(driver, conf->secrets_driver) == 0)
		json_object_foreach (conf->secrets_opts, key, v)
			if (json_is_string(v))
				strv_addf(out, "%s=%s", key, json_string_value(v));
	strv_add_all(out, (const char *const *)o->driver_opts.v, o->driver_opts.n);
}

static int
create_there(struct remote *r, const struct create_opts *o, const char *name, const char *data,
    size_t n, struct err *e)
{
	own_fd int file = memfd_create("secret", MFD_CLOEXEC);
	const struct upkeep_secret s = {.name = name,
	    .driver = o->driver,
	    .driver_options = &o->driver_opts,
	    .labels = &o->label,
	    .data = file};
	own_mem char *id = NULL;

	if (file == -1 || file_put(file, data, n) == -1 || lseek(file, 0, SEEK_SET) == -1)
		return err_sys(e, "making a file in memory");
	if (upkeep_secret_create(r, &s, &id, e) == -1)
		return -1;
	puts(id);
	return 0;
}

static int
create(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct create_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_secrets struct secrets s = SECRET_NONE;
	own_strv struct strv options = {0};
	const struct containers_conf *conf = ctx_conf(x, e);
	struct secret_new n = {.name = argv[0], .labels = &o->label, .replace = o->replace};
	char id[SECRET_ID_LEN + 1], *data = NULL;
	struct err gone = {0};
	json_t *old;
	int r;

	(void)argc;
	if (conf == NULL)
		return -1;
	if (o->ignore && o->replace)
		return err_set(e, ERR_USAGE, "cannot use --ignore and --replace flags together");
	if (check_pairs(&o->label, "label", e) == -1 ||
	    check_driver_options(&o->driver_opts, e) == -1)
		return -1;
	n.driver = o->driver != NULL ? o->driver : conf->secrets_driver;
	conf_options(conf, n.driver, o, &options);
	n.options = &options;
	if (read_data(o, argv[1], &data, &n.n, e) == -1)
		return -1;
	if (x->remote != NULL) {
		r = create_there(x->remote, o, argv[0], data, n.n, e);
		secret_wipe(data, n.n);
		return r;
	}
	n.data = data;
	r = secret_open(x, true, &s, e);
	old = r == 0 && o->ignore ? secret_find(&s, argv[0], &gone) : NULL;
	if (old != NULL && strcmp(text_of(old, "name"), argv[0]) == 0)
		snprintf(id, sizeof(id), "%s", text_of(old, "id"));
	else if (r == 0)
		r = secret_add(&s, &n, id, e);
	secret_wipe(data, n.n);
	if (r == 0)
		puts(id);
	return r;
}

static const struct cmd cmd_secret_create = {
    .name = "create",
    .synopsis = "[options] NAME FILE|-",
    .brief = "Create a new secret",
    .text = "Create a secret. Input can be a path to a file or \"-\" (read from stdin). Secret "
	    "drivers \"file\" (default), \"pass\", and \"shell\" are available.",
    .examples = "secret create mysecret /path/to/secret\nprintf \"secretdata\" | podman secret "
		"create mysecret -",
    .opts = {{create_rows, 0}},
    .opts_size = sizeof(struct create_opts),
    .min = 2,
    .max = 2,
    .complete = COMPLETE_FILE,
    .run = create,
};

/* --- inspect ------------------------------------------------------------------------------------*/

struct inspect_opts {
	const char *format;
	bool pretty, showsecret;
};

static const struct opt inspect_rows[] = {
    {"format", 'f', OPT_STRING(struct inspect_opts, format), .arg = "format",
	.help = "Format inspect output using Go template"},
    {"pretty", 0, OPT_BOOL(struct inspect_opts, pretty),
	.help = "Print inspect output in human-readable format"},
    {"showsecret", 0, OPT_BOOL(struct inspect_opts, showsecret), .help = "Display the secret"},
    OPT_END,
};

static json_t *
or_empty(json_t *o)
{
	return json_is_object(o) ? json_incref(o) : json_obj();
}

static int
document(const struct secrets *s, const json_t *record, bool show, json_t *list, struct err *e)
{
	own_json json_t *o = json_obj();
	json_t *spec, *driver;
	char *data;
	size_t n;

	json_put_str(o, "ID", text_of(record, "id"));
	json_put_str(o, "CreatedAt", text_of(record, "createdAt"));
	json_put_str(o, "UpdatedAt", text_of(record, "updatedAt"));
	spec = json_put_obj(o, "Spec");
	json_put_str(spec, "Name", text_of(record, "name"));
	driver = json_put_obj(spec, "Driver");
	json_put_str(driver, "Name", text_of(record, "driver"));
	json_put_take(driver, "Options", or_empty(json_object_get(record, "driverOptions")));
	json_put_take(spec, "Labels", or_empty(json_object_get(record, "labels")));
	if (show) {
		if (secret_data(s, record, &data, &n, e) == -1)
			return -1;
		json_put_take(o, "SecretData", json_strn(data, n));
		secret_wipe(data, n);
	}
	json_add_take(list, json_incref(o));
	return 0;
}

static void
print_pretty(const json_t *record, const json_t *doc)
{
	const char *data = json_string_value(json_object_get(doc, "SecretData"));
	char when[HUMAN_MAX];
	int64_t ns = 0;

	printf("ID:              %s\n", text_of(record, "id"));
	printf("Name:              %s\n", text_of(record, "name"));
	printf("Driver:            %s\n", text_of(record, "driver"));
	human_parse_rfc3339(text_of(record, "createdAt"), &ns);
	printf("Created at:        %s\n", human_go_time(ns, when, sizeof(when)));
	human_parse_rfc3339(text_of(record, "updatedAt"), &ns);
	printf("Updated at:        %s\n", human_go_time(ns, when, sizeof(when)));
	if (data != NULL)
		printf("Secret:            %s\n", data);
}

static int
inspect(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct inspect_opts *o = opts;
	own_secrets struct secrets s = SECRET_NONE;
	own_json json_t *list = json_arr();
	struct remote *there = ctx_of(cli)->remote;
	struct err last = {0};

	if (o->pretty && o->format != NULL)
		return err_set(e, ERR_USAGE, "format and pretty cannot be used together");
	if (there == NULL && secret_open(ctx_of(cli), false, &s, e) == -1)
		return -1;
	for (int i = 0; i < argc; i++) {
		own_json json_t *theirs = there != NULL ? upkeep_secret(there, argv[i], e) : NULL;
		const json_t *record = there != NULL ? theirs : secret_find(&s, argv[i], e);

		if (record == NULL || document(&s, record, o->showsecret, list, e) == -1) {
			last = *e;
			err_wrap(&last, "inspecting secret");
			err_clear(e);
		} else if (!o->showsecret && o->format != NULL && !output_is_json(o->format)) {
			/* Templates know the field all the same. */
			json_put_str(
			    json_array_get(list, json_array_size(list) - 1), "SecretData", "");
		} else if (o->pretty) {
			print_pretty(record, json_array_get(list, json_array_size(list) - 1));
		}
	}
	if (!o->pretty &&
	    output_inspect(o->format, list, "entities.SecretInfoReport", stdout, e) == -1)
		return -1;
	*e = last;
	return err_is_set(e) ? -1 : 0;
}

static const struct cmd cmd_secret_inspect = {
    .name = "inspect",
    .synopsis = "[options] SECRET [SECRET...]",
    .brief = "Inspect a secret",
    .text = "Display detail information on one or more secrets",
    .examples = "secret inspect MYSECRET",
    .opts = {{inspect_rows, 0}},
    .opts_size = sizeof(struct inspect_opts),
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_SECRET,
    .run = inspect,
};

/* --- ls -----------------------------------------------------------------------------------------*/

struct ls_opts {
	struct strv filter;
	const char *format;
	bool noheading, quiet;
};

static const struct opt ls_rows[] = {
    {"filter", 'f', OPT_LIST(struct ls_opts, filter), .arg = "filter",
	.help = "Filter secret output"},
    {"format", 0, OPT_STRING(struct ls_opts, format), .arg = "format",
	.show =
	    "{{range "
	    ".}}{{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.CreatedAt}}\\t{{.UpdatedAt}}\\n{{end -}}",
	.help = "Format volume output using Go template"},
    {"noheading", 'n', OPT_BOOL(struct ls_opts, noheading), .help = "Do not print headers"},
    {"quiet", 'q', OPT_BOOL(struct ls_opts, quiet),
	.help = "Print secret IDs only, no other information"},
    OPT_END,
};

static bool
match_name(const struct term *t, const void *record)
{
	return terms_name(t, text_of(record, "name"));
}

static bool
match_id(const struct term *t, const void *record)
{
	return terms_name(t, text_of(record, "id"));
}

static bool
match_driver(const struct term *t, const void *record)
{
	return strcmp(text_of(record, "driver"), t->value) == 0;
}

static const struct terms_key keys[] = {
    {"name", .prepare = terms_prepare_name, .match = match_name},
    {"id", .prepare = terms_prepare_name, .match = match_id},
    {"driver", .match = match_driver},
    {0},
};

static void
put_ago(json_t *o, const char *field, const char *when)
{
	char text[HUMAN_MAX] = "";
	int64_t ns;

	if (human_parse_rfc3339(when, &ns) == 0)
		human_ago(ns / NS, ctx_now_ns() / NS, text, sizeof(text));
	json_put_str(o, field, text);
}

static int
ls(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	static const struct output_heading headings[] = {
	    {"CreatedAt", "CREATED"}, {"UpdatedAt", "UPDATED"}, {NULL, NULL}};
	const struct ls_opts *o = opts;
	own_secrets struct secrets s = SECRET_NONE;
	own_terms struct terms terms = {0};
	own_json json_t *all = NULL, *list = json_arr();
	struct output out = {.format = o->format,
	    .table = "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.CreatedAt}}\t{{.UpdatedAt}}",
	    .quiet = o->quiet ? "{{.ID}}" : NULL,
	    .type = "secrets.secretListReport",
	    .headings = headings,
	    .noheading = o->noheading};
	const json_t *record;
	size_t i;

	(void)argc;
	(void)argv;
	if (terms_parse(ctx_of(cli), keys, &o->filter, &terms, e) == -1)
		return -1;
	if (ctx_of(cli)->remote != NULL)
		all = upkeep_secrets(ctx_of(cli)->remote, e);
	else if (secret_open(ctx_of(cli), false, &s, e) == 0)
		all = secret_list(&s);
	if (all == NULL)
		return -1;
	json_array_foreach (all, i, record) {
		json_t *row;

		if (!terms_match(&terms, record))
			continue;
		row = json_add_obj(list);
		json_put_str(row, "ID", text_of(record, "id"));
		json_put_str(row, "Name", text_of(record, "name"));
		json_put_str(row, "Driver", text_of(record, "driver"));
		put_ago(row, "CreatedAt", text_of(record, "createdAt"));
		put_ago(row, "UpdatedAt", text_of(record, "updatedAt"));
	}
	return output_list(&out, list, NULL, stdout, e);
}

static const struct cmd cmd_secret_ls = {
    .name = "ls",
    .aliases = "list",
    .synopsis = "[options]",
    .brief = "List secrets",
    .examples = "secret ls",
    .opts = {{ls_rows, 0}},
    .opts_size = sizeof(struct ls_opts),
    .max = 0,
    .run = ls,
};

/* --- rm, exists ---------------------------------------------------------------------------------*/

struct rm_opts {
	bool all, ignore;
};

static const struct opt rm_rows[] = {
    {"all", 'a', OPT_BOOL(struct rm_opts, all), .help = "Remove all secrets"},
    {"ignore", 'i', OPT_BOOL(struct rm_opts, ignore),
	.help = "Ignore errors when a specified secret is missing"},
    OPT_END,
};

static int
rm(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct rm_opts *o = opts;
	own_secrets struct secrets s = SECRET_NONE;
	own_json json_t *all = NULL;
	own_strv struct strv words = {0};
	struct remote *there = ctx_of(cli)->remote;
	struct err last = {0};

	if (o->all && argc > 0)
		return err_set(
		    e, ERR_USAGE, "`podman secret rm` requires one argument, or the --all flag");
	if (!o->all && argc == 0)
		return err_set(
		    e, ERR_USAGE, "`podman secret rm` requires one argument, or the --all flag");
	if (there == NULL && secret_open(ctx_of(cli), true, &s, e) == -1)
		return -1;
	if (there == NULL)
		all = secret_list(&s);
	else if (o->all && (all = upkeep_secrets(there, e)) == NULL)
		return -1;
	for (size_t i = 0; o->all && i < json_array_size(all); i++)
		strv_add(&words, text_of(json_array_get(all, i), "id"));
	strv_add_all(&words, (const char *const *)argv, (size_t)argc);
	for (size_t i = 0; i < words.n; i++) {
		own_json json_t *theirs =
		    there != NULL ? upkeep_secret(there, words.v[i], e) : NULL;
		json_t *record = there != NULL ? theirs : secret_find(&s, words.v[i], e);
		own_mem char *id = record != NULL ? xstrdup(text_of(record, "id")) : NULL;

		if (record != NULL && (there != NULL ? upkeep_secret_remove(there, id, e)
						     : secret_remove(&s, record, e)) == 0) {
			puts(id);
			continue;
		}
		if (!(o->ignore && record == NULL)) {
			if (err_is_set(&last))
				err_print(&last, stderr);
			last = *e;
		}
		err_clear(e);
	}
	*e = last;
	return err_is_set(e) ? -1 : 0;
}

static const struct cmd cmd_secret_rm = {
    .name = "rm",
    .aliases = "remove",
    .synopsis = "[options] SECRET [SECRET...]",
    .brief = "Remove one or more secrets",
    .examples = "secret rm mysecret1 mysecret2",
    .opts = {{rm_rows, 0}},
    .opts_size = sizeof(struct rm_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_SECRET,
    .run = rm,
};

static int
exists(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	own_secrets struct secrets s = SECRET_NONE;
	struct remote *there = ctx_of(cli)->remote;
	own_json json_t *theirs = NULL;

	(void)opts;
	(void)argc;
	if (there == NULL && secret_open(ctx_of(cli), false, &s, e) == -1)
		return -1;
	if (there != NULL)
		theirs = upkeep_secret(there, argv[0], e);
	if (theirs != NULL || (there == NULL && secret_find(&s, argv[0], e) != NULL))
		return 0;
	return e->class == ERR_NOTFOUND ? 1 : -1;
}

static const struct cmd cmd_secret_exists = {
    .name = "exists",
    .synopsis = "SECRET",
    .brief = "Check if a secret exists in local storage",
    .text = "If the named secret exists in local storage, podman secret exists exits with 0, "
	    "otherwise the exit code will be 1.",
    .examples = "secret exists ID\nsecret exists SECRET || podman secret create SECRET -",
    .min = 1,
    .max = 1,
    .complete = COMPLETE_SECRET,
    .run = exists,
};

static const struct cmd_place sub[] = {
    {.cmd = &cmd_secret_create},
    {.cmd = &cmd_secret_exists},
    {.cmd = &cmd_secret_inspect},
    {.cmd = &cmd_secret_ls},
    {.cmd = &cmd_secret_rm},
    {0},
};

const struct cmd cmd_secret = {
    .name = "secret",
    .brief = "Manage secrets",
    .text = "Manage secrets",
    .sub = sub,
};
