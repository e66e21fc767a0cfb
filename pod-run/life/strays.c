/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/life/strays.h"
#include "pod-run/state/ctr.h"

#define POINT 4 /* fields before the mount point */
#define GONE_MS 1000
/* Of its bundle, and where it is mounted. */
#define OWN_FILE "/.containerenv /run/.containerenv "

/* The container whose layer that line of mountinfo has mounted at "/". */
static bool
take_id(const char *line, const char *upper, char id[NAMES_ID_LEN + 1])
{
	const char *p = line;

	for (int i = 0; i < POINT; i++, p++)
		if ((p = strchr(p, ' ')) == NULL)
			return false;
	if (p[0] != '/' || p[1] != ' ' || (p = strstr(p, upper)) == NULL)
		return false;
	snprintf(id, NAMES_ID_LEN + 1, "%.*s", NAMES_ID_LEN, p + strlen(upper));
	return text_is_hex(id, NAMES_ID_LEN);
}

/* A descriptor of the process if it is in one, or in that one by the file that is its own, else -1. */
static int
look(pid_t pid, const char *upper, const char *own, char id[NAMES_ID_LEN + 1])
{
	own_fd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	own_mem char *path = xasprintf("/proc/%d/mountinfo", pid);
	own_file FILE *f = fd == -1 ? NULL : fopen(path, "re");
	own_mem char *line = NULL;
	bool is = false;
	size_t cap = 0;

	while (f != NULL && !is && getline(&line, &cap, f) != -1) {
		is = take_id(line, upper, id);
		if (!is && own != NULL && strstr(line, own) != NULL) {
			*id = '\0';
			is = true;
		}
	}
	/* What was read was its own if it lives still. */
	return is && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0 ? fd_take(&fd) : -1;
}

static void
end(int process)
{
	struct pollfd p = {.fd = process, .events = POLLIN};

	if (syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0) == 0)
		poll(&p, 1, GONE_MS);
}

/* Of all containers into ids, or of this one to end them. */
static void
walk(const struct ctx *x, const char *only, struct strv *ids)
{
	own_mem char *upper = xasprintf("upperdir=%s/rw/", x->graph_root);
	/* Before Linux 6.7 layers have numbers there.  Fields of mountinfo have no space in them. */
	own_mem char *own = only == NULL ? NULL : xasprintf("/containers/%s" OWN_FILE, only);
	own_dir DIR *d = opendir("/proc");
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
		char id[NAMES_ID_LEN + 1] = "";
		own_fd int process = pid > 1 ? look(pid, upper, own, id) : -1;

		if (process == -1)
			continue;
		if (only == NULL && strv_find(ids, id) == ids->n)
			strv_add(ids, id);
		else if (only != NULL && (*id == '\0' || strcmp(only, id) == 0))
			end(process);
	}
}

void
strays_collect(const struct ctx *x, struct strv *ids)
{
	walk(x, NULL, ids);
}

void
strays_end(const struct ctx *x, const char *id)
{
	walk(x, id, NULL);
}
