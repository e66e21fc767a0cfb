/* SPDX-License-Identifier: ISC */
/*
 * pod-net-dns: answers the names of containers and asks other servers for the rest.
 *
 * Two faces.  Started by pod-net as "pod-net-dns --serve": descriptor 4 is the directory of names, standard
 * input holds the port and, where the host's loopback is out of reach, the address that leads to a resolver
 * there; "ok" or an error goes to standard output once it listens.  And the command line of
 * aardvark-dns, "-c DIR -p PORT run", for managers that start it under that name: it returns when it listens.
 *
 * DIR/aardvark.pid names the process and is locked by it: there is one server for each directory.
 */
#include <ctype.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/role/role.h"
#include "pod-net/dns/message.h"
#include "pod-net/dns/serve.h"

#define PORT 5533 /* aardvark-dns' own */
#define PID_FILE "aardvark.pid"

/*
 * Takes the place of the directory's server.  Returns the descriptor that holds it, and with which nothing can be
 * written: whoever has taken over the server must not choose which process pod-net signals as root.
 */
static int
take_place(int dir, struct err *e)
{
	own_fd int held = openat(dir, PID_FILE, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	own_fd int fd = openat(dir, PID_FILE, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[32];
	int n = snprintf(text, sizeof(text), "%d", (int)getpid());

	if (held == -1 || fd == -1)
		return err_sys(e, "opening %s", PID_FILE);
	if (lock_take(held, LOCK_EXCLUSIVE, LOCK_TRY, "the DNS server's directory", e) == -1)
		return -1;
	if (ftruncate(fd, 0) == -1 || pwrite(fd, text, (size_t)n, 0) != n)
		return err_sys(e, "writing %s", PID_FILE);
	return fd_take(&held);
}

/* names stands on ROLE_VIEW_FD_NUMBER.  how.ready is closed when it listens. */
static int
serve(const struct serve *how, const struct addr *loopback, struct err *e)
{
	struct resolvers resolvers = {.loopback = *loopback};
	struct serve s = {.names = ROLE_VIEW_FD_NUMBER,
	    .ready = how->ready,
	    .port = how->port,
	    .domain = how->domain,
	    .stays = how->stays,
	    .resolvers = &resolvers,
	    .forwards = getenv("AARDVARK_NO_PROXY") == NULL};
	own_fd int place = take_place(s.names, e);
	int keep[4];
	size_t n = 0;

	if (place == -1)
		return -1;
	resolvers_open(&resolvers);
	for (int fd = 3; fd < 64 && n < COUNTOF(keep); fd++)
		if (fd == s.names || fd == place || fd == resolvers.dir || fd == s.ready)
			keep[n++] = fd;
	if (role_enter(ROLE_DNS, keep, n, e) == -1)
		return -1;
	return serve_run(&s, e);
}

static int
serve_for_us(struct err *e)
{
	char text[16 + ADDR_TEXT] = "", *address;
	struct addr loopback = {0};
	uint64_t port;
	ssize_t n = file_get(STDIN_FILENO, text, sizeof(text) - 1);
	int r, ready = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 5);

	text[n > 0 ? n : 0] = '\0';
	address = text + strcspn(text, " ");
	if (*address != '\0')
		*address++ = '\0';
	if (text_to_u64(text, 65535, &port) == -1 || port == 0)
		return err_set(e, ERR_INVALID, "the port on standard input is none");
	if (*address != '\0' && addr_parse(address, &loopback) != 0)
		return err_set(e, ERR_INVALID, "the address on standard input is none");
	/* The end of file on standard output is that of the last copy. */
	if (ready == -1 || dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		return err_sys(e, "keeping standard output");
	setsid();
	r = serve(
	    &(struct serve){.ready = ready, .port = (uint16_t)port, .stays = true}, &loopback, e);
	if (r == -1)
		dprintf(ready, "%s", e->text);
	return r;
}

/* The child serves; the parent says how it went. */
static int
run_in_background(const char *dir, struct serve *how, struct err *e)
{
	char said[1024];
	int ready[2];
	own_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t n;
	pid_t pid;

	if (fd == -1)
		return err_sys(e, "opening %s", dir);
	/* Before there is anything else on the descriptor that the role looks at. */
	if (fd != ROLE_VIEW_FD_NUMBER && dup3(fd, ROLE_VIEW_FD_NUMBER, O_CLOEXEC) == -1)
		return err_sys(e, "placing descriptors");
	if (fd == ROLE_VIEW_FD_NUMBER)
		fd_take(&fd);
	if (pipe2(ready, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	pid = fork();
	if (pid == -1)
		return err_sys(e, "starting the server");
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		for (int i = 0; i < 3 && null != -1; i++)
			dup2(null, i);
		setsid();
		how->ready = ready[1];
		if (serve(how, &(struct addr){0}, e) == -1)
			dprintf(ready[1], "%s", e->text);
		_exit(err_exit_status(e));
	}
	close(ready[1]);
	n = file_get(ready[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	if (strcmp(said, "ok") == 0)
		return 0;
	return err_set(e, ERR_INTERNAL, "aardvark-dns failed to start: %s", said);
}

/* ".Example.org" as names are compared with it; out has room for the longest. */
static int
read_domain(const char *word, char out[DNS_NAME_MAX + 2], struct err *e)
{
	size_t n;

	word += *word == '.';
	n = strlen(word);
	if (n == 0 || n > DNS_NAME_MAX)
		return err_set(e, ERR_USAGE, "\"%s\" is not a domain", word);
	out[0] = '.';
	for (size_t i = 0; i <= n; i++)
		out[i + 1] = (char)tolower((unsigned char)word[i]);
	return 0;
}

static int
command(int argc, char **argv, struct err *e)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
	    {"port", required_argument, NULL, 'p'},
	    {"filter-search-domain", required_argument, NULL, 'f'},
	    {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	char domain[DNS_NAME_MAX + 2];
	struct serve how = {.stays = false};
	const char *dir = NULL, *word;
	uint64_t port = PORT;
	int c;

	while ((c = getopt_long(argc, argv, "c:p:f:V", options, NULL)) != -1) {
		if (c == 'c')
			dir = optarg;
		else if (c == 'p' && (text_to_u64(optarg, 65535, &port) == -1 || port == 0))
			return err_set(e, ERR_USAGE, "\"%s\" is not a port", optarg);
		else if (c == 'f' && read_domain(optarg, domain, e) == -1)
			return -1;
		else if (c == 'f')
			how.domain = domain;
		else if (c == 'V') {
			puts("aardvark-dns " POD_VERSION);
			return 0;
		} else if (c == '?')
			return err_set(
			    e, ERR_USAGE, "usage: aardvark-dns -c DIR [-p PORT] [-f DOMAIN] run");
	}
	word = optind < argc ? argv[optind] : "";
	if (strcmp(word, "version") == 0) {
		puts("{\n  \"version\": \"" POD_VERSION "\"\n}");
		return 0;
	}
	if (strcmp(word, "run") != 0 || dir == NULL)
		return err_set(
		    e, ERR_USAGE, "usage: aardvark-dns -c DIR [-p PORT] [-f DOMAIN] run");
	how.port = (uint16_t)port;
	return run_in_background(dir, &how, e);
}

int
main(int argc, char **argv)
{
	struct err e = {0};
	int r;

	role_start();
	r = argc == 2 && strcmp(argv[1], "--serve") == 0 ? serve_for_us(&e)
							 : command(argc, argv, &e);
	if (r == -1)
		err_print(&e, stderr);
	return err_exit_status(&e);
}
