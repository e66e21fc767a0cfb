/* SPDX-License-Identifier: ISC */
/* image trust: policy.json shown and changed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/cli/output.h"
#include "common/conf/lookaside.h"
#include "common/conf/policy_conf.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/oci/base64.h"
#include "common/role/spawn.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/ctx.h"

#define FILE_MAX ((size_t)1 << 20)
#define DEPTH_MAX 16

static const struct word { /* of the command line, of the file, of the table */
	const char *given, *rule, *shown;
	bool keys;
} words[] = {
    {"accept", "insecureAcceptAnything", "accept", false},
    {"reject", "reject", "reject", false},
    {"signedBy", "signedBy", "signed", true},
    {"sigstoreSigned", "sigstoreSigned", "sigstoreSigned", true},
};

/* The text of the policy; caller frees. */
static char *
read_policy(const char *path, size_t *n, struct err *e)
{
	own_fd int fd = -1;
	char *text = NULL;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		err_sys(e, "unable to read %s: open %s", path, path);
	else if (file_slurp(fd, FILE_MAX, path, &text, n, e) < 0)
		return NULL;
	return text;
}

static json_t *
parse_policy(const char *path, const char *text, size_t n, struct err *e)
{
	json_t *j = json_read_max(text, n, FILE_MAX, DEPTH_MAX, e);

	if (j != NULL && !json_is_object(j)) {
		json_decref(j);
		j = NULL;
		err_set(e, ERR_FORMAT, "it is no JSON object");
	}
	if (j == NULL)
		err_wrap(e, "could not parse trust policies from %s", path);
	return j;
}

/* --- show ---------------------------------------------------------------------------------------*/

struct show_opts {
	bool json, noheading, raw;
	const char *policy;
};

static const struct opt show_rows[] = {
    {"json", 'j', OPT_BOOL(struct show_opts, json), .help = "Output as json"},
    {"noheading", 'n', OPT_BOOL(struct show_opts, noheading),
	.help = "Do not print column headings"},
    {"raw", 0, OPT_BOOL(struct show_opts, raw), .help = "Output raw policy file"},
    {"signature-policy", 0, OPT_STRING(struct show_opts, policy), .alias = "policypath",
	.arg = "path", .complete = COMPLETE_FILE, .help = "Path to a signature-policy file"},
    OPT_END,
};

static const struct output_heading headings[] = {
    {"RepoName", "NAME"},
    {"SignatureStore", "STORE"},
    {"GPGId", "ID"},
    {NULL, NULL},
};

/* Appends the owners of the OpenPGP keys in a file; a fault is only worth a line. */
static void
add_owners(struct peer *verify, const char *bytes, size_t n, struct strbuf *out)
{
	struct msg_verify_keys m = {.data = {(const uint8_t *)bytes, n}};
	own_peer_in struct peer_in in = {0};
	struct err e = {0};

	if (n > FILE_MAX || peer_call(verify, &msg_verify_keys_desc, &m, &in, NULL, NULL, &e) < 0) {
		log_error("Getting key identity: %s", e.text);
		return;
	}
	for (size_t i = 0; i < MSG_OF(&in, verify_keys_r)->ids.n; i++)
		strbuf_addf(
		    out, "%s%s", out->n > 0 ? ", " : "", MSG_OF(&in, verify_keys_r)->ids.v[i]);
}

static void
add_owners_path(struct peer *verify, const char *path, struct strbuf *out)
{
	own_fd int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
	own_mem char *text = NULL;
	struct err e = {0};
	size_t n;

	if (fd < 0 || file_slurp(fd, FILE_MAX, path, &text, &n, &e) < 0)
		log_error("Getting key identity: open %s", path != NULL ? path : "");
	else
		add_owners(verify, text, n, out);
}

static char *
owners(struct peer *verify, const json_t *rule)
{
	own_strbuf struct strbuf out = {0};
	const json_t *paths = json_object_get(rule, "keyPaths");
	const char *path = json_string_value(json_object_get(rule, "keyPath"));
	const char *data = json_string_value(json_object_get(rule, "keyData"));
	size_t n = 0;
	own_mem char *bytes = data != NULL ? base64_decode(data, &n) : NULL;

	if (verify == NULL)
		return strbuf_take(&out);
	if (path != NULL)
		add_owners_path(verify, path, &out);
	for (size_t i = 0; i < json_array_size(paths); i++)
		add_owners_path(verify, json_string_value(json_array_get(paths, i)), &out);
	if (bytes != NULL)
		add_owners(verify, bytes, n, &out);
	return strbuf_take(&out);
}

