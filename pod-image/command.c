/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/cli/cmd.h"
#include "common/conf/storage_conf.h"
#include "common/conf/storage_hello.h"
#include "common/conf/tls_details.h"
#include "common/fs/file.h"
#include "common/oci/decrypt_key.h"
#include "common/role/spawn.h"
#include "pod-image/command.h"
#include "pod-image/command_alone.h"
#include "pod-image/command_common.h"
#include "pod-image/command_copy.h"
#include "pod-image/command_key.h"
#include "pod-image/command_look.h"
#include "pod-image/fetcher.h"
#include "pod-image/task.h"

struct globals {
	const char *root, *runroot, *imagestore, *storage_driver, *log_level, *tls_details;
	struct strv storage_opt;
	bool version;
};

static const struct opt global_rows[] = {
    {"root", 0, OPT_STRING(struct globals, root), .arg = "string", .complete = COMPLETE_DIR,
	.help = "Path to the root directory in which data, including images, is stored"},
    {"runroot", 0, OPT_STRING(struct globals, runroot), .arg = "string", .complete = COMPLETE_DIR,
	.help = "Path to the directory where all state information is stored"},
    {"imagestore", 0, OPT_STRING(struct globals, imagestore), .arg = "path",
	.complete = COMPLETE_DIR,
	.help = "Path to the directory where images are stored instead of the root directory"},
    {"storage-driver", 0, OPT_STRING(struct globals, storage_driver), .arg = "value",
	.complete = COMPLETE_CHOICE, .choices = "overlay,vfs",
	.help = "Select which storage driver is used to manage storage of images and containers"},
    {"storage-opt", 0, OPT_LIST(struct globals, storage_opt), .arg = "value",
	.help = "Used to pass an option to the storage driver"},
    {"log-level", 0, OPT_STRING(struct globals, log_level), .arg = "string", .def = "warn",
	.help = "Log messages above specified level (trace, debug, info, warn, error)"},
    {"tls-details", 0, OPT_STRING(struct globals, tls_details), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path to a containers-tls-details.yaml(5) file"},
    {"version", 'v', OPT_BOOL(struct globals, version), .help = "Version of this program"},
    OPT_END,
};

const struct opt command_access_rows[] = {
    {"authfile", 0, OPT_STRING(struct command_access_opts, authfile), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of the authentication file"},
    {"cert-dir", 0, OPT_STRING(struct command_access_opts, cert_dir), .arg = "path",
	.complete = COMPLETE_DIR,
	.help = "Directory with the certificates needed to connect to the registry"},
    {"creds", 0, OPT_STRING(struct command_access_opts, creds), .arg = "username[:password]",
	.help = "Credentials to use for accessing the registry"},
    {"no-creds", 0, OPT_BOOL(struct command_access_opts, no_creds),
	.help = "Access the registry without credentials, even if some are stored"},
    {"registries-conf", 0, OPT_STRING(struct command_access_opts, registries), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of registries.conf"},
    {"retry", 0, OPT_UINT(struct command_access_opts, retry), .def = "3", .alias = "retry-times",
	.help = "Number of times to retry in case of failure"},
    {"retry-delay", 0, OPT_DURATION(struct command_access_opts, retry_delay),
	.help = "Delay between retries in case of failure"},
    {"signature-policy", 0, OPT_STRING(struct command_access_opts, policy), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of policy.json"},
    {"tls-verify", 0, OPT_TRISTATE(struct command_access_opts, tls_verify), .none = "true",
	.help = "Require HTTPS and verify certificates when accessing the registry"},
    OPT_END,
};

/* A copy, to be overwritten after use; the word on the command line is gone at once, from ps too. */
static char *
take_secret(const char *word)
{
	char *copy = word != NULL ? xstrdup(word) : NULL;

	if (word != NULL)
		explicit_bzero((char *)(uintptr_t)word, strlen(word));
	return copy;
}

void
command_fill_access(const struct command_access_opts *o, struct rec_registry_access *a)
{
	*a = (struct rec_registry_access){.auth_file = o->authfile,
	    .cert_dir = o->cert_dir,
	    .policy_file = o->policy,
	    .registries_conf = o->registries,
	    .anonymous = o->no_creds,
	    .retries = o->retry + 1,
	    .retry_delay_ms = (uint64_t)o->retry_delay / 1000000};
	a->creds = take_secret(o->creds);
	if (o->tls_verify >= 0)
		a->tls_verify = o->tls_verify > 0 ? "true" : "false";
}

/* --- The store -------------------------------------------------------------------------------- */

/* Starts pod-store and gives the task a connection on which pod-image may speak. */
int
command_open_store(struct cli_ctx *ctx, struct task *t, struct err *e)
{
	struct globals *g = ctx->globals;
	struct storage_conf conf = {0};
	own_strv struct strv words = {0};
	own_arena struct arena a = {0};
	struct msg_hello hello = {.log_level = g->log_level};
	struct msg_store_join join = {0};
	own_peer_in struct peer_in in = {0};
	own_fd int theirs = -1;
	int pair[2];

	if (storage_conf_load_alone(&conf, e) < 0 || peer_pair(pair, e) < 0)
		return -1;
	t->store = peer_new(pair[0], ROLE_IMAGE, ROLE_STORE);
	theirs = pair[1];
	hello.graph_root = t->graph_root = g->root != NULL ? g->root : conf.graphroot;
	hello.run_root = g->runroot != NULL ? g->runroot : conf.runroot;
	if (storage_conf_own_runroot(hello.run_root, e) < 0)
		return -1;
	hello.image_store = g->imagestore != NULL ? g->imagestore : conf.imagestore;
	hello.driver = g->storage_driver != NULL ? g->storage_driver : conf.driver;
	storage_conf_settings(&conf, &g->storage_opt, &words);
	hello.options.v = storage_hello_options(&words, 0, &a, e);
	hello.options.n = words.n;
	if (hello.options.v == NULL)
		return -1;
	join.peer = theirs;
	/* It goes with task_confine; pod-store stays for the connection that joined. */
	t->control = spawn_peer(ROLE_RUN, ROLE_STORE, NULL, e);
	return t->control == NULL || peer_send(t->control, &msg_hello_desc, 0, &hello, e) < 0 ||
		       peer_call(t->control, &msg_store_join_desc, &join, &in, NULL, NULL, e) < 0
		   ? -1
		   : 0;
}

static int
print_ids(const struct task *t)
{
	for (size_t i = 0; i < t->ids.n; i++)
		printf("%s\n", t->ids.v[i]);
	return 0;
}

/* --- pull ------------------------------------------------------------------------------------- */

struct pull_opts {
	struct command_access_opts access;
	const char *os, *arch, *variant;
	bool all_tags, quiet;
	struct strv decryption_key;
};

static const struct opt pull_rows[] = {
    {"all-tags", 'a', OPT_BOOL(struct pull_opts, all_tags),
	.help = "Pull all tags of the repository"},
    {"arch", 0, OPT_STRING(struct pull_opts, arch), .arg = "ARCH",
	.help = "Use ARCH instead of the architecture of the machine for choosing images"},
    {"decryption-key", 0, OPT_LIST(struct pull_opts, decryption_key), .arg = "key[:passphrase]",
	.complete = COMPLETE_FILE, .help = "Private key for encrypted layers"},
    {"os", 0, OPT_STRING(struct pull_opts, os), .arg = "OS",
	.help = "Use OS instead of the running OS for choosing images"},
    {"quiet", 'q', OPT_BOOL(struct pull_opts, quiet), .help = "Suppress output information"},
    {"variant", 0, OPT_STRING(struct pull_opts, variant), .arg = "VARIANT",
	.help = "Use VARIANT instead of the running architecture variant"},
    OPT_END,
};

static int
run_pull(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	struct pull_opts *o = opts;
	own_arena struct arena a = {0};
	struct rec_registry_access access;
	struct task t = {.report.quiet = o->quiet};
	struct msg_image_pull m = {.reference = argv[0],
	    .os = o->os,
	    .architecture = o->arch,
	    .variant = o->variant,
	    .all_tags = o->all_tags,
	    .access = &access};

	(void)argc;
	command_fill_access(&o->access, &access);
	if (decrypt_key_fill(&o->decryption_key, &access, &a, e) < 0 ||
	    command_open_store(ctx, &t, e) < 0 || task_prepare_pull(&t, &m, e) < 0 ||
	    task_confine(&t, e) < 0 || task_run_pull(&t, e) < 0)
		return -1;
	return print_ids(&t);
}

/* --- load ------------------------------------------------------------------------------------- */

struct load_opts {
	const char *input, *policy;
	bool quiet;
};

static const struct opt load_rows[] = {
    {"input", 'i', OPT_STRING(struct load_opts, input), .arg = "input", .complete = COMPLETE_FILE,
	.help = "Load images from specified tar archive or directory"},
    {"quiet", 'q', OPT_BOOL(struct load_opts, quiet), .help = "Suppress output information"},
    {"signature-policy", 0, OPT_STRING(struct load_opts, policy), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of policy.json"},
    OPT_END,
};

static int
run_load(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	struct load_opts *o = opts;
	struct task t = {.report.quiet = o->quiet};
	struct rec_registry_access access = {.policy_file = o->policy};
	struct msg_image_load m = {.access = &access};

	(void)argc;
	(void)argv;
	if (o->input != NULL)
		m.input = open(o->input, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	else
		m.input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (m.input < 0)
		return err_sys(e, "opening %s", o->input != NULL ? o->input : "standard input");
	if (command_open_store(ctx, &t, e) < 0 || task_prepare_load(&t, &m, e) < 0 ||
	    task_confine(&t, e) < 0 || task_run_load(&t, e) < 0)
		return -1;
	for (size_t i = 0; i < t.names.n; i++)
		printf("Loaded image: %s\n", t.names.v[i]);
	return 0;
}

/* --- save ------------------------------------------------------------------------------------- */

struct save_opts {
	const char *format, *output;
	bool compress, quiet;
};

static const struct opt save_rows[] = {
    {"compress", 0, OPT_BOOL(struct save_opts, compress),
	.help = "Compress the layers of a directory"},
    {"format", 0, OPT_STRING(struct save_opts, format), .arg = "format", .def = "docker-archive",
	.complete = COMPLETE_CHOICE, .choices = "docker-archive,oci-archive,oci,dir",
	.help = "Form of the output: docker-archive, oci-archive, oci or dir"},
    {"output", 'o', OPT_STRING(struct save_opts, output), .arg = "path", .complete = COMPLETE_FILE,
	.help = "Write to a file or directory, instead of standard output"},
    {"quiet", 'q', OPT_BOOL(struct save_opts, quiet), .help = "Suppress output information"},
    OPT_END,
};

static int
open_output(const struct save_opts *o, struct err *e)
{
	bool directory = strcmp(o->format, "oci") == 0 || strcmp(o->format, "dir") == 0;
	int fd;

	if (o->output == NULL && directory)
		return err_set(e, ERR_USAGE, "the form %s needs --output", o->format);
	if (o->output == NULL)
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else if (directory && mkdir(o->output, 0755) < 0 && errno != EEXIST)
		fd = -1;
	else
		fd = open(o->output,
		    directory ? O_RDONLY | O_DIRECTORY | O_CLOEXEC
			      : O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
		    0644);
	return fd >= 0 ? fd : err_sys(e, "opening %s", o->output);
}

/* Finds one image; got lives in in. */
static int
find_image(struct task *t, const struct registries_conf *conf, const char *word, struct peer_in *in,
    struct err *e)
{
	own_strv struct strv candidates = {0};
	struct err ignored = {0};
	struct msg_image_get m = {.name = word};

	/* A word that cannot be a name may still be an ID. */
	(void)registries_conf_candidates(conf, word, &candidates, &ignored);
	m.candidates = (struct strs){(const char **)candidates.v, candidates.n};
	return peer_call(t->store, &msg_image_get_desc, &m, in, NULL, NULL, e);
}

/* The IDs of the images named, and for each the names that were used. */
static int
find_images(struct task *t, char **argv, size_t n, const char **ids, struct rec_kv *names,
    size_t *nnames, struct err *e)
{
	own_registries_conf struct registries_conf conf = {0};

	if (registries_conf_load(&conf, NULL, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		own_peer_in struct peer_in in = {0};
		const struct msg_image_got *got;

		if (find_image(t, &conf, argv[i], &in, e) < 0)
			return -1;
		got = MSG_OF(&in, image_got);
		ids[i] = xstrdup(got->image->id);
		if (got->matched != NULL)
			names[(*nnames)++] = (struct rec_kv){ids[i], xstrdup(got->matched)};
	}
	return 0;
}

int
command_store_source(
    struct cli_ctx *ctx, struct task *t, const char *source, char **id, struct err *e)
{
	own_registries_conf struct registries_conf conf = {0};
	own_peer_in struct peer_in in = {0};
	const char *rest, *transport = reference_transport(source, &rest);

	if (transport == NULL || strcmp(transport, "containers-storage") != 0 || rest[0] == '[')
		return 0;
	if (registries_conf_load(&conf, NULL, e) < 0 || command_open_store(ctx, t, e) < 0 ||
	    find_image(t, &conf, rest, &in, e) < 0)
		return -1;
	*id = xstrdup(MSG_OF(&in, image_got)->image->id);
	return 0;
}

static int
run_save(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	struct save_opts *o = opts;
	struct task t = {.report.quiet = o->quiet};
	size_t n = (size_t)argc, nnames = 0;
	own_mem const char **ids = xcalloc(n, sizeof(*ids));
	own_mem struct rec_kv *names = xcalloc(n, sizeof(*names));
	struct msg_image_save m = {.images = {ids, n}, .form = o->format, .compress = o->compress};

	m.output = open_output(o, e);
	if (m.output < 0 || command_open_store(ctx, &t, e) < 0 ||
	    find_images(&t, argv, n, ids, names, &nnames, e) < 0)
		return -1;
	m.names.v = names;
	m.names.n = nnames;
	return task_prepare_save(&t, &m, e) < 0 || task_confine(&t, e) < 0 ? -1
									   : task_run_save(&t, e);
}

/* --- login ------------------------------------------------------------------------------------ */

struct login_opts {
	struct command_access_opts access;
	const char *username, *password;
	bool password_stdin;
};

static const struct opt login_rows[] = {
    {"password", 'p', OPT_STRING(struct login_opts, password), .arg = "password",
	.help = "Password for registry"},
    {"password-stdin", 0, OPT_BOOL(struct login_opts, password_stdin),
	.help = "Take the password from stdin"},
    {"username", 'u', OPT_STRING(struct login_opts, username), .arg = "username",
	.help = "Username for registry"},
    OPT_END,
};

static char *
read_password(const struct login_opts *o, struct err *e)
{
	char *text = NULL;
	size_t n;

	if (!o->password_stdin)
		return take_secret(o->password);
	if (file_slurp(STDIN_FILENO, 65536, "standard input", &text, &n, e) < 0)
		return NULL;
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}

static int
run_login(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	struct login_opts *o = opts;
	struct rec_registry_access access;
	struct task t = {0};
	struct msg_registry_login m = {
	    .registry = argv[0], .username = o->username, .access = &access};

	(void)ctx;
	(void)argc;
	command_fill_access(&o->access, &access);
	if (o->username == NULL || (o->password == NULL && !o->password_stdin))
		return err_set(
		    e, ERR_USAGE, "--username and --password or --password-stdin are needed");
	m.password = read_password(o, e);
	if (m.password == NULL || task_prepare_login(&t, &m, e) < 0 || task_confine(&t, e) < 0 ||
	    task_run_login(&t, e) < 0)
		return -1;
	printf("Login Succeeded!\n");
	return 0;
}

/* --- The table -------------------------------------------------------------------------------- */

static const struct cmd cmd_pull = {
    .name = "pull",
    .synopsis = "[options] IMAGE",
    .brief = "Bring an image into the store; print its ID",
    .examples = "pull docker.io/library/alpine\npull oci-archive:/tmp/image.tar",
    .opts = {{pull_rows}, {command_access_rows, offsetof(struct pull_opts, access)}},
    .opts_size = sizeof(struct pull_opts),
    .min = 1,
    .max = 1,
    .run = run_pull,
};
static const struct cmd cmd_load = {
    .name = "load",
    .synopsis = "[options]",
    .brief = "Read images from an archive into the store",
    .examples = "load -i image.tar\nload < image.tar",
    .opts = {{load_rows}},
    .opts_size = sizeof(struct load_opts),
    .run = run_load,
};
static const struct cmd cmd_save = {
    .name = "save",
    .synopsis = "[options] IMAGE [IMAGE...]",
    .brief = "Write images of the store to an archive or a directory",
    .examples = "save -o image.tar alpine\nsave --format oci-archive alpine > image.tar",
    .opts = {{save_rows}},
    .opts_size = sizeof(struct save_opts),
    .min = 1,
    .max = CMD_ANY,
    .run = run_save,
};
static const struct cmd cmd_login = {
    .name = "login",
    .synopsis = "[options] REGISTRY",
    .brief = "Try credentials against a registry; nothing is stored",
    .examples = "login -u testuser --password-stdin localhost:5000",
    .opts = {{login_rows}, {command_access_rows, offsetof(struct login_opts, access)}},
    .opts_size = sizeof(struct login_opts),
    .min = 1,
    .max = 1,
    .run = run_login,
};
static const struct cmd_place places[] = {{&command_copy}, {&command_delete},
    {&command_generate_key}, {&command_inspect}, {&command_list_tags}, {&cmd_load}, {&cmd_login},
    {&command_manifest_digest}, {&cmd_pull}, {&cmd_save}, {&command_standalone_sign},
    {&command_standalone_verify}, {&command_sync}, {0}};
static const struct cmd root = {
    .name = "pod-image",
    .synopsis = "[options] [command]",
    .brief = "Registries and image archives",
    .sub = places,
};

const char *
command_tls_details(const struct cli_ctx *ctx)
{
	const struct globals *g = ctx->globals;

	return g->tls_details != NULL && *g->tls_details != '\0' ? g->tls_details : NULL;
}

static int
prepare_tls(const char *path, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_tls_details details;

	if (path == NULL)
		return 0;
	if (tls_details_load(path, &a, &details, e) < 0)
		return -1;
	fetcher_limit(&details);
	return 0;
}

static int
prepare(struct cli_ctx *ctx, struct err *e)
{
	const struct globals *g = ctx->globals;
	enum log_level level;

	if (g->version) {
		printf("pod-image version %s\n", POD_VERSION);
		return 1;
	}
	if (log_level_parse(g->log_level, &level, e) < 0)
		return -1;
	log_set_level(level);
	return prepare_tls(command_tls_details(ctx), e);
}

int
command_main(int argc, char **argv)
{
	static const struct cli cli = {
	    .names = "pod-image",
	    .root = &root,
	    .global = global_rows,
	    .global_size = sizeof(struct globals),
	    .prepare = prepare,
	};

	return cmd_main(&cli, argc, argv);
}
