/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <linux/nsfs.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-run/life/usage.h"
#include "pod-run/oci/cgroup.h"

#define TEXT_MAX ((size_t)1 << 20)
#define CGROUPS "/sys/fs/cgroup"
#define NAMESPACES_MAX 33 /* levels of PID namespaces the kernel allows, and one */

/* A file of the kernel's, NULL if it cannot be read; the caller frees. */
static char *
slurp(const char *path)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err ignored = {0};
	char *text;
	size_t n;

	return fd != -1 && file_slurp(fd, TEXT_MAX, path, &text, &n, &ignored) == 0 ? text : NULL;
}

static bool
read_number(const char *dir, const char *file, uint64_t *out)
{
	own_mem char *path = xasprintf("%s/%s", dir, file);
	own_mem char *text = slurp(path);

	if (text == NULL)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return text_to_u64(text, UINT64_MAX, out) == 0;
}

/* The number after a word in "word number" lines. */
static bool
read_word(const char *dir, const char *file, const char *word, uint64_t *out)
{
	own_mem char *path = xasprintf("%s/%s", dir, file);
	own_mem char *text = slurp(path);
	char *save = NULL;
	size_t n = strlen(word);

	for (char *line = text != NULL ? strtok_r(text, "\n", &save) : NULL; line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, word, n) == 0 && line[n] == ' ')
			return text_to_u64(line + n + 1, UINT64_MAX, out) == 0;
	return false;
}

/* --- The cgroup ---------------------------------------------------------------------------------*/

static bool
has_controller(const char *list, const char *controller)
{
	size_t n = strlen(controller);

	for (const char *p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, controller, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	}
	return false;
}

/* The container may have moved itself into a cgroup below; crun's limits are in the one that it makes in a scope. */
static void
cut_own(char *id)
{
	static const char crun[] = ".scope/container";
	size_t n = strcspn(id, "/");
	char *at = strstr(id, crun);

	if (at != NULL && at + strlen(".scope") == id + n && strchr("/", at[strlen(crun)]) != NULL)
		n += strlen("/container");
	id[n] = '\0';
}

char *
usage_cgroup(const struct ctr *c, const char *controller)
{
	char file[64], *save = NULL;
	own_mem char *text = NULL;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)c->pid);
	text = slurp(file);
	for (char *line = text != NULL ? strtok_r(text, "\n", &save) : NULL; line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *list = strchr(line, ':'), *path;
		const char *id;

		path = list != NULL ? strchr(list + 1, ':') : NULL;
		if (path == NULL)
			continue;
		*path++ = '\0';
		list++;
		if (*controller == '\0' ? *list != '\0' : !has_controller(list, controller))
			continue;
		id = strstr(path, c->id);
		if (id == NULL)
			return NULL;
		cut_own(path + (id - path));
		if (*controller != '\0')
			return xasprintf("/sys/fs/cgroup/%s%s", list, path);
		return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0
			   ? xasprintf(CGROUPS "%s", path)
			   : xasprintf("/sys/fs/cgroup/unified%s", path);
	}
	return NULL;
}

char *
usage_cgroup_path(const struct ctr *c)
{
	own_mem char *dir = c->pid > 0 && cgroup_layout() == CGROUP_V2 ? usage_cgroup(c, "") : NULL;
	char *id = dir != NULL ? strstr(dir, c->id) : NULL;

	if (id == NULL)
		return cgroup_fs_path(c->config, c->id);
	/* Without the one that crun makes in a scope. */
	id[strcspn(id, "/")] = '\0';
	return xstrdup(dir + strlen(CGROUPS));
}

static bool
read_cpu(const struct ctr *c, const char *v2, struct usage *u)
{
	own_mem char *dir = NULL;
	uint64_t us;

	if (v2 != NULL && read_word(v2, "cpu.stat", "usage_usec", &us)) {
		u->cpu_ns = us * 1000;
		if (read_word(v2, "cpu.stat", "system_usec", &us))
			u->cpu_system_ns = us * 1000;
		return true;
	}
	dir = usage_cgroup(c, "cpuacct");
	if (dir == NULL || !read_number(dir, "cpuacct.usage", &u->cpu_ns))
		return false;
	read_number(dir, "cpuacct.usage_sys", &u->cpu_system_ns);
	return true;
}

json_t *
usage_per_cpu(const struct ctr *c)
{
	own_mem char *dir = c->pid > 0 ? usage_cgroup(c, "cpuacct") : NULL;
	own_mem char *path = dir != NULL ? xasprintf("%s/cpuacct.usage_percpu", dir) : NULL;
	own_mem char *text = path != NULL ? slurp(path) : NULL;
	json_t *list = json_arr();
	char *save = NULL;
	uint64_t ns;

	for (char *word = text != NULL ? strtok_r(text, " \n", &save) : NULL; word != NULL;
	     word = strtok_r(NULL, " \n", &save))
		if (text_to_u64(word, INT64_MAX, &ns) == 0)
			json_add_take(list, json_integer((json_int_t)ns));
	return list;
}

