/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"
#include "pod-run/remote/connections.h"

#define FILE_MAX ((size_t)1 << 20)
#define NAME "containers/podman-connections.json"

char *
connections_path(struct err *e)
{
	const char *given = getenv("PODMAN_CONNECTIONS_CONF"), *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (given != NULL && *given != '\0') {
		if (*given == '/')
			return xstrdup(given);
		err_set(e, ERR_INVALID,
		    "environment variable PODMAN_CONNECTIONS_CONF must be an absolute path");
		return NULL;
	}
	if (xdg != NULL && *xdg == '/')
		return xasprintf("%s/" NAME, xdg);
	if (home != NULL && *home == '/')
		return xasprintf("%s/.config/" NAME, home);
	err_set(e, ERR_INVALID, "there is no home directory for " NAME);
	return NULL;
}

json_t *
connections_read(struct err *e)
{
	own_mem char *path = connections_path(e), *text = NULL;
	json_t *j;
	size_t n;

	if (path == NULL)
		return NULL;
	if (file_read_place(path, FILE_MAX, &text, &n, e) == -1) {
		if (e->no == ENOENT || e->no == ENOTDIR) {
			err_clear(e);
			return json_obj();
		}
		err_wrap(e, "reading connections");
		return NULL;
	}
	j = json_read_max(text, n, FILE_MAX, 8, e);
	if (j != NULL && !json_is_object(j)) {
		err_set(e, ERR_FORMAT, "it is no object");
		json_decref(j);
		j = NULL;
	}
	if (j == NULL)
		err_wrap(e, "reading %s", path);
	return j;
}

static int
open_dir(const char *path, struct err *e)
{
	own_mem char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	own_fd int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), made = -1;

	made = path_mkdirs(top, *dir != '\0' ? dir : "/", PATH_IN_ROOT, 0755, NULL, e);
	return made != -1 ? path_reopen(made, O_RDONLY | O_DIRECTORY, e)
			  : err_wrap(e, "making %s", dir);
}

json_t *
connections_edit(int *lock, struct err *e)
{
	own_mem char *path = connections_path(e), *name = NULL;
	own_fd int dir = path != NULL ? open_dir(path, e) : -1;

	if (dir == -1)
		return NULL;
	name = xasprintf("%s.lock", strrchr(path, '/') + 1);
	*lock = lock_acquire(dir, name, LOCK_EXCLUSIVE, LOCK_WAIT, e);
	return *lock != -1 ? connections_read(e) : NULL;
}

int
connections_write(const json_t *file, struct err *e)
{
	own_mem char *path = connections_path(e), *text = NULL;
	own_fd int dir = path != NULL ? open_dir(path, e) : -1;

	if (dir == -1)
		return -1;
	text = json_text(file);
	return file_write(dir, strrchr(path, '/') + 1, text, strlen(text), 0644, FILE_SYNC, e);
}

const char *
connections_default(const json_t *file, const struct containers_conf *conf)
{
	const char *name =
	    json_string_value(json_object_get(json_object_get(file, "Connection"), "Default"));

	if (name != NULL && *name != '\0')
		return name;
	return *conf->engine_active_service != '\0' ? conf->engine_active_service : NULL;
}

static void
take(char **out, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	if (s == NULL || *s == '\0')
		return;
	free(*out);
	*out = xstrdup(s);
}

int
connections_find(const json_t *file, const struct containers_conf *conf, const char *name,
    struct dest *d, struct err *e)
{
	const json_t *list = json_object_get(json_object_get(file, "Connection"), "Connections");
	const json_t *o = json_object_get(list, name);

	if (json_is_object(o)) {
		take(&d->uri, o, "URI");
		take(&d->identity, o, "Identity");
		take(&d->tls_ca, o, "TLSCA");
		take(&d->tls_cert, o, "TLSCert");
		take(&d->tls_key, o, "TLSKey");
	} else {
		o = json_object_get(conf->engine_service_destinations, name);
		if (!json_is_object(o))
			return err_set(e, ERR_NOTFOUND, "connection \"%s\" not found", name);
		take(&d->uri, o, "uri");
		take(&d->identity, o, "identity");
		take(&d->tls_ca, o, "tls_ca");
		take(&d->tls_cert, o, "tls_cert");
		take(&d->tls_key, o, "tls_key");
	}
	if (d->uri == NULL)
		return err_set(e, ERR_INVALID, "connection \"%s\" has no URI", name);
	return 0;
}
