/* SPDX-License-Identifier: ISC */
/*
 * login and logout: credentials are tried by pod-image and kept by us, in files that other tools
 * read as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/conf/registries_conf.h"
#include "common/fs/file.h"
#include "common/oci/auth.h"
#include "pod-run/cmd/access.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/creds.h"
#include "pod-run/ctx.h"
#include "pod-run/life/image.h"
#include "pod-run/state/secret.h"

#define SECRET_MAX 65536

struct login_opts {
	struct access_opts access;
	bool get_login, password_stdin, verbose;
	const char *username, *password, *compat, *secret;
};

#define COMPAT_ROW(type)                                                                \
	{                                                                               \
		"compat-auth-file", 0, OPT_STRING(type, compat),                        \
		    .arg = "path", .complete = COMPLETE_FILE,                           \
		    .help = "path of a Docker-compatible config file to update instead" \
	}

static const struct opt login_rows[] = {
    COMPAT_ROW(struct login_opts),
    {"get-login", 0, OPT_BOOL(struct login_opts, get_login),
	.help = "Return the current login user for the registry"},
    {"password", 'p', OPT_STRING(struct login_opts, password), .arg = "password",
	.help = "Password for registry"},
    {"password-stdin", 0, OPT_BOOL(struct login_opts, password_stdin),
	.help = "Take the password from stdin"},
    {"secret", 0, OPT_STRING(struct login_opts, secret), .arg = "name", .complete = COMPLETE_SECRET,
	.help = "Retrieve password from a podman secret"},
    {"username", 'u', OPT_STRING(struct login_opts, username), .arg = "username",
	.help = "Username for registry"},
    {"verbose", 'v', OPT_BOOL(struct login_opts, verbose),
	.help = "Write more detailed information to stdout"},
    OPT_END,
};

/* The registry that is meant: the word, else the first that short names are looked for in. */
static char *
registry_of(int argc, char **argv, struct err *e)
{
	own_registries_conf struct registries_conf conf = {0};

	if (argc > 0)
		return auth_key(argv[0], e);
	if (registries_conf_load(&conf, NULL, e) == -1)
		return NULL;
	if (conf.search.n > 0)
		return auth_key(conf.search.v[0], e);
	err_set(
	    e, ERR_USAGE, "no registries found in registries.conf, a registry must be provided");
	return NULL;
}

struct place { /* where credentials are kept */
	struct registries_conf conf;
	char *file;
	struct auth_place at;
};

static void
place_free(struct place *p)
{
	registries_conf_free(&p->conf);
	free(p->file);
}
#define own_place own(place_free)

/* The user is the one outside a user namespace. */
static int
place_of(struct ctx *x, const char *named, const char *compat, struct place *p, struct err *e)
{
	if (named != NULL && compat != NULL)
		return err_set(e, ERR_USAGE,
		    "options for paths to the credential file and to the Docker-compatible "
		    "credential file can not be set simultaneously");
	if (registries_conf_load(&p->conf, NULL, e) == -1 || ctx_paths(x, e) == -1)
		return -1;
	p->file = auth_file(
	    compat != NULL ? compat : named, x->rootless.user ? x->rootless.uid : getuid());
	p->at = (struct auth_place){.helpers = compat != NULL ? NULL : &p->conf.cred_helpers,
	    .file = p->file,
	    .docker = compat != NULL};
	return 0;
}

static int
not_logged_in(const char *key, struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "not logged into %s", key);
}

/* --- Questions ----------------------------------------------------------------------------------*/

static char *
ask(const char *question, bool secret, struct err *e)
{
	char *line = creds_ask(stdout, question, secret);

	if (line == NULL)
		err_set(e, ERR_CANCELLED, "getting username and password: reading %s: EOF",
		    secret ? "password" : "username");
	return line;
}

static int
ask_username(const struct login_opts *o, const struct auth *have, char **out, struct err *e)
{
	own_mem char *question = NULL;

	if (o->username != NULL && *o->username != '\0') {
		*out = xstrdup(o->username);
		return 0;
	}
	question = have->username != NULL ? xasprintf("Username (%s)", have->username)
					  : xstrdup("Username");
	*out = ask(question, false, e);
	if (*out != NULL && **out == '\0' && have->username != NULL) {
		free(*out);
		*out = xstrdup(have->username);
	}
	return *out != NULL ? 0 : -1;
}

