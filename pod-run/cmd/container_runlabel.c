/* SPDX-License-Identifier: ISC */
/*
 * "container runlabel": runs the command that stands in a label of an image.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/auth.h"
#include "common/role/spawn.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/life/image.h"
#include "pod-run/life/remove.h"
#include "pod-run/life/stop.h"
#include "pod-run/state/ctr.h"

struct runlabel_opts {
	struct image_pull pull;
	bool display, quiet, replace, tls_verify, always;
	const char *name, *opt1, *opt2, *opt3, *policy, *authfile, *cert_dir, *creds;
};

#define S struct runlabel_opts

static const struct opt rows[] = {
    {"authfile", 0, OPT_STRING(S, authfile), .arg = "string", .complete = COMPLETE_FILE,
	.help = "Path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to "
		"override"},
    {"cert-dir", 0, OPT_STRING(S, cert_dir), .arg = "string", .complete = COMPLETE_DIR,
	.help = "Pathname of a directory containing TLS certificates and keys"},
    {"creds", 0, OPT_STRING(S, creds), .arg = "string",
	.help = "Credentials (USERNAME:PASSWORD) to use for authenticating to a registry"},
    {"display", 0, OPT_BOOL(S, display), .help = "Preview the command that the label would run"},
    {"name", 'n', OPT_STRING(S, name), .arg = "string", .help = "Assign a name to the container"},
    {"opt1", 0, OPT_STRING(S, opt1), .arg = "string", .flags = OPT_HIDDEN,
	.help = "Optional parameter to pass for install"},
    {"opt2", 0, OPT_STRING(S, opt2), .arg = "string", .flags = OPT_HIDDEN,
	.help = "Optional parameter to pass for install"},
    {"opt3", 0, OPT_STRING(S, opt3), .arg = "string", .flags = OPT_HIDDEN,
	.help = "Optional parameter to pass for install"},
    {"pull", 'p', OPT_BOOL(S, always), .flags = OPT_HIDDEN,
	.help = "Accepted for compatibility: an image that is missing is pulled anyway"},
    {"quiet", 'q', OPT_BOOL(S, quiet),
	.help = "Suppress output information when installing images"},
    {"replace", 0, OPT_BOOL(S, replace),
	.help = "Replace existing container with a new one from the image"},
    {"signature-policy", 0, OPT_STRING(S, policy), .arg = "string", .flags = OPT_HIDDEN,
	.help = "Path to a signature-policy file"},
    {"tls-verify", 0, OPT_BOOL(S, tls_verify), .def = "true",
	.help = "Require HTTPS and verify certificates when contacting registries"},
    OPT_END,
};

/* --- The words ----------------------------------------------------------------------------------*/

struct variable {
	const char *name, *value;
};

/* The last component of the image's name. */
static char *
default_name(const char *image)
{
	const char *slash = strrchr(image, '/'), *base = slash != NULL ? slash + 1 : image;

	return xstrndup(base, strcspn(base, ":@"));
}

/* $NAME and ${NAME} of those variables, else of the environment; what is unknown is empty. */
static void
expand(const char *s, const struct variable *v, size_t n, struct strbuf *out)
{
	while (*s != '\0') {
		own_mem char *name = NULL;
		const char *value = NULL;
		size_t len;

		if (*s != '$') {
			strbuf_addc(out, *s++);
			continue;
		}
		s++;
		if (*s == '{') {
			len = strcspn(++s, "}");
			name = xstrndup(s, len);
			s += len + (s[len] == '}');
		} else {
			for (len = 0; s[len] == '_' || (s[len] >= '0' && s[len] <= '9') ||
				      ((s[len] | 32) >= 'a' && (s[len] | 32) <= 'z');
			     len++)
				;
			name = xstrndup(s, len);
			s += len;
		}
		for (size_t i = 0; i < n; i++)
			if (strcmp(v[i].name, name) == 0)
				value = v[i].value;
		if (value == NULL)
			value = getenv(name);
		strbuf_add(out, value != NULL ? value : "");
	}
}

