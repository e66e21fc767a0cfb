/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_env.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-run/oci/spec_list.h"

#define FILE_MAX ((size_t)4 << 20)

static const char *const proxies[] = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY"};

/* A variable of the caller's may hold any bytes; JSON and the record cannot. */
static void
set_foreign(struct arena *a, struct strs *out, const char *whole)
{
	if (strchr(whole, '=') != NULL && whole[0] != '=' && text_is_utf8(whole, strlen(whole)))
		spec_list_env_set(a, out, whole);
}

int
spec_env_word(
    const char *word, const char *const *caller, struct arena *a, struct strs *out, struct err *e)
{
	size_t n = strcspn(word, "=");
	bool prefix = n > 0 && word[n] == '\0' && word[n - 1] == '*';

	if (n == 0)
		return err_set(e, ERR_INVALID, "invalid environment variable: \"%s\"", word);
	if (word[n] == '=') {
		spec_list_env_set(a, out, word);
		return 0;
	}
	/* Labels: nobody has a value for a bare name. */
	if (caller == NULL)
		spec_list_env_set(a, out, arena_printf(a, "%s=", word));
	if (prefix)
		n--;
	for (; caller != NULL && *caller != NULL; caller++)
		if (strncmp(*caller, word, n) == 0 && (prefix || (*caller)[n] == '='))
			set_foreign(a, out, *caller);
	return 0;
}

int
spec_env_file(
    const char *path, const char *const *caller, struct arena *a, struct strs *out, struct err *e)
{
	own_mem char *text = NULL;
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *copy, *line, *rest;
	size_t n;

	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (file_slurp(fd, FILE_MAX, path, &text, &n, e) < 0)
		return -1;
	if (memchr(text, '\0', n) != NULL || !text_is_utf8(text, n))
		return err_set(e, ERR_FORMAT, "%s: not a text file in UTF-8", path);
	copy = arena_strdup(a, text);
	for (line = copy; line != NULL; line = rest) {
		rest = strchr(line, '\n');
		if (rest != NULL)
			*rest++ = '\0';
		line += strspn(line, " \t");
		if (*line != '\0' && line[strlen(line) - 1] == '\r')
			line[strlen(line) - 1] = '\0';
		if (*line != '\0' && *line != '#' && spec_env_word(line, caller, a, out, e) < 0)
			return -1;
	}
	return 0;
}

int
spec_env_read(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	const struct strv *conf = &in->d->conf->containers_env;
	struct strs checked = {0};

	for (size_t i = 0; i < conf->n; i++)
		if (spec_env_word(conf->v[i], in->d->environ, a, &checked, e) < 0)
			return err_wrap(e, "parsing fields in containers.conf");
	for (size_t i = 0; i < o->env_file.n; i++)
		if (spec_env_file(o->env_file.v[i], in->d->environ, a, &c->env, e) < 0)
			return err_wrap(e, "parsing env file \"%s\"", o->env_file.v[i]);
	for (size_t i = 0; i < o->env.n; i++)
		if (spec_env_word(o->env.v[i], in->d->environ, a, &c->env, e) < 0)
			return -1;
	for (size_t i = 0; i < o->env_merge.n; i++)
		if (o->env_merge.v[i][0] == '=' || strchr(o->env_merge.v[i], '=') == NULL)
			return err_set(e, ERR_INVALID,
			    "preprocessing environment variables: \"%s\" is not of the form "
			    "NAME=VALUE",
			    o->env_merge.v[i]);
	return 0;
}

/* ${NAME} and $NAME in s by what env holds. */
static char *
expand(const char *s, const struct strs *env, struct arena *a)
{
	own_strbuf struct strbuf b = {0};

	while (*s != '\0') {
		const char *name, *value;
		size_t n;
		bool braced = s[0] == '$' && s[1] == '{';

		if (*s != '$') {
			strbuf_addc(&b, *s++);
			continue;
		}
		name = s + 1 + braced;
		n = braced ? strcspn(name, "}")
			   : strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					  "0123456789_");
		value = spec_list_env_get(env, name, n);
		if (value != NULL)
			strbuf_add(&b, value);
		if (n == 0 && !braced)
			strbuf_addc(&b, '$');
		s = name + n + (braced && name[n] == '}');
	}
	return arena_strdup(a, b.s == NULL ? "" : b.s);
}

static void
add_caller(const struct spec_input *in, struct strs *env, struct arena *a)
{
	const char *const *v = in->d->environ;
	bool all = in->o->env_host || in->d->conf->containers_env_host;
	bool proxy =
	    in->o->http_proxy < 0 ? in->d->conf->containers_http_proxy : in->o->http_proxy == 1;

	for (; v != NULL && *v != NULL; v++) {
		size_t n = strcspn(*v, "=");

		if (all)
			set_foreign(a, env, *v);
		for (size_t i = 0; !all && proxy && i < COUNTOF(proxies); i++)
			if (strlen(proxies[i]) == n && strncmp(proxies[i], *v, n) == 0)
				set_foreign(a, env, *v);
	}
}

void
spec_env_merge(const struct spec_input *in, const struct rec_image_config *image,
    struct rec_ctr_config *c, struct arena *a)
{
	const struct spec_options *o = in->o;
	const struct strv *conf = &in->d->conf->containers_env;
	struct strs env = {0};
	struct err checked;

	spec_list_env_set(
	    a, &env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	spec_list_env_set(a, &env, "container=podman");
	for (size_t i = 0; i < conf->n; i++)
		(void)spec_env_word(conf->v[i], in->d->environ, a, &env, &checked);
	add_caller(in, &env, a);
	for (size_t i = 0; image != NULL && i < image->env.n; i++)
		set_foreign(a, &env, image->env.v[i]);
	if (c->tty)
		spec_list_env_set(a, &env, "TERM=xterm");
	for (size_t i = 0; i < o->env_merge.n; i++)
		spec_list_env_set(a, &env, expand(o->env_merge.v[i], &env, a));
	for (size_t i = 0; i < o->unsetenv.n; i++)
		spec_list_env_unset(&env, o->unsetenv.v[i]);
	if (o->unsetenv_all)
		env.n = 0;
	for (size_t i = 0; i < c->env.n; i++)
		spec_list_env_set(a, &env, c->env.v[i]);
	c->env = env;
}