static int
secret_password(struct ctx *x, const char *name, char **out, struct err *e)
{
	own_secrets struct secrets s = SECRET_NONE;
	char *data;
	size_t n;
	json_t *record;

	if (secret_open(x, false, &s, e) == -1)
		return -1;
	record = secret_find(&s, name, e);
	if (record == NULL || secret_data(&s, record, &data, &n, e) == -1)
		return -1;
	*out = xstrndup(data, n);
	(*out)[strcspn(*out, "\r\n")] = '\0';
	secret_wipe(data, n);
	return 0;
}

/* The ends of lines go; what stands behind the first one is part of the password. */
static void
join_lines(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (*s != '\n' && (s[0] != '\r' || s[1] != '\n'))
			*to++ = *s;
	}
	*to = '\0';
}

static int
ask_password(struct ctx *x, const struct login_opts *o, char **out, struct err *e)
{
	size_t n;

	if (o->secret != NULL)
		return secret_password(x, o->secret, out, e);

	if (o->password_stdin) {
		if (file_slurp(STDIN_FILENO, SECRET_MAX, "standard input", out, &n, e) == -1)
			return -1;
		join_lines(*out);
		if (**out != '\0')
			return 0;
		/* As one that was not given: it is asked for. */
		free(*out);
	}
	*out = o->password != NULL && *o->password != '\0' ? xstrdup(o->password)
							   : ask("Password", true, e);
	return *out != NULL ? 0 : -1;
}

/* --- login --------------------------------------------------------------------------------------*/

static int
try(struct ctx *x, const struct access_opts *o, const char *key, const char *username,
    const char *password, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct rec_registry_access access;
	struct msg_registry_login m = {
	    .registry = key, .username = username, .password = password, .access = &access};
	struct peer *image;
	pid_t pid;
	int r;

	if (access_fill(o, &access, e) == -1)
		return -1;
	image = ctx_helper(x, ROLE_IMAGE, &pid, e);
	if (image == NULL)
		return -1;
	r = peer_call(image, &msg_registry_login_desc, &m, &in, NULL, NULL, e);
	peer_free(image);
	if (r == -1 && e->class == ERR_AUTH)
		return err_set(e, ERR_AUTH, "logging into \"%s\": invalid username/password", key);
	return r;
}

/* Without words about the user, credentials that are there already may do.  1: they did. */
static int
try_existing(struct ctx *x, const struct login_opts *o, const char *key, const struct auth *have,
    struct err *e)
{
	if (o->username != NULL || o->password != NULL || o->password_stdin ||
	    have->username == NULL || *have->password == '\0')
		return 0;
	printf("Authenticating with existing credentials for %s\n", key);
	if (try(x, &o->access, key, have->username, have->password, e) == 0) {
		printf("Existing credentials are valid. Already logged in to %s\n", key);
		return 1;
	}
	if (e->class != ERR_AUTH)
		return -1;
	err_clear(e);
	puts("Existing credentials are invalid, please enter valid username and password");
	return 0;
}

static int
enter(struct ctx *x, const struct login_opts *o, const struct place *place, const char *key,
    const struct auth *have, struct err *e)
{
	own_mem char *username = NULL;
	own(creds_wipe) char *password = NULL;
	own_mem char *where = NULL;

	if (ask_username(o, have, &username, e) == -1 || ask_password(x, o, &password, e) == -1 ||
	    try(x, &o->access, key, username, password, e) == -1)
		return -1;
	if (auth_put(&place->at, key, username, password, &where, e) == -1)
		return -1;
	if (o->verbose)
		printf("Used:  %s\n", where);
	puts("Login Succeeded!");
	return 0;
}

