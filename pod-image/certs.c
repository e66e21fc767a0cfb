/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-image/certs.h"

#define FILE_MAX ((size_t)1 << 20)

void
certs_free(struct certs *c)
{
	strbuf_free(&c->ca);
	for (size_t i = 0; i < c->npairs; i++) {
		struct certs_pair *p = &c->pairs[i];

		if (p->key.s != NULL)
			explicit_bzero(p->key.s, p->key.n);
		strbuf_free(&p->cert);
		strbuf_free(&p->key);
	}
}

static int
append_file(int dir, const char *name, struct strbuf *out, struct err *e)
{
	own_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_mem char *text = NULL;
	size_t n;

	if (fd < 0)
		return err_sys(e, "opening certificate %s", name);
	if (file_slurp(fd, FILE_MAX, name, &text, &n, e) < 0)
		return -1;
	strbuf_addn(out, text, n);
	strbuf_addc(out, '\n');
	explicit_bzero(text, n);
	return 0;
}

static int
need_cert(int dir, const char *key, struct err *e)
{
	own_mem char *name = xasprintf("%.*s.cert", (int)(strlen(key) - strlen(".key")), key);

	return faccessat(dir, name, F_OK, 0) == 0
		   ? 0
		   : err_set(e, ERR_INVALID, "missing client certificate %s for key %s", name, key);
}

static int
take_pair(int dir, const char *name, struct certs *c, struct err *e)
{
	own_mem char *key = xasprintf("%.*s.key", (int)(strlen(name) - strlen(".cert")), name);
	struct certs_pair *p = &c->pairs[c->npairs];

	if (faccessat(dir, key, F_OK, 0) < 0)
		return err_set(e, ERR_INVALID,
		    "missing key %s for client certificate %s. Note that CA certificates should "
		    "use the extension .crt",
		    key, name);
	if (c->npairs == CERTS_PAIRS_MAX)
		return err_set(
		    e, ERR_LIMIT, "there are more than %d client certificates", CERTS_PAIRS_MAX);
	c->npairs++;
	return append_file(dir, name, &p->cert, e) < 0 || append_file(dir, key, &p->key, e) < 0 ? -1
												: 0;
}

static int
take_file(int dir, const char *name, struct certs *c, struct err *e)
{
	if (text_has_suffix(name, ".crt"))
		return append_file(dir, name, &c->ca, e);
	if (text_has_suffix(name, ".key"))
		return need_cert(dir, name, e);
	return text_has_suffix(name, ".cert") ? take_pair(dir, name, c, e) : 0;
}

/* A link to nothing, or a file that has just been removed; said, and no reason to reach nobody. */
static bool
is_gone(int dir, const char *path, const char *name)
{
	if (!text_has_suffix(name, ".crt") || faccessat(dir, name, F_OK, 0) == 0 || errno != ENOENT)
		return false;
	log_warn("error reading certificate \"%s/%s\": no such file or directory", path, name);
	return true;
}

static int
load_dir(struct certs *c, const char *path, DIR *d, struct err *e)
{
	own_strv struct strv names = {0};
	struct dirent *entry;

	while ((entry = readdir(d)) != NULL)
		strv_add(&names, entry->d_name);
	strv_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		if (!is_gone(dirfd(d), path, names.v[i]) &&
		    take_file(dirfd(d), names.v[i], c, e) < 0)
			return -1;
	}
	return 0;
}

int
certs_load(struct certs *c, const char *dir, const char *registry, struct err *e)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	own_strv struct strv dirs = {0};

	if (dir != NULL) {
		strv_add(&dirs, dir);
	} else {
		if (config != NULL && config[0] == '/')
			strv_addf(&dirs, "%s/containers/certs.d/%s", config, registry);
		else if (home != NULL)
			strv_addf(&dirs, "%s/.config/containers/certs.d/%s", home, registry);
		strv_addf(&dirs, "/etc/containers/certs.d/%s", registry);
		strv_addf(&dirs, "/etc/docker/certs.d/%s", registry);
	}
	for (size_t i = 0; i < dirs.n; i++) {
		own_dir DIR *d = opendir(dirs.v[i]);

		if (d != NULL)
			return load_dir(c, dirs.v[i], d, e) < 0
				   ? err_wrap(e, "reading %s", dirs.v[i])
				   : 0;
		if (errno != ENOENT && errno != EACCES && (dir != NULL || errno != ENOTDIR))
			return err_sys(e, "opening %s", dirs.v[i]);
	}
	return 0;
}
