/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/oci/attach.h"
#include "common/oci/monitor.h"

/* --- Detach keys -------------------------------------------------------------------------------
 */

/* The byte of one key: a character, or ctrl- and a letter or one of @ [ \ ] ^ _. */
static int
key_of(const char *s, size_t n)
{
	static const char others[] = "@[\\]^_";

	if (n == 1)
		return (unsigned char)*s;
	if (n != 6 || strncmp(s, "ctrl-", 5) != 0)
		return -1;
	if (s[5] >= 'a' && s[5] <= 'z')
		return s[5] - 'a' + 1;
	return strchr(others, s[5]) != NULL ? s[5] & 0x1f : -1;
}

int
detach_parse(struct detach *d, const char *spec, struct err *e)
{
	*d = (struct detach){0};
	for (const char *s = spec; *s != '\0';) {
		size_t n = strcspn(s, ",");
		int key = key_of(s, n);

		if (key < 0)
			return err_set(e, ERR_INVALID, "invalid detach keys \"%s\"", spec);
		if (d->n == DETACH_KEYS_MAX)
			return err_set(e, ERR_INVALID, "more than %d detach keys", DETACH_KEYS_MAX);
		d->key[d->n++] = (uint8_t)key;
		s += n;
		if (*s == ',' && *++s == '\0')
			return err_set(e, ERR_INVALID, "invalid detach keys \"%s\"", spec);
	}
	return 0;
}

int
detach_option(void *member, const char *spec, struct err *e)
{
	struct detach d;

	if (detach_parse(&d, spec, e) == -1)
		return -1;
	*(const char **)member = spec;
	return 0;
}

/*
 * The input so far ends with the first seen keys and then byte c.  Returns how many keys it ends
 * with now: the longest beginning of the sequence that is an end of what was typed.
 */
static size_t
match(const struct detach *d, size_t seen, uint8_t c)
{
	for (size_t k = seen + 1; k > 0; k--)
		if (d->key[k - 1] == c && memcmp(d->key, d->key + seen - (k - 1), k - 1) == 0)
			return k;
	return 0;
}

bool
detach_feed(struct detach *d, const uint8_t *in, size_t n, uint8_t *out, size_t *out_n)
{
	*out_n = 0;
	for (size_t i = 0; i < n; i++) {
		size_t held = d->seen, now = d->n > 0 ? match(d, held, in[i]) : 0;
		/* Of the held keys and this byte, the last now bytes are still held. */
		size_t go = held + 1 - now;

		for (size_t j = 0; j < go; j++)
			out[(*out_n)++] = j < held ? d->key[j] : in[i];
		d->seen = now;
		if (d->n > 0 && now == d->n) {
			d->seen = 0;
			return true;
		}
	}
	return false;
}

/* --- Connections --------------------------------------------------------------------------------
 */

