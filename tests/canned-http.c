/* SPDX-License-Identifier: ISC */
/*
 * canned-http DIR: an HTTP server for tests that says what it is told.  It listens on a free port of
 * 127.0.0.1, which it writes to DIR/port.  For the Nth request of a path (without query, "/" written
 * as "@") it sends the file DIR/PATH.N, else DIR/PATH, byte for byte, status line and headers
 * included, and closes the connection; an empty file breaks the connection off.  A body whose length is
 * announced is read before the answer.  The head of each request is appended to DIR/log.
 * DIR/PATH.slow, "BYTES MILLISECONDS": so many bytes at a time with a pause after each, and then the connection
 * is held until the client has enough; others are served meanwhile.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/role/role.h"

#define HEAD_MAX 65536

struct count {
	char *path;
	unsigned n;
};
static struct count counts[1000];

static unsigned
count_path(const char *path)
{
	size_t i = 0;

	while (
	    i + 1 < COUNTOF(counts) && counts[i].path != NULL && strcmp(counts[i].path, path) != 0)
		i++;
	if (counts[i].path == NULL)
		counts[i].path = xstrdup(path);
	return ++counts[i].n;
}

static size_t
read_head(int fd, char *head)
{
	size_t n = 0;

	while (n < HEAD_MAX - 1) {
		ssize_t k = read(fd, head + n, HEAD_MAX - 1 - n);

		if (k <= 0)
			return 0;
		n += (size_t)k;
		head[n] = '\0';
		if (head[0] == 0x16) /* the hello of TLS, which is not spoken here */
			return 0;
		if (strstr(head, "\r\n\r\n") != NULL)
			return n;
	}
	return 0;
}

struct pace {
	unsigned bytes, ms; /* 0: at once */
};

static void
read_pace(int dir, const char *path, struct pace *p)
{
	own_mem char *name = xasprintf("%s.slow", path);
	own_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[64] = "";

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
	    sscanf(text, "%u %u", &p->bytes, &p->ms) != 2)
		p->bytes = 0;
}

static int
open_answer(int dir, char *head, struct pace *pace)
{
	own_mem char *path = NULL, *numbered = NULL;
	char *start = strchr(head, ' ');
	int fd;

	if (start == NULL)
		return -1;
	path = xstrndup(start + 1, strcspn(start + 1, " ?\r"));
	for (char *p = path; *p != '\0'; p++) {
		if (*p == '/')
			*p = '@';
	}
	read_pace(dir, path, pace);
	numbered = xasprintf("%s.%u", path, count_path(path));
	fd = openat(dir, numbered, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : openat(dir, path, O_RDONLY | O_CLOEXEC);
}

/* Reads what is left of the request's body. */
static void
drain(int conn, const char *head, size_t body)
{
	static const char name[] = "\r\nContent-Length: ";
	own_mem char *block = xmalloc(HEAD_MAX);
	const char *at = strstr(head, name);
	uint64_t length = at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;

	while (body < length) {
		ssize_t k = read(conn, block, HEAD_MAX);

		if (k <= 0)
			return;
		body += (size_t)k;
	}
}

/* In a process of its own, until the client has enough. */
static void
send_slowly(int conn, int answer, const struct pace *pace)
{
	own_mem char *block = xmalloc(HEAD_MAX);
	size_t n = pace->bytes < HEAD_MAX ? pace->bytes : HEAD_MAX;
	ssize_t k;

	if (fork() != 0)
		return;
	while ((k = file_get(answer, block, n)) > 0 && file_put(conn, block, (size_t)k) == 0)
		usleep(pace->ms * 1000);
	while (k == 0 && read(conn, block, HEAD_MAX) > 0)
		continue;
	_exit(0);
}

static void
serve(int dir, int log, int conn)
{
	static const char missing[] =
	    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	own_mem char *head = xmalloc(HEAD_MAX), *block = xmalloc(HEAD_MAX);
	size_t n = read_head(conn, head), length;
	struct pace pace = {0};
	own_fd int answer = -1;
	struct stat st;
	ssize_t k;

	if (n == 0)
		return;
	length = (size_t)(strstr(head, "\r\n\r\n") + 4 - head);
	(void)file_put(log, head, length);
	answer = open_answer(dir, head, &pace);
	if (answer >= 0 && fstat(answer, &st) == 0 && st.st_size == 0)
		return;
	drain(conn, head, n - length);
	if (answer < 0) {
		(void)file_put(conn, missing, sizeof(missing) - 1);
		return;
	}
	if (pace.bytes > 0) {
		send_slowly(conn, answer, &pace);
		return;
	}
	while ((k = file_get(answer, block, HEAD_MAX)) > 0 && file_put(conn, block, (size_t)k) == 0)
		continue;
	/* The client shall read all of it before the connection is reset. */
	shutdown(conn, SHUT_WR);
	while (read(conn, block, HEAD_MAX) > 0)
		continue;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	int dir, log, s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err e = {0};
	char port[16];

	role_start();
	signal(SIGCHLD, SIG_IGN);
	if (argc != 2 || (dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 125;
	log = openat(dir, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (s < 0 || log < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(s, 64) < 0 || getsockname(s, (struct sockaddr *)&a, &size) < 0)
		return 125;
	snprintf(port, sizeof(port), "%d\n", ntohs(a.sin_port));
	if (file_write(dir, "port", port, strlen(port), 0644, 0, &e) < 0)
		return 125;
	for (;;) {
		own_fd int conn = accept4(s, NULL, NULL, SOCK_CLOEXEC);

		if (conn >= 0)
			serve(dir, log, conn);
	}
}
