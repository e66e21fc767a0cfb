/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "pod-run/life/files.h"
#include "pod-run/life/secrets.h"
#include "pod-run/oci/spec_secret.h"
#include "pod-run/state/secret.h"

int
secrets_resolve(struct ctx *x, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	own_secrets struct secrets s = SECRET_NONE;

	if (c->secrets.n == 0)
		return 0;
	if (secret_open(x, false, &s, e) == -1)
		return -1;
	for (size_t i = 0; i < c->secrets.n; i++) {
		const json_t *record = secret_find(&s, c->secrets.v[i].name, e);

		if (record == NULL)
			return -1;
		c->secrets.v[i].id =
		    arena_strdup(a, json_string_value(json_object_get(record, "id")));
	}
	return 0;
}

static bool
has_files(const struct rec_ctr_config *c)
{
	for (size_t i = 0; i < c->secrets.n; i++)
		if (!c->secrets.v[i].env)
			return true;
	return false;
}

static int
open_dir(struct ctx *x, const char *id, struct err *e)
{
	own_mem char *dir = ctx_static_dir(x, id);
	own_mem char *path = xasprintf("%s/secrets", dir);
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return path_mkdirs(root, path, PATH_IN_ROOT, 0700, NULL, e);
}

static int
read_data(
    const struct secrets *s, const struct rec_ctr_secret *r, char **data, size_t *n, struct err *e)
{
	const json_t *record = secret_find(s, r->name, e);

	return record == NULL ? -1 : secret_data(s, record, data, n, e);
}

int
secrets_copy(struct ctx *x, struct ctr *c, struct err *e)
{
	own_secrets struct secrets s = SECRET_NONE;
	own_fd int dir = -1;
	char name[32], *data;
	size_t n;

	if (!has_files(c->config))
		return 0;
	dir = open_dir(x, c->id, e);
	if (dir == -1 || secret_open(x, false, &s, e) == -1)
		return -1;
	for (size_t i = 0; i < c->config->secrets.n; i++) {
		int r;

		if (c->config->secrets.v[i].env)
			continue;
		if (read_data(&s, &c->config->secrets.v[i], &data, &n, e) == -1)
			return -1;
		snprintf(name, sizeof(name), SPEC_SECRET_FILE "%zu", i);
		r = file_write(dir, name, data, n, 0600, 0, e);
		secret_wipe(data, n);
		if (r == -1)
			return err_wrap(e, "copying a secret for container %s", c->id);
	}
	return 0;
}

static int
write_one(const struct rec_ctr_config *c, size_t i, int from, int bundle, struct err *e)
{
	const struct rec_ctr_secret *s = &c->secrets.v[i];
	char name[32], *data;
	own_fd int fd = -1;
	size_t n;
	int r;

	snprintf(name, sizeof(name), SPEC_SECRET_FILE "%zu", i);
	if (file_read(from, name, SECRET_DATA_MAX, &data, &n, e) == -1)
		return err_wrap(e, "reading secret %s", s->name);
	r = file_write(bundle, name, data, n, 0600, 0, e);
	secret_wipe(data, n);
	if (r == -1)
		return -1;
	fd = openat(bundle, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 ||
	    fchown(fd, files_mapped(s->uid, c->uid_map.v, c->uid_map.n),
		files_mapped(s->gid, c->gid_map.v, c->gid_map.n)) == -1 ||
	    fchmod(fd, (mode_t)s->mode) == -1)
		return err_sys(e, "giving secret %s its owner and mode", s->name);
	return 0;
}

int
secrets_write(struct ctx *x, struct ctr *c, int bundle, struct err *e)
{
	own_fd int dir = -1;

	if (!has_files(c->config))
		return 0;
	dir = open_dir(x, c->id, e);
	for (size_t i = 0; dir != -1 && i < c->config->secrets.n; i++)
		if (!c->config->secrets.v[i].env && write_one(c->config, i, dir, bundle, e) == -1)
			return -1;
	return dir == -1 ? -1 : 0;
}

int
secrets_env(struct ctx *x, const struct rec_ctr_config *c, struct strv *out, struct err *e)
{
	own_secrets struct secrets s = SECRET_NONE;
	char *data;
	size_t n;

	for (size_t i = 0; i < c->secrets.n; i++) {
		const struct rec_ctr_secret *r = &c->secrets.v[i];

		if (!r->env)
			continue;
		if ((s.dir == -1 && secret_open(x, false, &s, e) == -1) ||
		    read_data(&s, r, &data, &n, e) == -1)
			return -1;
		if (memchr(data, '\0', n) != NULL || !text_is_utf8(data, n)) {
			secret_wipe(data, n);
			return err_set(e, ERR_INVALID,
			    "secret %s holds bytes that cannot be an environment variable",
			    r->name);
		}
		strv_addf(out, "%s=%.*s", r->target, (int)n, data);
		secret_wipe(data, n);
	}
	return 0;
}
