/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "pod-run/life/notify.h"

static const char *
host_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path != NULL && (*path == '/' || *path == '@') ? path : NULL;
}

static const char *
mode_of(const struct rec_ctr_config *c)
{
	return c->sdnotify != NULL ? c->sdnotify : NOTIFY_CONTAINER;
}

const char *
notify_of_container(const struct rec_ctr_config *c)
{
	return strcmp(mode_of(c), NOTIFY_CONTAINER) == 0 ? host_socket() : NULL;
}

bool
notify_makes_service(const struct rec_ctr_config *c)
{
	return host_socket() != NULL && getenv("INVOCATION_ID") != NULL &&
	       strcmp(mode_of(c), NOTIFY_IGNORE) != 0;
}

static void
tell(const char *text)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char *path = host_socket();
	size_t n = strlen(path);

	if (fd == -1 || n >= sizeof(a.sun_path))
		return;
	memcpy(a.sun_path, path, n);
	/* An abstract name has no NUL at its end. */
	if (a.sun_path[0] == '@')
		a.sun_path[0] = '\0';
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == -1)
		log_debug("telling %s: %s", path, strerror(errno));
}

void
notify_started(const struct ctr *c)
{
	const char *mode = mode_of(c->config);
	char text[64];

	if (host_socket() == NULL || strcmp(mode, NOTIFY_IGNORE) == 0)
		return;
	snprintf(text, sizeof(text), "MAINPID=%d%s", (int)c->monitor_pid,
	    strcmp(mode, NOTIFY_MONITOR) == 0 ? "\nREADY=1" : "");
	tell(text);
}

void
notify_healthy(const struct ctr *c)
{
	if (host_socket() != NULL && strcmp(mode_of(c->config), NOTIFY_HEALTHY) == 0)
		tell("READY=1");
}