static int
login(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct login_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_auth struct auth have = {0};
	own_place struct place place = {0};
	own_mem char *key = registry_of(argc, argv, e);
	int r;

	if (key == NULL)
		return -1;
	if (o->password_stdin && o->password != NULL)
		return err_set(e, ERR_USAGE, "can't specify both --password-stdin and --password");
	if (o->secret != NULL && (o->password != NULL || o->password_stdin))
		return err_set(e, ERR_USAGE, "--secret can not be used with --password options");
	if (o->secret != NULL && o->username == NULL)
		o->username = o->secret;
	if (o->password_stdin && o->username == NULL)
		return err_set(e, ERR_USAGE, "must provide --username with --password-stdin");
	if (place_of(x, o->access.authfile, o->compat, &place, e) == -1 ||
	    auth_find(place.at.helpers, o->compat != NULL ? o->compat : o->access.authfile, key,
		&have, e) == -1)
		return -1;
	if (have.username != NULL && *have.username == '\0')
		auth_free(&have);
	if (o->get_login) {
		if (have.username == NULL)
			return not_logged_in(key, e);
		puts(have.username);
		return 0;
	}
	r = try_existing(x, o, key, &have, e);
	return r != 0 ? (r == 1 ? 0 : -1) : enter(x, o, &place, key, &have, e);
}

/* --- logout -------------------------------------------------------------------------------------*/

struct logout_opts {
	bool all;
	const char *authfile, *compat;
};

static const struct opt logout_rows[] = {
    COMPAT_ROW(struct logout_opts),
    {"all", 'a', OPT_BOOL(struct logout_opts, all),
	.help = "Remove the cached credentials for all registries in the auth file"},
    {"authfile", 0, OPT_STRING(struct logout_opts, authfile), .arg = "path",
	.complete = COMPLETE_FILE,
	.help = "Path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to "
		"override"},
    OPT_END,
};

/* What another tool has written, in a file of its own, is not ours to remove.  1: the registry takes it. */
static int
by_another(struct ctx *x, const struct logout_opts *o, const struct place *place, const char *key,
    struct err *e)
{
	const struct access_opts access = {.authfile = o->authfile, .tls_verify = -1, .retry = -1};
	own_auth struct auth have = {0};
	struct err failure = {0};

	if (auth_find(place->at.helpers, o->compat != NULL ? o->compat : o->authfile, key, &have,
		e) == -1)
		return -1;
	return have.username != NULL && *have.username != '\0' && *have.password != '\0' &&
	       try(x, &access, key, have.username, have.password, &failure) == 0;
}

static int
logout(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct logout_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_place struct place place = {0};
	own_mem char *key = NULL;
	int other;

	if (place_of(x, o->authfile, o->compat, &place, e) == -1 ||
	    image_check_authfile(o->compat != NULL ? o->compat : auth_named(o->authfile), e) == -1)
		return -1;
	if (o->all && argc > 0)
		return err_set(e, ERR_USAGE, "--all takes no arguments");
	if (!o->all && (key = registry_of(argc, argv, e)) == NULL)
		return -1;
	if (o->all) {
		if (auth_remove_all(&place.at, e) == -1)
			return -1;
		puts("Removed login credentials for all registries");
		return 0;
	}
	if (auth_remove(&place.at, key, e) == 0) {
		printf("Removed login credentials for %s\n", key);
		return 0;
	}
	if (e->class != ERR_NOTFOUND)
		return -1;
	err_clear(e);
	other = by_another(x, o, &place, key, e);
	if (other != 1)
		return other == -1 ? -1 : not_logged_in(key, e);
	printf("Not logged into %s with current tool. Existing credentials were established via "
	       "docker login. Please use docker logout instead.\n",
	    key);
	return 0;
}

const struct cmd cmd_login = {
    .name = "login",
    .synopsis = "[options] [REGISTRY]",
    .brief = "Login to a container registry",
    .text = "Login to a container registry on a specified server.",
    .examples = "login quay.io\nlogin --username ... --password ... quay.io\nlogin --authfile "
		"dir/auth.json quay.io",
    .opts = {{login_rows, 0}, {access_rows_basic, offsetof(struct login_opts, access)}},
    .opts_size = sizeof(struct login_opts),
    .max = 1,
    .run = login,
};

const struct cmd cmd_logout = {
    .name = "logout",
    .synopsis = "[options] [REGISTRY]",
    .brief = "Logout of a container registry",
    .text = "Remove the cached username and password for the registry.",
    .examples = "logout quay.io\nlogout --authfile dir/auth.json quay.io\nlogout --all",
    .opts = {{logout_rows, 0}},
    .opts_size = sizeof(struct logout_opts),
    .max = 1,
    .run = logout,
};