static const struct word *
word_of_rule(const char *type)
{
	for (size_t i = 0; type != NULL && i < COUNTOF(words); i++) {
		if (strcmp(words[i].rule, type) == 0)
			return &words[i];
	}
	return NULL;
}

struct show {
	const struct show_opts *o;
	struct peer *verify;
	json_t *rows;
};

static void
add_row(
    struct show *s, const char *transport, const char *scope, const char *store, const json_t *rule)
{
	const char *type = json_string_value(json_object_get(rule, "type"));
	const struct word *w = word_of_rule(type);
	const char *shown = w != NULL ? w->shown : type;
	bool all = strcmp(transport, "all") == 0;
	own_mem char *id = NULL;
	json_t *row = json_add_obj(s->rows);

	if (w != NULL && w->keys)
		id = strcmp(w->given, "signedBy") == 0 ? owners(s->verify, rule) : xstrdup("N/A");
	json_put_str(row, s->o->json ? "transport" : "Transport", transport);
	if (s->o->json) {
		if (*scope != '\0') {
			json_put_str(row, "name", all ? "* (default)" : scope);
			json_put_str(row, "repo_name", scope);
		}
		if (store != NULL && *store != '\0')
			json_put_str(row, "sigstore", store);
		json_put_str(row, "type", shown);
		if (id != NULL && *id != '\0')
			json_put_str(row, "gpg_id", id);
		return;
	}
	json_put_str(row, "RepoName", scope);
	json_put_str(row, "Type", shown);
	json_put_str(row, "GPGId", id != NULL ? id : "");
	json_put_str(row, "SignatureStore", store != NULL ? store : "");
}

static int
add_rules(
    struct show *s, const char *transport, const char *scope, const json_t *rules, struct err *e)
{
	bool docker = strcmp(transport, "docker") == 0;
	own_lookaside struct lookaside l = {0};

	if (lookaside_of_scope(docker ? scope : "", &l, e) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(rules); i++)
		add_row(
		    s, docker ? "repository" : transport, scope, l.read, json_array_get(rules, i));
	return 0;
}

static void
sorted_keys(const json_t *obj, struct strv *out)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)obj, key, v)
		strv_add(out, key);
	strv_sort(out);
}

static int
add_all(struct show *s, const json_t *policy, struct err *e)
{
	const json_t *transports = json_object_get(policy, "transports");
	own_strv struct strv names = {0};

	if (add_rules(s, "all", "default", json_object_get(policy, "default"), e) < 0)
		return -1;
	sorted_keys(transports, &names);
	for (size_t i = 0; i < names.n; i++) {
		const json_t *table = json_object_get(transports, names.v[i]);
		own_strv struct strv scopes = {0};

		sorted_keys(table, &scopes);
		for (size_t k = 0; k < scopes.n; k++) {
			if (add_rules(s, names.v[i], scopes.v[k],
				json_object_get(table, scopes.v[k]), e) < 0)
				return -1;
		}
	}
	return 0;
}

static void
print_json(const json_t *rows)
{
	own_strbuf struct strbuf text = {0};

	json_go(rows, "  ", &text);
	puts(text.s);
}

