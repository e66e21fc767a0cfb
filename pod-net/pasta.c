/* SPDX-License-Identifier: ISC */
#include "pod-net/pasta.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-net/helper.h"

#define HELP_MAX 65536

/* Options we give unless the user gave them, in Podman's order; values are ours. */
static const struct {
	const char *name, *letter, *value;
	bool only_if_known; /* old versions lack it */
} defaults[] = {
    {"--tcp-ports", "-t", "none", false},
    {"--udp-ports", "-u", "none", false},
    {"--tcp-ns", "-T", "none", false},
    {"--udp-ns", "-U", "none", false},
    {"--no-map-gw", NULL, NULL, false},
    {"--dns-forward", NULL, PASTA_DNS, true},
    {"--map-guest-addr", NULL, PASTA_HOST, true},
    {"--quiet", "-q", NULL, false},
};

/* "--opt", "--opt=value" or "-o". */
static bool
given(const struct strs *options, const char *name, const char *letter)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < options->n; i++) {
		const char *o = options->v[i];

		if (strncmp(o, name, n) == 0 && (o[n] == '\0' || o[n] == '='))
			return true;
		if (letter != NULL && strncmp(o, letter, 2) == 0)
			return true;
	}
	return false;
}

static void
add_ports(const struct pasta *p, uint8_t protocol, const char *option, struct strv *argv)
{
	for (size_t i = 0; i < p->job.ports->n; i++) {
		const struct port *port = &p->job.ports->v[i];
		char host[ADDR_TEXT] = "";

		if (port->protocol != protocol)
			continue;
		addr_format(&port->host, host);
		if (host[0] == '\0' && port->ipv4 != port->ipv6)
			snprintf(host, sizeof host, "%s", port->ipv4 ? "0.0.0.0" : "::");
		strv_add(argv, option);
		strv_addf(argv, "%s%s%u-%u:%u-%u", host, host[0] != '\0' ? "/" : "",
		    port->host_port, port->host_port + port->count - 1u, port->container_port,
		    port->container_port + port->count - 1u);
	}
}

static bool
has_ports(const struct pasta *p, uint8_t protocol)
{
	for (size_t i = 0; i < p->job.ports->n; i++)
		if (p->job.ports->v[i].protocol == protocol)
			return true;
	return false;
}

void
pasta_arguments(struct pasta *p, const char *help, const char *netns_path, const char *pid_path,
    struct strv *argv)
{
	p->maps_host = strstr(help, "--map-guest-addr") != NULL &&
		       !given(p->job.options, "--map-guest-addr", NULL);
	p->forwards_dns =
	    strstr(help, "--dns-forward") != NULL && !given(p->job.options, "--dns-forward", NULL);
	strv_add(argv, p->job.path);
	strv_add(argv, "--config-net");
	add_ports(p, IPPROTO_TCP, "-t", argv);
	add_ports(p, IPPROTO_UDP, "-u", argv);
	for (size_t i = 0; i < p->job.options->n; i++)
		strv_add(argv, p->job.options->v[i]);
	for (size_t i = 0; i < COUNTOF(defaults); i++) {
		bool known = !defaults[i].only_if_known || strstr(help, defaults[i].name) != NULL;

		if (!known || given(p->job.options, defaults[i].name, defaults[i].letter) ||
		    (strcmp(defaults[i].name, "--tcp-ports") == 0 && has_ports(p, IPPROTO_TCP)) ||
		    (strcmp(defaults[i].name, "--udp-ports") == 0 && has_ports(p, IPPROTO_UDP)))
			continue;
		strv_add(argv, defaults[i].letter != NULL ? defaults[i].letter : defaults[i].name);
		if (defaults[i].value != NULL)
			strv_add(argv, defaults[i].value);
	}
	strv_add(argv, "-P");
	strv_add(argv, pid_path);
	strv_add(argv, "--netns");
	strv_add(argv, netns_path);
}

/* What "pasta --help" says, on whichever stream; it ends with status 1 in old versions. */
static void
ask_help(const char *path, char **help)
{
	own_fd int from = -1, to = -1;
	struct err e = {0};
	int pair[2];
	size_t n;
	pid_t pid;

	*help = NULL;
	if (pipe2(pair, O_CLOEXEC) != 0)
		return;
	from = pair[0];
	to = pair[1];
	pid = fork();
	if (pid == 0) {
		char *const argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t) "--help", NULL};
		char *const env[] = {NULL};

		/* An old pasta takes an ignored SIGPIPE for an error. */
		signal(SIGPIPE, SIG_DFL);
		if (dup2(to, 1) == 1 && dup2(to, 2) == 2)
			execve(path, argv, env);
		_exit(127);
	}
	fd_close(&to);
	if (pid < 0 || helper_await(from, pid, path, &e) != 0)
		return;
	if (file_slurp(from, HELP_MAX, "pasta --help", help, &n, &e) != 0)
		*help = NULL;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The help text, asked for once per version of the program. */
static char *
known_options(const struct pasta *p)
{
	struct stat st;
	struct err e = {0};
	char name[64], *help = NULL;
	size_t n;

	if (stat(p->job.path, &st) != 0)
		return xstrdup("");
	snprintf(name, sizeof name, "pasta-%llx-%llx.help", (unsigned long long)st.st_mtim.tv_sec,
	    (unsigned long long)st.st_size);
	if (file_read(p->job.dir, name, HELP_MAX, &help, &n, &e) == 0)
		return help;
	ask_help(p->job.path, &help);
	if (help == NULL || strstr(help, "--netns") == NULL)
		return help != NULL ? help : xstrdup("");
	/* Not being able to keep it only means asking again. */
	(void)file_write(p->job.dir, name, help, strlen(help), 0600, 0, &e);
	return help;
}

bool
pasta_forwards_dns(const char *path, int dir)
{
	const struct pasta p = {.job = {.path = path, .dir = dir}};
	own_mem char *help = known_options(&p);

	return strstr(help, "--dns-forward") != NULL;
}

int
pasta_start(struct pasta *p, struct err *e)
{
	own_mem char *link = xasprintf("%s/net/helpers/%s", p->job.run_root, p->job.id);
	own_mem char *pid_file = xasprintf("%s.pid", link), *help = known_options(p);
	own_strv struct strv argv = {0};
	struct helper_anchor anchor;
	int rc;

	if (helper_place(&anchor, p->job.dir, p->job.id, p->job.netns, e) != 0)
		return -1;
	pasta_arguments(p, help, link, pid_file, &argv);
	rc = helper_run(&argv, e);
	helper_anchor_end(&anchor);
	if (rc != 0)
		helper_end(p->job.dir, p->job.id);
	return rc;
}
