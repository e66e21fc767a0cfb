/* SPDX-License-Identifier: ISC */
/*
 * Stands in for pod-run in the tests of pod-net: speaks its messages.
 *
 *	net-drive [options] PROGRAM RUNROOT [COMMAND...]
 *
 *	net-drive udp-echo PORT			answers one datagram with itself
 *	net-drive udp-ask ADDRESS PORT TEXT	prints the answer
 *
 * Sets one container up, runs COMMAND in its namespace, and takes it down.
 *
 *	-i ID     container ID; 64 random digits if absent
 *	-d DIR    network definitions
 *	-n NAME   network; repeatable; podman if absent	-N  mode none
 *	-a ADDR   static address on the first network
 *	-p HOST:CONTAINER[/PROTOCOL]  published port; repeatable; [IP@] in front
 *	-c N      N containers one after the other, over one connection; prints how long each took
 *	-e        each over a connection of its own, as a start of one container has it
 *	-k        leave without taking down, as if killed	-s  sweep first, with no container running
 *	-m MODE   pasta or slirp4netns, as an ordinary user	-o OPTION  of it
 *	-q        do not print addresses and ports
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/peer.h"

struct drive {
	struct msg_net_setup m;
	struct rec_net_attach attach[8];
	struct rec_port_map ports[8];
	const char *ips[1];
	char id[65];
	const char *mode_options[8];
	bool leave, sweep, quiet, rootless, each;
	long count;
};

static void
die(const struct err *e)
{
	err_print(e, stderr);
	exit(err_exit_status(e));
}

static struct peer *
start(const char *program)
{
	struct err e = {0};
	int pair[2];

	if (peer_pair(pair, &e) != 0)
		die(&e);
	if (fork() == 0) {
		dup2(pair[1], PEER_FD);
		execl(program, "pod-net", "--peer", (char *)NULL);
		_exit(127);
	}
	fd_close(&pair[1]);
	return peer_new(pair[0], ROLE_RUN, ROLE_NET);
}

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
add_port(struct drive *d, char *s)
{
	struct rec_port_map *p = &d->ports[d->m.ports.n++];
	char *at = strchr(s, '@'), *slash = strchr(s, '/'), *colon;

	*p = (struct rec_port_map){.protocol = "tcp"};
	if (at != NULL) {
		*at = '\0';
		p->host_ip = s;
		s = at + 1;
	}
	if (slash != NULL) {
		*slash = '\0';
		p->protocol = slash + 1;
	}
	colon = strchr(s, ':');
	p->host_port = strtoul(s, NULL, 10);
	p->container_port = colon != NULL ? strtoul(colon + 1, NULL, 10) : p->host_port;
}

static void
options(struct drive *d, int argc, char **argv)
{
	int c;

	d->m.mode = "bridge";
	d->m.ports.v = d->ports;
	d->m.attach.v = d->attach;
	d->count = 1;
	while ((c = getopt(argc, argv, "+i:d:n:Na:p:c:eksqm:o:")) != -1)
		switch (c) {
		case 'i':
			d->m.id = optarg;
			break;
		case 'd':
			d->m.network_dir = optarg;
			break;
		case 'n':
			d->attach[d->m.attach.n++].network = optarg;
			break;
		case 'N':
			d->m.mode = "none";
			break;
		case 'a':
			d->ips[0] = optarg;
			d->attach[0].static_ips = (struct strs){d->ips, 1};
			break;
		case 'p':
			add_port(d, optarg);
			break;
		case 'c':
			d->count = strtol(optarg, NULL, 10);
			break;
		case 'e':
			d->each = true;
			break;
		case 'm':
			d->m.mode = optarg;
			d->rootless = true;
			break;
		case 'o':
			d->mode_options[d->m.mode_options.n++] = optarg;
			d->m.mode_options.v = d->mode_options;
			break;
		case 'k':
			d->leave = true;
			break;
		case 's':
			d->sweep = true;
			break;
		case 'q':
			d->quiet = true;
			break;
		default:
			exit(2);
		}
	if (d->m.attach.n == 0)
		d->attach[d->m.attach.n++].network = "podman";
}

static void
fresh_id(struct drive *d)
{
	uint8_t b[32];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	text_hex(b, sizeof(b), d->id);
	d->m.id = d->id;
}

static void
print_answer(const struct msg_net_setup_r *r)
{
	for (size_t i = 0; i < r->interfaces.n; i++)
		for (size_t k = 0; k < r->interfaces.v[i].addresses.n; k++)
			printf("%s %s\n", r->interfaces.v[i].name,
			    r->interfaces.v[i].addresses.v[k].ipnet);
	for (size_t i = 0; i < r->ports.n; i++)
		printf("port %llu %s\n", (unsigned long long)r->ports.v[i].host_port,
		    r->ports.v[i].protocol);
	fflush(stdout);
}

static int
run_inside(int netns, char **argv)
{
	int status = 0;
	pid_t pid = argv[0] != NULL ? fork() : -1;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setns(netns, CLONE_NEWNET) != 0)
			_exit(126);
		execvp(argv[0], argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) != pid)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int
one(struct drive *d, struct peer *p, char **argv)
{
	own_peer_in struct peer_in in = {0}, gone = {0};
	struct msg_net_teardown t = {.id = d->m.id};
	struct err e = {0};
	double begin = now_us(), ready, end;
	int st;

	if (peer_call(p, &msg_net_setup_desc, &d->m, &in, NULL, NULL, &e) != 0)
		die(&e);
	ready = now_us();
	if (!d->quiet)
		print_answer(MSG_OF(&in, net_setup_r));
	st = run_inside(MSG_OF(&in, net_setup_r)->netns, argv);
	if (d->leave)
		_exit(st);
	end = now_us();
	if (peer_call(p, &msg_net_teardown_desc, &t, &gone, NULL, NULL, &e) != 0)
		die(&e);
	if (d->count > 1)
		printf("setup %.0f us, teardown %.0f us\n", ready - begin, now_us() - end);
	return st;
}

static int
udp_echo(const char *port)
{
	struct sockaddr_in6 self = {.sin6_family = AF_INET6};
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char text[512];
	int s = socket(AF_INET6, SOCK_DGRAM, 0);
	ssize_t n;

	self.sin6_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (s < 0 || bind(s, (struct sockaddr *)&self, sizeof(self)) != 0)
		return 1;
	n = recvfrom(s, text, sizeof(text), 0, (struct sockaddr *)&from, &size);
	return n < 0 || sendto(s, text, (size_t)n, 0, (struct sockaddr *)&from, size) != n;
}

static int
udp_ask(const char *address, const char *port, const char *text)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *a;
	struct timeval wait = {.tv_sec = 2};
	char answer[512];
	ssize_t n;
	int s;

	if (getaddrinfo(address, port, &hints, &a) != 0)
		return 1;
	s = socket(a->ai_family, SOCK_DGRAM, 0);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (connect(s, a->ai_addr, a->ai_addrlen) != 0 || write(s, text, strlen(text)) < 0 ||
	    (n = read(s, answer, sizeof(answer))) < 0)
		return 1;
	printf("%.*s\n", (int)n, answer);
	return 0;
}

/* As pod-run does, which has more to do before it asks for the set-up than it takes to make the namespace. */
static struct peer *
greet(const struct drive *d, char **argv)
{
	struct rec_kv prepare = {.key = "prepare", .value = "netns"};
	struct msg_hello hello = {.run_root = argv[1], .rootless = d->rootless};
	struct peer *p = start(argv[0]);
	struct err e = {0};

	/* Of several containers only the first gets the namespace made so. */
	hello.options.v = &prepare;
	hello.options.n = 1;
	if (peer_send(p, &msg_hello_desc, 0, &hello, &e) != 0)
		die(&e);
	if (d->each)
		usleep(10000);
	return p;
}