static bool
read_memory(const struct ctr *c, const char *v2, struct usage *u)
{
	own_mem char *dir = NULL;
	uint64_t limit;

	if (v2 != NULL && read_number(v2, "memory.current", &u->memory)) {
		if (read_number(v2, "memory.max", &limit) && limit < u->memory_limit)
			u->memory_limit = limit;
		return true;
	}
	dir = usage_cgroup(c, "memory");
	if (dir == NULL || !read_number(dir, "memory.usage_in_bytes", &u->memory))
		return false;
	if (read_number(dir, "memory.limit_in_bytes", &limit) && limit < u->memory_limit)
		u->memory_limit = limit;
	return true;
}

static bool
read_tasks(const struct ctr *c, const char *v2, struct usage *u)
{
	own_mem char *dir = NULL;

	if (v2 != NULL && read_number(v2, "pids.current", &u->tasks))
		return true;
	dir = usage_cgroup(c, "pids");
	return dir != NULL && read_number(dir, "pids.current", &u->tasks);
}

/* v1: "8:0 Read 4096"; v2: "8:0 rbytes=4096 wbytes=0 …". */
static void
read_io(const struct ctr *c, const char *v2, struct usage *u)
{
	own_mem char *dir = v2 == NULL ? usage_cgroup(c, "blkio") : NULL;
	own_mem char *path = NULL, *text = NULL;
	char *save = NULL;

	if (v2 == NULL && dir == NULL)
		return;
	path = v2 != NULL ? xasprintf("%s/io.stat", v2)
			  : xasprintf("%s/blkio.throttle.io_service_bytes_recursive", dir);
	text = slurp(path);
	for (char *line = text != NULL ? strtok_r(text, "\n", &save) : NULL; line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned long long r = 0, w = 0;
		const char *p;

		if ((p = strstr(line, " Read ")) != NULL)
			r = strtoull(p + 6, NULL, 10);
		if ((p = strstr(line, " Write ")) != NULL)
			w = strtoull(p + 7, NULL, 10);
		if ((p = strstr(line, " rbytes=")) != NULL)
			r = strtoull(p + 8, NULL, 10);
		if ((p = strstr(line, " wbytes=")) != NULL)
			w = strtoull(p + 8, NULL, 10);
		u->read += r;
		u->written += w;
	}
}

/* --- The network --------------------------------------------------------------------------------*/

static bool
same_netns(pid_t pid)
{
	char path[64];
	struct stat a, b;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return stat(path, &a) == 0 && stat("/proc/self/ns/net", &b) == 0 && a.st_ino == b.st_ino;
}

json_t *
usage_network(const struct ctr *c)
{
	char path[64], *save = NULL;
	own_mem char *text = NULL;
	json_t *all = json_obj();

	/* The host's counters say nothing of one container. */
	if (c->pid <= 0 || same_netns(c->pid))
		return all;
	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)c->pid);
	text = slurp(path);
	for (char *line = text != NULL ? strtok_r(text, "\n", &save) : NULL; line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		/* Bytes, packets, errors, dropped and four others of what was received, then the same of what was sent. */
		unsigned long long rx[4], tx[4];
		char *colon = strchr(line, ':'), name[4 * IFNAMSIZ];
		json_t *one;

		line += strspn(line, " ");
		if (colon == NULL || strncmp(line, "lo:", 3) == 0 ||
		    sscanf(colon + 1, "%llu %llu %llu %llu %*u %*u %*u %*u %llu %llu %llu %llu",
			&rx[0], &rx[1], &rx[2], &rx[3], &tx[0], &tx[1], &tx[2], &tx[3]) != 8)
			continue;
		*colon = '\0';
		/* Who is root in the container calls it as he likes. */
		text_escape(line, name, sizeof(name));
		one = json_put_obj(all, name);
		json_put_int(one, "RxBytes", (int64_t)rx[0]);
		json_put_int(one, "RxDropped", (int64_t)rx[3]);
		json_put_int(one, "RxErrors", (int64_t)rx[2]);
		json_put_int(one, "RxPackets", (int64_t)rx[1]);
		json_put_int(one, "TxBytes", (int64_t)tx[0]);
		json_put_int(one, "TxDropped", (int64_t)tx[3]);
		json_put_int(one, "TxErrors", (int64_t)tx[2]);
		json_put_int(one, "TxPackets", (int64_t)tx[1]);
	}
	return all;
}