static int
show(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct show_opts *o = opts;
	struct output out = {
	    .table = "{{.Transport}}\t{{.RepoName}}\t{{.Type}}\t{{.GPGId}}\t{{.SignatureStore}}",
	    .type = "trust.Policy",
	    .headings = headings,
	    .noheading = o->noheading};
	own_mem char *path = policy_conf_path(o->policy, e), *text = NULL;
	own_json json_t *policy = NULL;
	struct show s = {.o = o};
	struct err ignored = {0};
	size_t n;
	int r;

	(void)cli;
	(void)argc;
	(void)argv;
	if (path == NULL || (text = read_policy(path, &n, e)) == NULL)
		return -1;
	if (o->raw) {
		puts(text);
		return 0;
	}
	policy = parse_policy(path, text, n, e);
	if (policy == NULL)
		return -1;
	s.rows = json_arr();
	if (strstr(text, "\"signedBy\"") != NULL)
		s.verify = spawn_peer(ROLE_RUN, ROLE_VERIFY, NULL, &ignored);
	r = add_all(&s, policy, e);
	if (r == 0 && o->json)
		print_json(s.rows);
	else if (r == 0)
		r = output_list(&out, s.rows, NULL, stdout, e);
	peer_free(s.verify);
	json_decref(s.rows);
	return r;
}

/* --- set ----------------------------------------------------------------------------------------*/

struct set_opts {
	struct strv keys;
	const char *type, *policy;
};

static const struct opt set_rows[] = {
    {"pubkeysfile", 'f', OPT_COMMA(struct set_opts, keys), .arg = "strings",
	.complete = COMPLETE_FILE,
	.help = "Path of installed public key(s) to trust for TARGET. Absolute path to keys is "
		"added to policy.json. May used multiple times to define multiple public keys. "
		"File(s) must exist before using this command"},
    {"signature-policy", 0, OPT_STRING(struct set_opts, policy), .alias = "policypath",
	.arg = "path", .complete = COMPLETE_FILE, .help = "Path to a signature-policy file"},
    {"type", 't', OPT_STRING(struct set_opts, type), .arg = "string", .def = "signedBy",
	.complete = COMPLETE_CHOICE, .choices = "accept,reject,signedBy,sigstoreSigned",
	.help = "Trust type, accept values: signedBy(default), accept, reject, sigstoreSigned"},
    OPT_END,
};

static const struct word *
word_given(const char *type, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(words); i++) {
		if (strcmp(words[i].given, type) == 0)
			return &words[i];
	}
	err_set(e, ERR_USAGE,
	    "invalid choice: %s (choose from 'accept', 'reject', 'signedBy', 'sigstoreSigned')",
	    type);
	return NULL;
}

static int
make_rules(const struct word *w, const struct strv *keys, json_t *rules, struct err *e)
{
	json_t *rule;

	if (w->keys && keys->n == 0)
		return err_set(e, ERR_USAGE,
		    "at least one public key must be defined for type '%s'", w->given);
	if (!w->keys && keys->n > 0)
		return err_set(e, ERR_USAGE,
		    "%zu public keys unexpectedly provided for trust type %s", keys->n, w->given);
	if (!w->keys)
		json_put_str(json_add_obj(rules), "type", w->rule);
	for (size_t i = 0; i < keys->n; i++) {
		own_mem char *path = realpath(keys->v[i], NULL);

		if (path == NULL)
			return err_sys(e, "stat %s", keys->v[i]);
		rule = json_add_obj(rules);
		json_put_str(rule, "type", w->rule);
		if (strcmp(w->given, "signedBy") == 0)
			json_put_str(rule, "keyType", "GPGKeys");
		json_put_str(rule, "keyPath", path);
	}
	return 0;
}

/* Objects of objects in order of the alphabet, as Podman writes the file. */
static json_t *
sorted_copy(const json_t *obj, unsigned depth)
{
	own_strv struct strv keys = {0};
	json_t *out = json_obj();

	sorted_keys(obj, &keys);
	for (size_t i = 0; i < keys.n; i++) {
		json_t *v = json_object_get(obj, keys.v[i]);

		json_put_take(out, keys.v[i],
		    json_is_object(v) && depth > 0 ? sorted_copy(v, depth - 1) : json_incref(v));
	}
	return out;
}

static int
write_policy(const char *path, const json_t *policy, struct err *e)
{
	own_mem char *dir = xstrdup(path);
	own_json json_t *sorted = sorted_copy(policy, 2);
	own_strbuf struct strbuf text = {0};
	char *slash = strrchr(dir, '/');
	own_fd int fd = -1;

	json_go(sorted, "    ", &text);
	if (slash != NULL)
		slash[slash == dir] = '\0';
	fd = open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "writing %s", path);
	slash = strrchr(path, '/');
	return file_write(fd, slash != NULL ? slash + 1 : path, text.s, text.n, 0644, FILE_SYNC, e);
}