/* IMAGE and NAME stand for themselves as well. */
static void
add_word(const char *word, const struct variable *v, size_t n, struct strv *out)
{
	own_strbuf struct strbuf text = {0};

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(v[i].name);

		if (strcmp(v[i].name, "IMAGE") != 0 && strcmp(v[i].name, "NAME") != 0)
			continue;
		if (strcmp(word, v[i].name) == 0) {
			strv_add(out, v[i].value);
			return;
		}
		if (strncmp(word, v[i].name, len) == 0 && word[len] == '=' &&
		    strcmp(word + len + 1, v[i].name) == 0) {
			strv_addf(out, "%s=%s", v[i].name, v[i].value);
			return;
		}
	}
	expand(word, v, n, &text);
	/* A variable that is empty is no word, but '' is one. */
	if (text.n > 0 || *word == '\0')
		strv_add(out, text.n > 0 ? text.s : "");
}

/* The next word of a label, where quotes group as in a shell; -1 at one that is not closed, 0 at the end. */
static int
take_word(const char **at, struct strbuf *out)
{
	const char *s = *at + strspn(*at, " \t\n");
	char quote = '\0';
	bool any = *s != '\0';

	for (; *s != '\0' && (quote != '\0' || strchr(" \t\n", *s) == NULL); s++) {
		if (quote != '\0' ? *s == quote : *s == '"' || *s == '\'')
			quote = quote != '\0' ? '\0' : *s;
		else
			strbuf_addc(out, *s);
	}
	*at = s;
	return quote != '\0' ? -1 : any;
}

static int
split_label(const char *label, struct strv *words)
{
	int r;

	do {
		own_strbuf struct strbuf word = {0};

		r = take_word(&label, &word);
		if (r > 0)
			strv_add(words, word.s != NULL ? word.s : "");
	} while (r > 0);
	return r;
}

/*
 * Safe because the user asked for just this: to run what the image says, with his own power, as a shell would;
 * the words are shown before.  No shell is started: the label cannot say more than one command.
 */
static int
make_command(const char *label, const char *const *extra, size_t extra_n, const struct variable *v,
    size_t n, struct strv *out)
{
	own_strv struct strv words = {0};

	if (split_label(label, &words) == -1)
		return -1;
	for (size_t i = 0; i < words.n; i++) {
		if (out->n == 0 &&
		    (strcmp(words.v[i], "docker") == 0 || strcmp(words.v[i], "podman") == 0 ||
			text_has_suffix(words.v[i], "/podman") ||
			text_has_suffix(words.v[i], "/docker")))
			strv_addf(out, "%s/pod", spawn_bin_dir());
		else
			add_word(words.v[i], v, n, out);
	}
	for (size_t i = 0; i < extra_n; i++)
		add_word(extra[i], v, n, out);
	return 0;
}

/* --- The command --------------------------------------------------------------------------------*/

/* What no shell takes for anything but itself. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%"

static bool
is_ours(const struct strv *words)
{
	own_mem char *self = xasprintf("%s/pod", spawn_bin_dir());

	return strcmp(words->v[0], self) == 0;
}

/* As a shell would take it back: what a maker of images wrote becomes neither a second command nor another's output. */
static void
show_word(const char *word)
{
	size_t size = strlen(word) * 4 + 1;
	own_mem char *clean = xmalloc(size);
	bool quote = *word == '\0' || word[strspn(word, PLAIN)] != '\0';

	text_escape(word, clean, size);
	fputs(quote ? " '" : " ", stdout);
	for (const char *s = clean; *s != '\0'; s++) {
		if (*s == '\'')
			fputs("'\\'", stdout);
		putchar(*s);
	}
	if (quote)
		putchar('\'');
}

/* All of it: what is not shown must not be run.  Ourselves go by the word that the user typed. */
static void
show(const struct cli_ctx *cli, const struct strv *words)
{
	bool ours = is_ours(words);

	printf("command:%s%s", ours ? " " : "", ours ? cli->prog : "");
	for (size_t i = ours; i < words->n; i++)
		show_word(words->v[i]);
	putchar('\n');
}

/* Ourselves with the options that we were given, so that it works on the same containers; the label's come later. */
static void
with_options(struct ctx *x, const struct strv *words, struct strv *out)
{
	bool ours = is_ours(words);

	if (ours) {
		ctx_own_command(x, out);
		ctx_add_option(out, "--tls-details", x->g->tls_details);
	}
	strv_add_all(out, (const char *const *)words->v + ours, words->n - ours);
}

static int
run_words(
    struct ctx *x, const struct strv *shown, const struct variable *v, size_t n, struct err *e)
{
	own_strv struct strv words = {0};
	int status, no;
	pid_t pid;