static void
sweep(struct peer *p)
{
	own_peer_in struct peer_in in = {0};
	struct msg_net_sweep m = {0};
	struct err e = {0};

	if (peer_call(p, &msg_net_sweep_desc, &m, &in, NULL, NULL, &e) != 0)
		die(&e);
}

int
main(int argc, char **argv)
{
	struct drive d = {0};
	struct peer *p;
	int st = 0;

	if (argc == 3 && strcmp(argv[1], "udp-echo") == 0)
		return udp_echo(argv[2]);
	if (argc == 5 && strcmp(argv[1], "udp-ask") == 0)
		return udp_ask(argv[2], argv[3], argv[4]);
	options(&d, argc, argv);
	if (argc - optind < 2)
		return 2;
	p = greet(&d, argv + optind);
	if (d.sweep) {
		sweep(p);
		peer_free(p);
		while (wait(NULL) > 0)
			;
		return 0;
	}
	for (long i = 0; i < d.count; i++) {
		if (d.each && i > 0) {
			peer_free(p);
			p = greet(&d, argv + optind);
		}
		if (d.m.id == NULL || d.m.id == d.id)
			fresh_id(&d);
		st = one(&d, p, argv + optind + 2);
		if (d.count > 1)
			usleep(80000);
	}
	peer_free(p);
	return st;
}