/* The file to write, where the rules were read from path: an ordinary user cannot change the system's. */
static char *
file_to_set(const char *named, const char *path, struct err *e)
{
	own_mem char *own = geteuid() != 0 ? policy_conf_own() : NULL, *dir = NULL;
	own_fd int top = -1, made = -1;

	if (named != NULL)
		return xstrdup(named);
	if (own == NULL)
		return xstrdup(policy_conf_is_shipped(path) ? POLICY_CONF_SYSTEM : path);
	if (strcmp(own, path) == 0)
		return ptr_take(&own);
	dir = xstrndup(own, (size_t)(strrchr(own, '/') - own));
	top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	made = path_mkdirs(top, dir, PATH_IN_ROOT, 0755, NULL, e);
	if (made < 0) {
		err_wrap(e, "making %s", dir);
		return NULL;
	}
	return ptr_take(&own);
}

/* An empty one, as of a variable that is not set, would be of all registries. */
static int
check_scope(const char *scope, struct err *e)
{
	bool ok = strcspn(scope, "/?#") > 0;

	for (const char *p = scope; *p != '\0' && ok; p++)
		ok = (unsigned char)*p > ' ' && *p != 0x7f;
	return ok ? 0 : err_set(e, ERR_USAGE, "invalid image uri: %s", scope);
}

static int
set(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct set_opts *o = opts;
	const struct word *w = word_given(o->type, e);
	own_mem char *path = NULL, *text = NULL, *file = NULL;
	own_json json_t *policy = NULL, *rules = json_arr();
	json_t *transports, *docker;
	size_t n;

	(void)cli;
	(void)argc;
	if (w == NULL || check_scope(argv[0], e) < 0 || make_rules(w, &o->keys, rules, e) < 0)
		return -1;
	/* A file that is not there yet begins as the default. */
	path = policy_conf_path(
	    o->policy != NULL && access(o->policy, F_OK) == 0 ? o->policy : NULL, e);
	if (path == NULL || (text = read_policy(path, &n, e)) == NULL ||
	    (policy = parse_policy(path, text, n, e)) == NULL)
		return -1;
	if (strcmp(argv[0], "default") == 0) {
		json_object_set(policy, "default", rules);
	} else if (json_object_get(policy, "default") == NULL) {
		return err_set(e, ERR_INVALID, "default trust policy must be set");
	} else {
		transports = json_object_get(policy, "transports");
		if (!json_is_object(transports))
			transports = json_put_obj(policy, "transports");
		docker = json_object_get(transports, "docker");
		if (!json_is_object(docker))
			docker = json_put_obj(transports, "docker");
		json_object_set(docker, argv[0], rules);
	}
	file = file_to_set(o->policy, path, e);
	return file != NULL ? write_policy(file, policy, e) : -1;
}

static const struct cmd cmd_show = {
    .name = "show",
    .synopsis = "[options] [REGISTRY]",
    .brief = "Display trust policy for the system",
    .text = "Display trust policy for the system",
    .examples = "image trust show\nimage trust show --json",
    .opts = {{show_rows, 0}},
    .opts_size = sizeof(struct show_opts),
    .max = 1,
    .run = show,
};

static const struct cmd cmd_set = {
    .name = "set",
    .synopsis = "[options] REGISTRY",
    .brief = "Set default trust policy or a new trust policy for a registry",
    .text = "Set default trust policy or add a new trust policy for a registry",
    .examples = "image trust set -t reject default\nimage trust set -f "
		"/etc/pki/containers/foo.com.gpg docker.io/foobar",
    .opts = {{set_rows, 0}},
    .opts_size = sizeof(struct set_opts),
    .min = 1,
    .max = 1,
    .run = set,
};

static const struct cmd_place sub[] = {
    {.cmd = &cmd_set},
    {.cmd = &cmd_show},
    {0},
};

const struct cmd cmd_image_trust = {
    .name = "trust",
    .brief = "Manage container image trust policy",
    .text = "Manages which registries you trust as a source of container images based on its "
	    "location.",
    .sub = sub,
};