int
attach_pair(int fd[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return err_sys(e, "making a socket pair");
	return 0;
}

int
attach_connect(const char *dir, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd int bundle = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd int fd = -1;

	if (bundle < 0)
		return err_sys(e, "opening %s", dir);
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/" MONITOR_ATTACH, bundle);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		return err_sys(e, "attaching to the monitor in %s", dir);
	return fd_take(&fd);
}

void
attach_resize(const char *dir, unsigned rows, unsigned columns)
{
	char path[4096], line[64];
	int n = snprintf(path, sizeof(path), "%s/" MONITOR_CTL, dir);

	if (n >= (int)sizeof(path))
		return;

	own_fd int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	n = snprintf(line, sizeof(line), "1 %u %u\n", rows, columns);
	/* One write below PIPE_BUF: lines of several clients do not mix. */
	if (fd >= 0 && write(fd, line, (size_t)n) < 0)
		return;
}

/* --- The copy loop ------------------------------------------------------------------------------
 */

/* Where output goes: a descriptor of the caller's, or our own one of the same file. */
struct sink {
	int fd; /* -1: nowhere, or not any more */
	bool opened, socket, blocks;
};

struct loop {
	struct attach *a;
	struct detach keys;
	int signals;
	bool raw, input, stopping;
	struct termios saved;
	struct sink out, err;
	/* Output on its way to the user: n bytes from from on, for that one. */
	struct sink *to;
	size_t from, left;
	uint8_t packet[1 + MONITOR_INPUT_MAX];
	/* Input on its way to the container. */
	size_t at, n;
	uint8_t buf[MONITOR_INPUT_MAX + DETACH_KEYS_MAX];
};

void
attach_init(struct attach *a)
{
	memset(a, 0, sizeof(*a));
	a->sock = a->in = a->out = a->err = a->extra = -1;
	sigemptyset(&a->signals);
}

static void
tell_size(struct attach *a)
{
	struct winsize w;
	int fd = a->in >= 0 && isatty(a->in) ? a->in : a->out;

	if (a->tty && a->dir != NULL && fd >= 0 && ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_row != 0)
		attach_resize(a->dir, w.ws_row, w.ws_col);
}

static void
make_raw(struct loop *l)
{
	struct termios t;

	if (!l->a->tty || l->a->in < 0 || tcgetattr(l->a->in, &l->saved) != 0)
		return;
	t = l->saved;
	cfmakeraw(&t);
	l->raw = tcsetattr(l->a->in, TCSANOW, &t) == 0;
}

static void
restore(struct loop *l)
{
	if (l->raw)
		tcsetattr(l->a->in, TCSADRAIN, &l->saved);
	l->raw = false;
}

/*
 * A reader that does not read shall not keep us from handling signals, but O_NONBLOCK on what others write to as well
 * would be theirs too: pipes and terminals are opened anew.  Where that is not allowed, little is written at a time,
 * once there is room.  Files never block, and have one position for all.
 */
static void
sink_open(struct sink *s, int fd)
{
	char path[32];
	struct stat st;

	*s = (struct sink){.fd = fd};
	if (fd < 0 || fstat(fd, &st) != 0)
		return;
	s->socket = S_ISSOCK(st.st_mode);
	/* The master of a terminal opened anew would be another one's. */
	if (!S_ISFIFO(st.st_mode) && (!isatty(fd) || st.st_rdev == makedev(5, 2)))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	s->fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	s->opened = s->fd >= 0;
	s->blocks = !s->opened;
	if (!s->opened)
		s->fd = fd;
}

static void
sink_close(struct sink *s)
{
	if (s->opened)
		fd_close(&s->fd);
	s->fd = -1;
}

static ssize_t
sink_write(const struct sink *s, const uint8_t *p, size_t n)
{
	struct pollfd room = {.fd = s->fd, .events = POLLOUT};

	if (s->socket)
		return send(s->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!s->blocks)
		return write(s->fd, p, n);
	if (poll(&room, 1, 0) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(s->fd, p, n > PIPE_BUF ? PIPE_BUF : n);
}

/* Nobody reads the pipe any more, or the file has no room. */
static bool
is_full(int no)
{
	return no == EPIPE || no == ENOSPC || no == EDQUOT || no == EFBIG;
}

/* Where a terminal has gone, output is taken and dropped; standard output that takes no more ends the loop. */
static void
put_output(struct loop *l)
{
	while (l->left > 0 && l->to->fd >= 0) {
		ssize_t n = sink_write(l->to, l->packet + l->from, l->left);

		if (n >= 0) {
			l->from += (size_t)n;
			l->left -= (size_t)n;
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR) {
			if (l->to == &l->out && is_full(errno))
				l->a->lost = errno;
			sink_close(l->to);
		}
	}
	l->left = 0;
}

/* One packet from the monitor.  False at the end. */
static bool
take_output(struct loop *l)
{
	ssize_t n = recv(l->a->sock, l->packet, sizeof(l->packet), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	l->to = l->packet[0] == MONITOR_PACKET_ERR ? &l->err : &l->out;
	l->from = 1;
	l->left = (size_t)n - 1;
	put_output(l);
	return true;
}

static void
end_input(struct loop *l)
{
	l->input = false;
	/* With a terminal the end of our input is no message: the container's stays open. */
	if (!l->a->tty)
		shutdown(l->a->sock, SHUT_WR);
}

/* Sends what is waiting.  False if the monitor is gone. */
static bool
send_input(struct loop *l)
{
	ssize_t n;

	if (l->n == 0)
		return true;

	size_t piece = l->n > MONITOR_INPUT_MAX ? MONITOR_INPUT_MAX : l->n;

	n = send(l->a->sock, l->buf + l->at, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
	l->at += (size_t)n;
	l->n -= (size_t)n;
	return true;
}

/* Reads input into the empty buffer.  True if the detach keys were typed. */
static bool
take_input(struct loop *l)
{
	uint8_t in[MONITOR_INPUT_MAX];
	ssize_t n = read(l->a->in, in, sizeof(in));

	l->at = 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		end_input(l);
		return false;
	}
	if (l->a->tty)
		return detach_feed(&l->keys, in, (size_t)n, l->buf, &l->n);
	memcpy(l->buf, in, (size_t)n);
	l->n = (size_t)n;
	return false;
}

/* False: end the loop. */
static bool
take_signals(struct loop *l)
{
	struct signalfd_siginfo s;
	bool on = true;

	while (on && read(l->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.ssi_signo == SIGWINCH)
			tell_size(l->a);
		else if (l->a->on_signal != NULL)
			on = l->a->on_signal((int)s.ssi_signo, l->a->arg);
	}
	return on;
}

enum { ON_SOCK, ON_SIGNAL, ON_EXTRA, ON_IN, ON_OUT, ON_COUNT };

/* Output that waits keeps the monitor's waiting, and nothing else. */
static void
watch(const struct loop *l, struct pollfd p[ON_COUNT])
{
	const struct attach *a = l->a;
	short sock = (short)((l->left == 0 ? POLLIN : 0) | (l->n > 0 ? POLLOUT : 0));

	p[ON_SOCK] = (struct pollfd){sock != 0 ? a->sock : -1, sock, 0};
	p[ON_SIGNAL] = (struct pollfd){l->signals, POLLIN, 0};
	p[ON_EXTRA] = (struct pollfd){l->stopping ? -1 : a->extra, POLLIN, 0};
	p[ON_IN] = (struct pollfd){l->input && l->n == 0 ? a->in : -1, POLLIN, 0};
	p[ON_OUT] = (struct pollfd){l->left > 0 ? l->to->fd : -1, POLLOUT, 0};
}

/* One round.  Returns true when the loop has come to *end. */
static bool
one_round(struct loop *l, enum attach_end *end)
{
	struct attach *a = l->a;
	struct pollfd p[ON_COUNT];

	watch(l, p);
	if (poll(p, ON_COUNT, -1) < 0)
		return false;
	*end = ATTACH_STOPPED;
	if (p[ON_SIGNAL].revents != 0 && !take_signals(l))
		return true;
	if (p[ON_EXTRA].revents != 0 && a->on_ready != NULL && !a->on_ready(a->arg))
		l->stopping = true;
	if (p[ON_OUT].revents != 0)
		put_output(l);
	if (l->stopping && l->left == 0)
		return true;
	*end = ATTACH_ENDED;
	if (l->left == 0 && (p[ON_SOCK].revents & (POLLIN | POLLHUP | POLLERR)) && !take_output(l))
		return true;
	if (p[ON_IN].revents != 0 && take_input(l)) {
		send_input(l);
		*end = ATTACH_DETACHED;
		return true;
	}
	if (l->a->lost != 0) {
		*end = ATTACH_UNREAD;
		return true;
	}
	/* What is still to be read of a monitor that takes nothing more is read all the same. */
	if (!send_input(l)) {
		l->n = 0;
		l->input = false;
	}
	return false;
}

int
attach_run(struct attach *a, enum attach_end *end, struct err *e)
{
	/* Most containers have no input, and their buffer stays untouched memory. */
	own_mem struct loop *l = xmalloc(sizeof(*l));
	sigset_t set = a->signals, old;

	memset(l, 0, offsetof(struct loop, packet));
	l->at = l->n = 0;
	l->a = a;
	l->input = a->in >= 0;
	if (detach_parse(
		&l->keys, a->detach_keys != NULL ? a->detach_keys : DETACH_KEYS_DEFAULT, e) != 0)
		return -1;
	sigaddset(&set, SIGWINCH);

	own_fd int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (signals < 0)
		return err_sys(e, "watching signals");
	l->signals = signals;
	sink_open(&l->out, a->out);
	sink_open(&l->err, a->err);
	sigprocmask(SIG_BLOCK, &set, &old);
	make_raw(l);
	tell_size(a);
	while (!one_round(l, end))
		;
	restore(l);
	sink_close(&l->out);
	sink_close(&l->err);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return 0;
}