	with_options(x, shown, &words);

	for (size_t i = 0; i < n; i++)
		if (setenv(v[i].name, v[i].value, 1) == -1)
			return err_sys(e, "setting %s", v[i].name);
	fflush(stdout);
	no = posix_spawnp(&pid, words.v[0], NULL, NULL, words.v, environ);
	if (no != 0) {
		errno = no;
		return err_sys(e, "starting %s", words.v[0]);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return err_sys(e, "waiting for %s", words.v[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Makers write INSTALL and RUN, users type install and run; what is spelt the same comes first. */
static const char *
label_of(const struct rec_image *image, const char *name)
{
	const struct rec_image_config *c = image->config;
	const char *other = NULL;

	for (size_t i = 0; c != NULL && i < c->labels.n; i++) {
		if (strcmp(c->labels.v[i].key, name) == 0)
			return c->labels.v[i].value;
		if (other == NULL && strcasecmp(c->labels.v[i].key, name) == 0)
			other = c->labels.v[i].value;
	}
	return other;
}

static int
replace(struct ctx *x, const char *name, struct err *e)
{
	struct remove how = {.force = true, .timeout_s = STOP_TIMEOUT_OWN};
	char id[NAMES_ID_LEN + 1];
	struct db *db = ctx_db(x, e);

	if (db == NULL)
		return -1;
	if ((ctr_find_name(db, name, id, e) == -1 || remove_ctr(x, id, &how, e) == -1) &&
	    e->class != ERR_NOTFOUND)
		return -1;
	err_clear(e);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct runlabel_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	own_strv struct strv words = {0};
	own_mem char *name = NULL;
	const struct rec_image *image;
	const char *label, *full;
	uint32_t seq;

	if (image_stat_authfile(auth_named(o->authfile), e) == -1)
		return -1;
	o->pull.quiet = o->quiet;
	o->pull.access = (struct rec_registry_access){.auth_file = o->authfile,
	    .cert_dir = o->cert_dir,
	    .creds = o->creds,
	    .policy_file = o->policy,
	    .tls_verify = cmd_given(cli, "tls-verify") ? (o->tls_verify ? "true" : "false") : NULL};
	if (image_ask(x, argv[1], NULL, &seq, e) == -1 ||
	    image_found(x, argv[1], seq, &o->pull, &in, e) == -1)
		return -1;
	image = MSG_OF(&in, image_got)->image;
	full =
	    MSG_OF(&in, image_got)->matched != NULL ? MSG_OF(&in, image_got)->matched : image->id;
	label = label_of(image, argv[0]);
	if (label == NULL || *label == '\0')
		return err_set(e, ERR_NOTFOUND, "cannot find the value of label: %s in image: %s",
		    argv[0], argv[1]);
	name = o->name != NULL ? xstrdup(o->name) : default_name(full);
	const struct variable v[] = {{"IMAGE", full}, {"NAME", name},
	    {"OPT1", o->opt1 != NULL ? o->opt1 : ""}, {"OPT2", o->opt2 != NULL ? o->opt2 : ""},
	    {"OPT3", o->opt3 != NULL ? o->opt3 : ""}, {"GLOBAL_OPTS", ""}};

	if (make_command(label, (const char *const *)argv + 2, (size_t)argc - 2, v, COUNTOF(v),
		&words) == -1)
		return err_set(e, ERR_INVALID, "label %s of image %s: a quote is not closed",
		    argv[0], argv[1]);
	if (words.n == 0)
		return err_set(
		    e, ERR_INVALID, "label %s of image %s names no command", argv[0], argv[1]);
	if (!o->quiet || o->display)
		show(cli, &words);
	if (o->display)
		return 0;
	if (o->replace && replace(x, name, e) == -1)
		return -1;
	return run_words(x, &words, v, COUNTOF(v), e);
}

const struct cmd cmd_container_runlabel = {
    .name = "runlabel",
    .synopsis = "[options] LABEL IMAGE [ARG...]",
    .brief = "Execute the command described by an image label",
    .text = "Executes a command as described by a container image label.",
    .examples = "container runlabel run imageID\ncontainer runlabel install imageID arg1 "
		"arg2\ncontainer runlabel --display run myImage",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct runlabel_opts),
    .min = 2,
    .max = CMD_ANY,
    .stop_at_operand = true,
    .complete = COMPLETE_IMAGE,
    .run = run,
};
