/* SPDX-License-Identifier: ISC */
#include "pod-run/life/volume_plugin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-run/life/volume_answer.h"

#define ANSWER_MAX ((size_t)1 << 20)
#define MEDIA_TYPE "application/vnd.docker.plugins.v1.2+json"

static int
dial(struct ctx *x, const char *plugin, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(x, e);
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval limit = {0};
	own_fd int fd = -1;
	const char *path;

	if (conf == NULL)
		return -1;
	path = json_string_value(json_object_get(conf->engine_volume_plugins, plugin));
	if (path == NULL)
		return err_set(e, ERR_INVALID,
		    "no volume plugin with name %s available: required plugin missing", plugin);
	if (strlen(path) >= sizeof(to.sun_path))
		return err_set(
		    e, ERR_INVALID, "volume plugin %s: the path of its socket is too long", plugin);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	limit.tv_sec =
	    conf->engine_volume_plugin_timeout > 0 ? conf->engine_volume_plugin_timeout : 5;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == -1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		return err_sys(e, "reaching volume plugin %s on %s", plugin, path);
	return fd_take(&fd);
}

/* HTTP 1.0, so that the answer ends with the connection and is not cut into chunks. */
static int
talk(int fd, const char *method, const char *body, char **answer, size_t *n, struct err *e)
{
	own_strbuf struct strbuf b = {0};

	strbuf_addf(&b,
	    "POST /%s%s HTTP/1.0\r\nHost: plugin\r\nAccept: " MEDIA_TYPE "\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    strcmp(method, "Activate") == 0 ? "Plugin." : "VolumeDriver.", method, strlen(body),
	    body);
	if (file_put(fd, b.s, b.n) == -1)
		return err_sys(e, "writing to the volume plugin");
	return file_slurp(fd, ANSWER_MAX, "the answer of the volume plugin", answer, n, e);
}

int
volume_plugin_call(struct ctx *x, const char *plugin, const char *method, json_t *request,
    json_t **answer, struct err *e)
{
	own_json json_t *owned = request, *got = NULL;
	own_mem char *body = request != NULL ? json_text(request) : xstrdup("{}"), *text = NULL;
	own_fd int fd = dial(x, plugin, e);
	size_t n;

	if (fd == -1)
		return -1;
	if (talk(fd, method, body, &text, &n, e) == -1 ||
	    volume_answer_parse(text, n, &got, e) == -1)
		return err_wrap(e, "volume plugin %s: %s", plugin, method);
	if (answer != NULL)
		*answer = json_incref(got);
	return 0;
}

int
volume_plugin_check(struct ctx *x, const char *plugin, struct err *e)
{
	own_json json_t *answer = NULL;
	const json_t *kind;
	size_t i;

	if (volume_plugin_call(x, plugin, "Activate", NULL, &answer, e) == -1)
		return -1;
	json_array_foreach (json_object_get(answer, "Implements"), i, kind)
		if (json_is_string(kind) && strcmp(json_string_value(kind), "VolumeDriver") == 0)
			return 0;
	return err_set(e, ERR_INVALID, "plugin %s does not implement volume plugin", plugin);
}
