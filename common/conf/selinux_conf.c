/* SPDX-License-Identifier: ISC */
#include "common/conf/selinux_conf.h"

#include <fcntl.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"

#define MAGIC 0xf97cff8c
#define CONFIG "/etc/selinux/config"
#define CONTEXTS_MAX 65536

bool
selinux_conf_enabled(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && (unsigned long)fs.f_type == MAGIC &&
	       access("/sys/fs/selinux/enforce", F_OK) == 0;
}

char *
selinux_conf_value(const char *text, const char *key, struct arena *a)
{
	char *rest = arena_strdup(a, text);

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		size_t n;

		line += strspn(line, " \t");
		n = strcspn(line, " \t=");
		if (strlen(key) != n || strncmp(line, key, n) != 0)
			continue;
		line += n + strspn(line + n, " \t=\"");
		line[strcspn(line, "\" \t\r")] = '\0';
		return line;
	}
	return NULL;
}

static char *
read_text(const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t n;

	if (fd == -1) {
		err_sys(e, "SELinux: open %s", path);
		return NULL;
	}
	return file_slurp(fd, CONTEXTS_MAX, path, &text, &n, e) == 0 ? text : NULL;
}

char *
selinux_conf_contexts(struct err *e)
{
	own_mem char *config = read_text(CONFIG, e), *path = NULL;
	own_arena struct arena a = {0};
	const char *policy;

	if (config == NULL)
		return NULL;
	policy = selinux_conf_value(config, "SELINUXTYPE", &a);
	if (policy == NULL || strchr(policy, '/') != NULL) {
		err_set(e, ERR_FORMAT, "SELinux: " CONFIG " names no policy");
		return NULL;
	}
	path = xasprintf("/etc/selinux/%s/contexts/lxc_contexts", policy);
	return read_text(path, e);
}