static void
read_net(const struct ctr *c, struct usage *u)
{
	own_json json_t *all = usage_network(c);
	const char *name;
	json_t *one;

	json_object_foreach (all, name, one) {
		u->received += (uint64_t)json_integer_value(json_object_get(one, "RxBytes"));
		u->sent += (uint64_t)json_integer_value(json_object_get(one, "TxBytes"));
	}
}

/* --- Processes ----------------------------------------------------------------------------------*/

void
usage_pids_free(struct usage_pids *p)
{
	free(p->v);
	*p = (struct usage_pids){0};
}

static void
add_pid(struct usage_pids *p, pid_t pid)
{
	p->v = mem_grow(p->v, &p->cap, p->n + 1, sizeof(*p->v));
	p->v[p->n++] = pid;
}

static bool
ns_of(const char *pid, struct stat *st)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/ns/pid", pid);
	return stat(path, st) == 0;
}

/* True if the process is in that PID namespace or one below it. */
static bool
is_below(const char *pid, const struct stat *top)
{
	char path[64];
	own_fd int fd = -1;
	struct stat st;

	if (ns_of(pid, &st) && st.st_ino == top->st_ino)
		return true;
	snprintf(path, sizeof(path), "/proc/%.20s/ns/pid", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (int i = 0; fd != -1 && i < NAMESPACES_MAX; i++) {
		int parent = ioctl(fd, NS_GET_PARENT);

		fd_close(&fd);
		fd = parent;
		if (fd != -1 && fstat(fd, &st) == 0 && st.st_ino == top->st_ino)
			return true;
	}
	return false;
}

static void
list_by_cgroup(const struct ctr *c, struct usage_pids *out)
{
	own_mem char *v2 = usage_cgroup(c, ""), *v1 = NULL, *path = NULL, *text = NULL;
	char *save = NULL;
	uint64_t pid;

	v1 = v2 == NULL ? usage_cgroup(c, "pids") : NULL;
	if (v2 != NULL || v1 != NULL) {
		path = xasprintf("%s/cgroup.procs", v2 != NULL ? v2 : v1);
		text = slurp(path);
	}
	for (char *line = text != NULL ? strtok_r(text, "\n", &save) : NULL; line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (text_to_u64(line, INT32_MAX, &pid) == 0)
			add_pid(out, (pid_t)pid);
	if (out->n == 0)
		add_pid(out, c->pid);
}

static int
by_number(const void *va, const void *vb)
{
	const pid_t *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

void
usage_pids_list(const struct ctr *c, struct usage_pids *out)
{
	own_dir DIR *d = NULL;
	const struct dirent *n;
	char own_pid[24];
	struct stat top, mine;
	uint64_t pid;

	snprintf(own_pid, sizeof(own_pid), "%d", (int)c->pid);
	if (c->pid <= 0)
		return;
	if (!ns_of(own_pid, &top) || (ns_of("self", &mine) && mine.st_ino == top.st_ino)) {
		list_by_cgroup(c, out);
		return;
	}
	d = opendir("/proc");
	while (d != NULL && (n = readdir(d)) != NULL)
		if (isdigit((unsigned char)n->d_name[0]) && is_below(n->d_name, &top) &&
		    text_to_u64(n->d_name, INT32_MAX, &pid) == 0)
			add_pid(out, (pid_t)pid);
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), by_number);
}

/* utime, stime: fields 14 and 15 of the stat file; rss: 24. */
static void
add_process(pid_t pid, struct usage *u)
{
	char path[64];
	own_mem char *text = NULL;
	unsigned long long user, system;
	long threads, rss;
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	text = slurp(path);
	p = text != NULL ? strrchr(text, ')') : NULL;
	if (p == NULL ||
	    sscanf(p + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d "
		"%ld %*d %*u %*u %ld",
		&user, &system, &threads, &rss) != 4)
		return;
	u->cpu_ns += (user + system) * (1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK));
	u->memory += (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE);
	u->tasks += (uint64_t)threads;
}

static void
count_processes(const struct ctr *c, struct usage *u)
{
	own_usage_pids struct usage_pids pids = {0};

	usage_pids_list(c, &pids);
	for (size_t i = 0; i < pids.n; i++)
		add_process(pids.v[i], u);
}

void
usage_read(const struct ctr *c, struct usage *u)
{
	own_mem char *v2 = NULL;
	struct sysinfo s;

	*u = (struct usage){0};
	if (c->pid <= 0)
		return;
	if (sysinfo(&s) == 0)
		u->memory_limit = (uint64_t)s.totalram * s.mem_unit;
	v2 = usage_cgroup(c, "");
	if (!read_cpu(c, v2, u) || !read_memory(c, v2, u)) {
		u->cpu_ns = u->memory = 0;
		count_processes(c, u);
	} else {
		read_tasks(c, v2, u);
		read_io(c, v2, u);
	}
	read_net(c, u);
}
